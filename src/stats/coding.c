#include "stats/coding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

size_t fovea_coding_width(const fovea_design_variable *v, bool full) {
  if (v->degree > 0) return v->degree;
  return full || v->level_count == 0 ? v->level_count : v->level_count - 1;
}

double fovea_coding_of_level(const fovea_design_variable *v, fovea_coding coding, bool full, size_t column,
                             size_t level) {
  if (full) return level == column;
  if (coding == FOVEA_BY_TREATMENT) return level == column + 1;
  return level + 1 == v->level_count ? -1 : level == column;
}

size_t fovea_coding_part(const fovea_design *d, const fovea_design_term *t, size_t i, size_t column) {
  size_t part = 0;
  for (size_t v = 0; v <= i; v++) {
    const size_t width = fovea_coding_width(&d->variables[t->variables[v]], t->full[v]);
    if (width == 0) return 0; /* the term has no column */
    part = column % width;
    column /= width;
  }
  return part;
}

static dd power(dd x, size_t exponent) {
  dd result = x;
  for (size_t i = 1; i < exponent; i++) result = dd_multiply(result, x);
  return result;
}

void fovea_coding_column(const fovea_design *d, const fovea_design_term *t, fovea_coding coding, size_t column,
                         size_t step, double *x, double *low) {
  for (size_t i = 0; i < d->n; i++) {
    dd product = {1, 0};
    for (size_t f = 0; f < t->order; f++) {
      const fovea_design_variable *v = &d->variables[t->variables[f]];
      const size_t part = fovea_coding_part(d, t, f, column);
      const dd value = v->degree > 0 ? power((dd){v->values[i], v->low ? v->low[i] : 0}, part + 1)
                                     : (dd){fovea_coding_of_level(v, coding, t->full[f], part, v->at[i]), 0};
      product = f == 0 ? value : dd_multiply(product, value);
    }
    x[i * step] = product.hi;
    if (low) low[i * step] = product.lo;
  }
}

void fovea_coding_matrix(const fovea_design *d, fovea_coding coding, double *x, double *low) {
  for (size_t i = 0; i < d->n && d->constant; i++) x[i * d->k] = 1;
  for (size_t i = 0; i < d->n && d->constant && low; i++) low[i * d->k] = 0;
  for (size_t t = 0; t < d->term_count; t++) {
    const fovea_design_term *term = &d->terms[t];
    for (size_t c = 0; c < term->count; c++)
      fovea_coding_column(d, term, coding, c, d->k, x + term->first + c, low ? low + term->first + c : NULL);
  }
}

static bool is_complete(const fovea_design *d, const fovea_design_variable *v) {
  bool complete = v->name && (v->degree > 0 ? v->values != NULL : v->levels && v->at);
  for (size_t i = 0; i < d->n && complete && v->degree == 0; i++) complete = v->at[i] < v->level_count;
  return complete;
}

fovea_status fovea_design_check(const fovea_design *d) {
  bool complete = d->y && d->x && d->response && d->names && (d->clusters || !d->cluster_count);
  complete = complete && (d->variables || !d->variable_count) && (d->terms || !d->term_count);
  for (size_t j = 0; j < d->k && complete; j++) complete = d->names[j] != NULL;
  for (size_t i = 0; i < d->variable_count && complete; i++) complete = is_complete(d, &d->variables[i]);
  for (size_t i = 0; i < d->term_count && complete; i++) {
    const fovea_design_term *t = &d->terms[i];
    complete = t->name && t->variables && t->full && t->first + t->count <= d->k;
    for (size_t f = 0; f < t->order && complete; f++) complete = t->variables[f] < d->variable_count;
  }
  for (size_t i = 0; i < d->n && complete && d->cluster_count; i++) complete = d->clusters[i] < d->cluster_count;
  return complete ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "a name, an array or a number in the design is wrong");
}

/* A power's is "x^3", a switch's its own, a factor's "color_red". */
static void part_name(const fovea_design_variable *v, bool full, size_t part, char *out, size_t size) {
  if (v->is_switch || (v->degree > 0 && part == 0))
    snprintf(out, size, "%s", v->name);
  else if (v->degree > 0)
    snprintf(out, size, "%s^%zu", v->name, part + 1);
  else
    snprintf(out, size, "%s_%s", v->name, v->levels[part + !full]);
}

static size_t longest_part(const fovea_design_variable *v) {
  size_t longest = 24;
  for (size_t l = 0; l < v->level_count; l++)
    if (strlen(v->levels[l]) + 1 > longest) longest = strlen(v->levels[l]) + 1;
  return strlen(v->name) + longest + 1;
}

char *fovea_coding_name(const fovea_design *d, const fovea_design_term *t, size_t column) {
  size_t size = 1;
  for (size_t f = 0; f < t->order; f++) size += longest_part(&d->variables[t->variables[f]]) + 1;
  char *name = malloc(size);
  size_t used = 0;
  for (size_t f = 0; f < t->order && name; f++) {
    if (f) name[used++] = ':';
    part_name(&d->variables[t->variables[f]], t->full[f], fovea_coding_part(d, t, f, column), name + used, size - used);
    used += strlen(name + used);
  }
  return name;
}
