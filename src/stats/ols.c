/* Least squares as statsmodels 0.13.5 prints it (regression/linear_model.py, base/data.py _handle_constant), solved by
 * lsq.h. Everything is computed with y and each column times a power of two, so that no unit overflows or vanishes, and
 * given its units back at the end. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/coding.h"
#include "stats/covariance.h"
#include "stats/distributions.h"
#include "stats/lsq.h"
#include "stats/moments.h"
#include "stats/statsmodels.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "ols: no memory"); }

static double dot(const double *a, const double *b, size_t n) { return dd_value(dd_dot(a, b, n)); }

/* y as scaled, and NULL or what its rounding left. */
typedef struct scaled_response {
  const double *y, *low;
} scaled_response;

static dd response_at(const scaled_response *r, size_t i) { return (dd){r->y[i], r->low ? r->low[i] : 0}; }

/* The sum of squares that R-squared is a share of. */
static dd total_squares(const scaled_response *r, const fovea_ols *o) {
  dd mean = {0}, squares = {0};
  for (size_t i = 0; i < o->n && o->constant; i++) mean = dd_add(mean, response_at(r, i));
  mean = dd_divide(mean, (dd){(double)o->n, 0});
  for (size_t i = 0; i < o->n; i++) {
    const dd e = dd_subtract(response_at(r, i), mean);
    squares = dd_add(squares, dd_multiply(e, e));
  }
  return squares;
}

/* `exponent` is y's. */
static void fill_quality(const scaled_response *r, dd squares, int exponent, fovea_ols *o) {
  const double n = (double)o->n, ssr = dd_value(squares);
  dd total = total_squares(r, o), explained = dd_subtract(total, squares);
  if (explained.hi < 0) total = squares, explained = (dd){0}; /* less only by rounding */
  o->df_resid = n - (double)o->rank;
  o->df_model = (double)o->rank - o->constant;
  o->r_squared = total.hi > 0 ? dd_value(dd_divide(explained, total)) : NAN;
  o->r_squared_adjusted = 1 - (n - o->constant) / o->df_resid * (1 - o->r_squared);
  o->f_value = NAN;
  if (o->df_model > 0 && o->df_resid > 0) {
    const dd model = dd_multiply(explained, (dd){o->df_resid, 0}),
             residual = dd_multiply(squares, (dd){o->df_model, 0});
    o->f_value = squares.hi > 0 ? dd_value(dd_divide(model, residual)) : model.hi / squares.hi;
  }
  o->f_p_value = fovea_f_sf(o->f_value, o->df_model, o->df_resid);
  double two_pi = 2 * 3.14159265358979323846, parameters = o->df_model + o->constant;
  o->log_likelihood = -n / 2 * log(two_pi) - n / 2 * (log(ssr / n) + 2 * exponent * log(2)) - n / 2;
  o->aic = -2 * o->log_likelihood + 2 * parameters;
  o->bic = -2 * o->log_likelihood + log(n) * parameters;
}

/* The coefficient of column j in its units, 2^exponent of those of `b` and `se`. */
static void fill_coefficient(double b, double se, double quantile, int exponent, size_t j, fovea_ols *o) {
  o->coefficients[j] = ldexp(b, exponent);
  o->std_errors[j] = ldexp(se, exponent);
  o->t_values[j] = b / se;
  o->p_values[j] = 2 * fovea_student_t_sf(fabs(o->t_values[j]), o->df_inference);
  o->low[j] = ldexp(b - quantile * se, exponent);
  o->high[j] = ldexp(b + quantile * se, exponent);
}

/* Without a degree of freedom for the errors their variance is taken as infinite, which is what statsmodels' noise
 * divided by 0 gives. */
static void fill_coefficients(const fovea_lsq *l, const double *b, const double *covariance, double scale, int exponent,
                              fovea_ols *o) {
  double quantile = fovea_student_t_isf(o->alpha / 2, o->df_inference);
  double *arrays[] = {o->coefficients, o->std_errors, o->t_values, o->p_values, o->low, o->high};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    for (size_t j = 0; j < o->k; j++) arrays[i][j] = NAN;
  for (size_t i = 0; i < o->k * o->k; i++) o->correlation[i] = NAN;
  for (size_t j = 0; j < o->k; j++) o->aliased[j] = true;
  for (size_t i = 0; i < l->rank; i++) {
    const size_t j = l->kept[i];
    const double variance = covariance[i * l->rank + i];
    o->aliased[j] = false;
    fill_coefficient(b[i], sqrt(variance * scale), quantile, exponent - l->exponents[j], j, o);
    for (size_t m = 0; m < l->rank; m++)
      o->correlation[j * o->k + l->kept[m]] =
          m == i ? 1 : covariance[i * l->rank + m] / sqrt(variance * covariance[m * l->rank + m]);
  }
}

/* Overwrites `work` (n). */
static void fill_residual_tests(const double *e, double *work, fovea_ols *o) {
  size_t n = o->n;
  fovea_skew_kurtosis(e, n, &o->skew, &o->kurtosis);
  fovea_normal_test(n, o->skew, o->kurtosis, &o->omnibus, &o->omnibus_p);
  double excess = o->kurtosis - 3;
  o->jarque_bera = (double)n / 6. * (o->skew * o->skew + 0.25 * excess * excess);
  o->jarque_bera_p = fovea_chi2_sf(o->jarque_bera, 2);
  for (size_t i = 0; i < n; i++) work[i] = e[i] * e[i];
  double squares = fovea_sum(work, n);
  for (size_t i = 1; i < n; i++) work[i - 1] = (e[i] - e[i - 1]) * (e[i] - e[i - 1]);
  o->durbin_watson = fovea_sum(work, n - 1) / squares;
}

/* The squares of y and of x's columns times their coefficients, each of them known to 2^-52. */
static bool is_exact(const fovea_lsq *l, const double *y, const double *b, double ssr) {
  double squares = dot(y, y, l->n);
  for (size_t i = 0; i < l->rank; i++) squares += b[i] * b[i] * l->square[i];
  return ssr <= DBL_EPSILON * DBL_EPSILON * squares;
}

static void find_constant(fovea_lsq *l, double *ones, fovea_ols *o) {
  for (size_t i = 0; i < o->n; i++) ones[i] = 1;
  o->constant = fovea_lsq_spans(l, ones);
  const size_t j = o->constant ? fovea_lsq_single(l) : o->k;
  o->nearly_constant = j < o->k && !fovea_is_constant(l->x + j * o->n, o->n, 1) ? j : o->k;
}

/* What a fit is made of. */
typedef struct problem {
  const double *y, *x, *low, *y_low; /* low: x_low of a design, or NULL, as y_low */
  const size_t *clusters;
} problem;

/* Residuals e and coefficients b are there: all the rest. Overwrites `work` (n). */
static fovea_status fill_rest(const problem *p, fovea_lsq *l, const scaled_response *r, const double *e, dd squares,
                              const double *b, int exponent, double *work, fovea_ols *o) {
  double ssr = dd_value(squares), scale, *covariance = malloc((l->rank * l->rank + 1) * sizeof *covariance);
  if (!covariance) return no_memory();
  o->exact = is_exact(l, r->y, b, ssr);
  fill_quality(r, squares, exponent, o);
  o->df_inference = o->covariance == FOVEA_CLUSTER ? (double)o->cluster_count - 1 : o->df_resid;
  o->residual_deviation = o->df_resid > 0 ? ldexp(dd_root(dd_divide(squares, (dd){o->df_resid, 0})), exponent) : NAN;
  fovea_status status = fovea_covariance_fill(l, e, ssr, p->clusters, o, covariance, &scale);
  if (!status) {
    fill_coefficients(l, b, covariance, scale, exponent, o);
    fill_residual_tests(e, work, o);
  }
  free(covariance);
  return status;
}

static fovea_status fill(const problem *p, fovea_lsq *l, fovea_ols *o) {
  size_t n = o->n;
  double *values = malloc((4 * n + o->k) * sizeof *values);
  fovea_status status = values ? fovea_lsq_factor(p->x, p->low, n, o->k, l) : no_memory();
  if (!status) {
    double *scaled = values, *e = values + n, *work = e + n, *low = work + n, *b = low + n;
    int exponent = fovea_lsq_exponent(p->y, n, 1);
    for (size_t i = 0; i < n; i++) scaled[i] = ldexp(p->y[i], -exponent);
    for (size_t i = 0; i < n && p->y_low; i++) low[i] = ldexp(p->y_low[i], -exponent);
    dd squares = {0};
    const scaled_response r = {scaled, p->y_low ? low : NULL};
    o->rank = l->rank;
    find_constant(l, work, o);
    status = fovea_lsq_solve(l, scaled, r.low, b, e, &squares);
    if (!status) status = fill_rest(p, l, &r, e, squares, b, exponent, work, o);
  }
  free(values);
  return status;
}

static fovea_status fit(const problem *p, fovea_ols *o) {
  fovea_lsq l = {0};
  fovea_status status = fill(p, &l, o);
  o->aliases = l.aliases;
  o->alias_count = l.alias_count;
  l.aliases = NULL;
  l.alias_count = 0;
  fovea_lsq_destroy(&l);
  if (!status) status = fovea_statsmodels_fill(p->x, o);
  return status ? status : fovea_wald_overall(p->x, o);
}

static fovea_status check_values(const char *what, const double *values, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows * columns; i++)
    if (!isfinite(values[i]))
      return fovea_fail(FOVEA_INVALID, "ols: %s has %g in row %zu, column %zu; finite values are needed", what,
                        values[i], i / columns + 1, i % columns + 1);
  return FOVEA_OK;
}

static fovea_status allocate(const char *response, const char *const *names, fovea_ols *o) {
  double **arrays[] = {&o->coefficients, &o->std_errors, &o->t_values, &o->p_values, &o->low, &o->high};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
    *arrays[i] = calloc(o->k, sizeof **arrays[i]);
    if (!*arrays[i]) return no_memory();
  }
  o->names = calloc(o->k, sizeof *o->names);
  o->aliased = calloc(o->k, sizeof *o->aliased);
  o->correlation = calloc(o->k * o->k, sizeof *o->correlation);
  o->response = strdup(response);
  if (!o->names || !o->aliased || !o->correlation || !o->response) return no_memory();
  for (size_t j = 0; j < o->k; j++) {
    o->names[j] = strdup(names[j]);
    if (!o->names[j]) return no_memory();
  }
  return FOVEA_OK;
}

static fovea_status check_options(const fovea_ols_options *options, size_t cluster_count) {
  if (options->covariance < FOVEA_CLASSICAL || options->covariance > FOVEA_CLUSTER)
    return fovea_fail(FOVEA_INVALID, "ols: there is no covariance %d", (int)options->covariance);
  if (!(options->alpha > 0 && options->alpha < 1))
    return fovea_fail(FOVEA_INVALID, "ols: alpha is %g; it is above 0 and below 1", options->alpha);
  if (options->covariance == FOVEA_CLUSTER && cluster_count < 2)
    return fovea_fail(FOVEA_INVALID, "ols: the design has no clusters; options->cluster names their column");
  return FOVEA_OK;
}

static fovea_status fit_checked(const problem *p, size_t n, size_t k, const char *response, const char *const *names,
                                const fovea_ols_options *options, size_t cluster_count, fovea_ols **ols) {
  static const size_t limit = (size_t)1 << 28;
  if (n < 2) return fovea_fail(FOVEA_INVALID, "ols: %zu observation%s, at least 2 are needed", n, n == 1 ? "" : "s");
  if (k < 1) return fovea_fail(FOVEA_INVALID, "ols: no predictor");
  if (n > limit || k > limit / n || k > limit / k)
    return fovea_fail(FOVEA_INVALID, "ols: %zu rows of %zu predictors are more than 2^28 values; use fewer", n, k);
  for (size_t j = 0; j < k; j++)
    if (!names[j]) return fovea_fail(FOVEA_INVALID, "fovea_ols_fit: names[%zu] is NULL", j);
  fovea_status status = check_values("y", p->y, n, 1);
  if (!status) status = check_values("x", p->x, n, k);
  if (!status) status = check_options(options, cluster_count);
  if (status) return status;
  fovea_ols *o = calloc(1, sizeof *o);
  if (!o) return no_memory();
  *o = (fovea_ols){.n = n, .k = k, .alpha = options->alpha, .covariance = options->covariance};
  if (o->covariance == FOVEA_CLUSTER) o->cluster_count = cluster_count;
  status = allocate(response, names, o);
  if (!status) status = fit(p, o);
  if (status) {
    fovea_ols_destroy(o);
    return status;
  }
  *ols = o;
  return FOVEA_OK;
}

static const fovea_ols_options usual = {.covariance = FOVEA_CLASSICAL, .alpha = 0.05};

fovea_status fovea_ols_fit(const double *y, const double *x, size_t n, size_t k, const char *response,
                           const char *const *names, fovea_ols **ols) {
  if (!y || !x) return fovea_fail_null(y ? "x" : "y");
  if (!response || !names) return fovea_fail_null(response ? "names" : "response");
  if (!ols) return fovea_fail_null("ols");
  const problem p = {.y = y, .x = x};
  return fit_checked(&p, n, k, response, names, &usual, 0, ols);
}

fovea_status fovea_ols_fit_design(const fovea_design *design, const fovea_ols_options *options, fovea_ols **ols) {
  if (!design || !ols) return fovea_fail_null(design ? "ols" : "design");
  fovea_status status = fovea_design_check(design);
  if (status) return status;
  fovea_ols_options o = options ? *options : usual;
  if (!(o.alpha < 0 || o.alpha > 0)) o.alpha = usual.alpha;
  const problem p = {
      .y = design->y, .x = design->x, .low = design->x_low, .y_low = design->y_low, .clusters = design->clusters};
  return fit_checked(&p, design->n, design->k, design->response, (const char *const *)design->names, &o,
                     design->cluster_count, ols);
}

void fovea_ols_destroy(fovea_ols *ols) {
  if (!ols) return;
  for (size_t j = 0; j < ols->k && ols->names; j++) free(ols->names[j]);
  for (size_t i = 0; i < ols->alias_count; i++) {
    free(ols->aliases[i].with);
    free(ols->aliases[i].weights);
  }
  free(ols->names);
  free(ols->aliased);
  free(ols->aliases);
  free(ols->response);
  free(ols->coefficients);
  free(ols->std_errors);
  free(ols->t_values);
  free(ols->p_values);
  free(ols->low);
  free(ols->high);
  free(ols->correlation);
  free(ols);
}
