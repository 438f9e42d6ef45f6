#include "stats/terms.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/statsmodels.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

/* --- terms of a design ------------------------------------------------------------------------------------------- */

static bool has_variable(const fovea_design_term *t, size_t variable) {
  for (size_t i = 0; i < t->order; i++)
    if (t->variables[i] == variable) return true;
  return false;
}

bool fovea_term_contains(const fovea_design_term *whole, const fovea_design_term *part) {
  for (size_t i = 0; i < part->order; i++)
    if (!has_variable(whole, part->variables[i])) return false;
  return true;
}

static bool same_term(const fovea_design_term *a, const fovea_design_term *b) {
  return a->order == b->order && fovea_term_contains(a, b);
}

char *fovea_term_name(const fovea_design *d, const fovea_design_term *t) {
  size_t size = 1, used = 0;
  for (size_t i = 0; i < t->order; i++) size += strlen(d->variables[t->variables[i]].name) + 1;
  char *name = calloc(size, 1);
  for (size_t i = 0; i < t->order && name; i++) {
    const char *part = d->variables[t->variables[i]].name;
    if (i) name[used++] = ':';
    memcpy(name + used, part, strlen(part) + 1);
    used += strlen(part);
  }
  return name;
}

void fovea_term_free(fovea_design_term *t) {
  free(t->name);
  free(t->variables);
  free(t->full);
}

fovea_status fovea_terms_add(fovea_design *d, const size_t *variables, size_t order) {
  fovea_design_term t = {.variables = malloc(order * sizeof *t.variables), .full = calloc(order, sizeof *t.full)};
  for (size_t i = 0; i < order && t.variables; i++)
    if (!has_variable(&t, variables[i])) t.variables[t.order++] = variables[i];
  if (t.variables && t.full) t.name = fovea_term_name(d, &t);
  fovea_design_term *terms = t.name ? realloc(d->terms, (d->term_count + 1) * sizeof *terms) : NULL;
  if (!terms) {
    fovea_term_free(&t);
    return no_memory();
  }
  d->terms = terms;
  for (size_t i = 0; i < d->term_count; i++)
    if (same_term(&d->terms[i], &t)) {
      fovea_term_free(&t);
      return FOVEA_OK;
    }
  d->terms[d->term_count++] = t;
  return FOVEA_OK;
}

bool fovea_variable_is_constant(const fovea_design_variable *v, size_t n) {
  return v->degree > 0 && fovea_is_constant(v->values, n, 1);
}

/* --- text -------------------------------------------------------------------------------------------------------- */

enum { MOST_VARIABLES = 8, MOST_FACTORS = 6 };

/* a:b, one operand of *. */
typedef struct product {
  size_t variables[MOST_VARIABLES];
  size_t order;
} product;

typedef struct parser {
  const char *text, *at;
  fovea_variable_lookup lookup;
  void *user;
  char *name; /* room for the longest */
} parser;

static fovea_status fail_here(const parser *p, const char *why) {
  return fovea_fail(FOVEA_INVALID, "the term \"%s\": %s", p->text, why);
}

bool fovea_name_read(const char **at, const char *ends, char *name) {
  const char *s = *at;
  const bool quoted = *s == '"';
  for (s += quoted; *s; s++) {
    if (quoted && *s == '"' && s[1] != '"') break;
    if (!quoted && strchr(ends, *s)) break;
    if (quoted && *s == '"') s++;
    *name++ = *s;
  }
  *name = 0;
  if (quoted && *s != '"') return false;
  *at = s + quoted;
  return true;
}

static fovea_status read_name(parser *p) {
  if (!fovea_name_read(&p->at, "*:", p->name)) return fail_here(p, "a quote is not closed");
  if (*p->at && *p->at != '*' && *p->at != ':') return fail_here(p, "after a name there must be * or :");
  return *p->name ? FOVEA_OK : fail_here(p, "a name is missing");
}

static bool product_has(const product *p, size_t variable) {
  for (size_t i = 0; i < p->order; i++)
    if (p->variables[i] == variable) return true;
  return false;
}

/* A product of `text` with itself would be the variable alone. */
static fovea_status refuse_twice(const parser *p, const product *before, size_t count, const product *now) {
  const size_t variable = now->variables[now->order];
  bool twice = product_has(now, variable);
  for (size_t i = 0; i < count && !twice; i++) twice = product_has(&before[i], variable);
  if (!twice) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "the term \"%s\": %s is there twice; powers of a number are made by --poly %s:2",
                    p->text, p->name, p->name);
}

/* The product behind `count` others of the same term. */
static fovea_status read_product(parser *p, const product *before, size_t count, product *out) {
  out->order = 0;
  for (;;) {
    fovea_status status = read_name(p);
    if (!status && out->order == MOST_VARIABLES) status = fail_here(p, "more than 8 variables");
    if (!status) status = p->lookup(p->user, p->name, &out->variables[out->order]);
    if (!status) status = refuse_twice(p, before, count, out);
    if (status) return status;
    out->order++;
    if (*p->at != ':') return FOVEA_OK;
    p->at++;
  }
}

/* Every choice of some of the operands is a term. */
static fovea_status add_choices(fovea_design *d, const product *operands, size_t count) {
  for (unsigned choice = 1; choice < 1u << count; choice++) {
    size_t variables[MOST_VARIABLES * MOST_FACTORS], order = 0;
    for (size_t i = 0; choice >> i != 0; i++)
      for (size_t v = 0; v < operands[i].order && (choice >> i & 1) != 0; v++)
        variables[order++] = operands[i].variables[v];
    fovea_status status = fovea_terms_add(d, variables, order);
    if (status) return status;
  }
  return FOVEA_OK;
}

fovea_status fovea_terms_read(fovea_design *d, const char *text, fovea_variable_lookup lookup, void *user) {
  parser p = {.text = text, .at = text, .lookup = lookup, .user = user, .name = malloc(strlen(text) + 1)};
  product operands[MOST_FACTORS];
  size_t count = 0;
  fovea_status status = p.name ? FOVEA_OK : no_memory();
  while (!status) {
    if (count == MOST_FACTORS) status = fail_here(&p, "more than 6 operands of *");
    if (!status) status = read_product(&p, operands, count, &operands[count]);
    if (status) break;
    count++;
    if (*p.at != '*') break;
    p.at++;
  }
  free(p.name);
  return status ? status : add_choices(d, operands, count);
}

/* --- order and levels -------------------------------------------------------------------------------------------- */

static bool is_block(const fovea_design *d, const fovea_design_term *t) {
  return d->variables[t->variables[0]].is_block;
}

static size_t rank_of(const fovea_design *d, const fovea_design_term *t) {
  return is_block(d, t) ? SIZE_MAX : t->order;
}

static void sort_terms(fovea_design *d) {
  for (size_t i = 1; i < d->term_count; i++) {
    const fovea_design_term t = d->terms[i];
    size_t at = i;
    for (; at > 0 && rank_of(d, &d->terms[at - 1]) > rank_of(d, &t); at--) d->terms[at] = d->terms[at - 1];
    d->terms[at] = t;
  }
}

/* The term without its variable `left_out` is there. */
static bool has_margin(const fovea_design *d, const fovea_design_term *t, size_t left_out) {
  for (size_t i = 0; i < d->term_count; i++) {
    const fovea_design_term *margin = &d->terms[i];
    if (margin->order + 1 == t->order && fovea_term_contains(t, margin) &&
        !has_variable(margin, t->variables[left_out]))
      return true;
  }
  return false;
}

void fovea_terms_arrange(fovea_design *d, bool constant, bool all_levels) {
  sort_terms(d);
  for (size_t i = 0; i < d->term_count; i++) {
    fovea_design_term *t = &d->terms[i];
    for (size_t f = 0; f < t->order; f++) {
      const fovea_design_variable *v = &d->variables[t->variables[f]];
      if (v->degree > 0 || v->is_switch) continue;
      t->full[f] = all_levels || (t->order == 1 ? !constant : !has_margin(d, t, f));
      constant = constant || t->order == 1;
    }
  }
}
