/* A pair of factors is tested by type 2 in the design, or in the design with that pair added. */
#include "stats/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/anova.h"
#include "stats/marginal.h"
#include "stats/text.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "pairs: no memory"); }

static const fovea_design_term *term_of_pair(const fovea_design *d, size_t a, size_t b) {
  for (size_t t = 0; t < d->term_count; t++) {
    const fovea_design_term *term = &d->terms[t];
    if (term->order == 2 &&
        ((term->variables[0] == a && term->variables[1] == b) || (term->variables[0] == b && term->variables[1] == a)))
      return term;
  }
  return NULL;
}

/* Whether the variable has its second level, or number, in that row; -1 where it has not two. */
static int side_of(const fovea_design_variable *v, size_t row, double *other) {
  if (v->degree == 0) return v->level_count == 2 ? (int)v->at[row] : -1;
  const double value = v->values[row];
  if (!(value < v->values[0] || value > v->values[0])) return 0;
  if (isnan(*other)) *other = value;
  return value < *other || value > *other ? -1 : 1;
}

/* Whether the products of two pairs of two levels are one but for their sign, as in a fractional factorial. */
static bool are_alike(const fovea_design *d, const size_t *pair, const size_t *another) {
  const size_t all[4] = {pair[0], pair[1], another[0], another[1]};
  double other[4] = {NAN, NAN, NAN, NAN};
  int first = 0;
  for (size_t i = 0; i < d->n; i++) {
    int product = 0;
    for (size_t f = 0; f < 4; f++) {
      const int side = side_of(&d->variables[all[f]], i, &other[f]);
      if (side < 0) return false;
      product ^= side;
    }
    if (i == 0) first = product;
    if (product != first) return false;
  }
  return true;
}

/* What the rows cannot tell from the pair, among the pairs of `variables`. */
static fovea_status name_alike(const fovea_design *d, const size_t *pair, const size_t *variables, size_t count,
                               fovea_effect *effect) {
  fovea_text t = {0};
  for (size_t i = 0; i < count; i++)
    for (size_t j = i + 1; j < count; j++) {
      const size_t another[2] = {variables[i], variables[j]};
      if (memcmp(pair, another, sizeof another) == 0 || !are_alike(d, pair, another)) continue;
      fovea_text_add(&t, t.size > 0 ? " or " : "");
      fovea_text_add(&t, d->variables[another[0]].name);
      fovea_text_add(&t, " x ");
      fovea_text_add(&t, d->variables[another[1]].name);
    }
  effect->alike = t.bytes;
  return t.failed ? no_memory() : FOVEA_OK;
}

/* The means of another fit would be parallel lines, which nobody has found. */
static void forget_means(fovea_means *m) {
  for (size_t i = 0; i < m->count; i++) {
    fovea_estimate *e = &m->means[i];
    e->value = e->std_error = e->t_value = e->p_value = e->low = e->high = NAN;
  }
}

/* The pair in the design, or added to it; where that cannot be fitted its numbers stay unknown. */
static fovea_status add_pair(const fovea_design *d, const fovea_ols *o, size_t first, size_t second,
                             fovea_effect *effect, fovea_means *m) {
  const size_t variables[2] = {first, second};
  const fovea_ols_options options = {.covariance = o->covariance, .alpha = o->alpha};
  fovea_design wider = {0};
  fovea_ols *fit = NULL;
  fovea_status status = fovea_wider_make(d, NULL, variables, 2, &wider);
  if (!status) status = fovea_ols_fit_design(&wider, &options, &fit);
  *effect = (fovea_effect){.sum_squares = NAN, .f_value = NAN, .p_value = NAN};
  if (status == FOVEA_INVALID) {
    effect->unknown = strdup(fovea_error_message());
    status = effect->unknown ? fovea_means_fill(d, o, variables, 2, FOVEA_UNADJUSTED, NULL, m) : no_memory();
    if (!status) forget_means(m);
  } else if (!status) {
    status = fovea_anova_term(&wider, fit, term_of_pair(&wider, first, second), effect);
    if (!status) status = fovea_means_fill(&wider, fit, variables, 2, FOVEA_UNADJUSTED, NULL, m);
  }
  if (!status) effect->name = strdup(m->name);
  if (!status && !effect->name) status = no_memory();
  fovea_ols_destroy(fit);
  fovea_wider_free(&wider);
  return status;
}

/* --- pairs that are one ------------------------------------------------------------------------------------------ */

/* The rank of the design with the pair, and with another, which may be NULL. */
static fovea_status rank_with(const fovea_design *d, const size_t *pair, const size_t *another, size_t *rank) {
  fovea_design wider = {0}, widest = {0};
  fovea_ols *fit = NULL;
  fovea_status status = fovea_wider_make(d, NULL, pair, 2, &wider);
  if (!status && another) status = fovea_wider_make(&wider, NULL, another, 2, &widest);
  if (!status) status = fovea_ols_fit_design(another ? &widest : &wider, NULL, &fit);
  if (!status) *rank = fit->rank;
  fovea_ols_destroy(fit);
  fovea_wider_free(&widest);
  fovea_wider_free(&wider);
  return status;
}

/* Adds "c x d" to what the rows cannot tell from the pair. */
static fovea_status add_alike(const fovea_design *d, const size_t *another, fovea_effect *effect) {
  fovea_text t = {0};
  if (effect->alike) fovea_text_print(&t, "%s or ", effect->alike);
  fovea_text_add(&t, d->variables[another[0]].name);
  fovea_text_add(&t, " x ");
  fovea_text_add(&t, d->variables[another[1]].name);
  if (t.failed) {
    free(t.bytes);
    return no_memory();
  }
  free(effect->alike);
  effect->alike = t.bytes;
  return FOVEA_OK;
}

/* Pairs of more than two levels, or of rows that are few: where both have the same F, whether they add one thing. */
static fovea_status compare_pairs(const fovea_design *d, const size_t *p, const size_t *q, fovea_effect *e,
                                  fovea_effect *f) {
  static const double rounding = 1e-9;
  size_t one = 0, other = 0, both = 0;
  const bool same =
      e->df > 0 && !(e->df < f->df || e->df > f->df) && fabs(e->f_value - f->f_value) <= rounding * fabs(e->f_value);
  if (!same || are_alike(d, p, q)) return FOVEA_OK;
  fovea_status status = rank_with(d, p, NULL, &one);
  if (!status) status = rank_with(d, q, NULL, &other);
  if (!status) status = rank_with(d, p, q, &both);
  if (status == FOVEA_INVALID) return FOVEA_OK; /* both at once cannot be fitted */
  if (status || one != both || other != both) return status;
  status = add_alike(d, q, e);
  return status ? status : add_alike(d, p, f);
}

static fovea_status compare_all_pairs(const fovea_design *d, const size_t *factors, size_t count,
                                      fovea_effect *effects) {
  fovea_status status = FOVEA_OK;
  size_t e = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = i + 1; j < count; j++, e++) {
      size_t f = 0;
      for (size_t k = 0; k < count; k++)
        for (size_t l = k + 1; l < count; l++, f++) {
          const size_t p[2] = {factors[i], factors[j]}, q[2] = {factors[k], factors[l]};
          if (f > e && !status) status = compare_pairs(d, p, q, &effects[e], &effects[f]);
        }
    }
  return status;
}

fovea_status fovea_pairs_fill(const fovea_design *d, const fovea_ols *o, const size_t *both, fovea_analysis *a) {
  fovea_status status = FOVEA_OK;
  size_t at = 0;
  for (size_t i = 0; i < a->factor_count; i++)
    for (size_t j = i + 1; j < a->factor_count && !status; j++, at++) {
      const size_t pair[2] = {both[i], both[j]};
      status = add_pair(d, o, pair[0], pair[1], &a->interactions[at], &a->pairs[at]);
      if (!status) status = name_alike(d, pair, both, a->factor_count + a->slope_count, &a->interactions[at]);
    }
  return status ? status : compare_all_pairs(d, both, a->factor_count, a->interactions);
}
