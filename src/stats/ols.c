/* Least squares as statsmodels 0.13.5 prints it (regression/linear_model.py, base/data.py _handle_constant), solved by
 * lsq.h. Everything is computed with y and each column times a power of two, so that no unit overflows or vanishes, and
 * given its units back at the end. */
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/distributions.h"
#include "stats/lsq.h"
#include "stats/moments.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "ols: no memory"); }

/* --- what statsmodels makes of the columns as they are ----------------------------------------------------------- */

/* The min(n, k) singular values of x, with a column of ones before it if `augmented`, in descending order. The caller
 * frees *values. */
static fovea_status singular_values(const double *x, size_t n, size_t k, bool augmented, double **values) {
  size_t columns = k + augmented, count = n < columns ? n : columns;
  double *a = malloc(n * columns * sizeof *a), *s = calloc(count, sizeof *s), none;
  fovea_status status = a && s ? FOVEA_OK : no_memory();
  if (!status) {
    for (size_t i = 0; i < n && augmented; i++) a[i] = 1;
    for (size_t j = 0; j < k; j++)
      for (size_t i = 0; i < n; i++) a[(j + augmented) * n + i] = x[i * k + j];
    lapack_int rows = (lapack_int)n;
    lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', rows, (lapack_int)columns, a, rows, s, &none, rows, &none,
                                     (lapack_int)count);
    if (info == LAPACK_WORK_MEMORY_ERROR) status = no_memory();
    if (!status && info)
      status = fovea_fail(FOVEA_INVALID, "ols: the singular value decomposition failed, dgesdd's info %d", (int)info);
  }
  free(a);
  *values = s;
  return status;
}

static size_t count_above(const double *s, size_t count, double part) {
  size_t above = 0;
  for (size_t i = 0; i < count; i++) above += s[i] > part * s[0];
  return above;
}

/* n values `step` apart are the same, which is not 0. */
static bool is_constant(const double *values, size_t n, size_t step) {
  size_t i = 1;
  while (i < n && values[i * step] == values[0]) i++;
  return i == n && values[0] != 0;
}

static bool has_constant_column(const double *x, size_t n, size_t k) {
  size_t j = 0;
  while (j < k && !is_constant(x + j, n, k)) j++;
  return j < k;
}

/* Its constant: a column, or numpy's matrix_rank does not grow with a column of ones. */
static fovea_status statsmodels_constant(const double *x, size_t n, size_t k, size_t rank, bool *constant) {
  *constant = has_constant_column(x, n, k);
  if (*constant) return FOVEA_OK;
  double *s = NULL;
  fovea_status status = singular_values(x, n, k, true, &s);
  if (!status) *constant = count_above(s, n < k + 1 ? n : k + 1, (double)(n > k + 1 ? n : k + 1) * DBL_EPSILON) == rank;
  free(s);
  return status;
}

/* Its rank is that of pinv_extended (r 2^-52), its solution's that of the pseudo-inverse (1e-15). */
static fovea_status fill_statsmodels(const double *x, fovea_ols *o) {
  size_t n = o->n, k = o->k, r = n < k ? n : k;
  double *s = NULL;
  fovea_status status = singular_values(x, n, k, false, &s);
  if (!status) {
    o->min_eigenvalue = s[r - 1] * s[r - 1];
    o->condition_number = sqrt(s[0] * s[0] / o->min_eigenvalue);
    o->statsmodels_rank = count_above(s, r, (double)r * DBL_EPSILON);
    if (o->statsmodels_rank == o->rank) o->statsmodels_rank = count_above(s, r, 1e-15);
    size_t rank = count_above(s, r, (double)(n > k ? n : k) * DBL_EPSILON);
    status = statsmodels_constant(x, n, k, rank, &o->statsmodels_constant);
  }
  free(s);
  return status;
}

/* --- the fit ----------------------------------------------------------------------------------------------------- */

static double dot(const double *a, const double *b, size_t n) { return dd_value(dd_dot(a, b, n)); }

/* The sum of squares that R-squared is a share of. Overwrites `work` (n). */
static double total_squares(const double *y, double *work, const fovea_ols *o) {
  if (!o->constant) return dot(y, y, o->n);
  dd mean = {0};
  for (size_t i = 0; i < o->n; i++) mean = dd_accumulate(mean, y[i], 1);
  mean = dd_divide(dd_sum(mean.hi, mean.lo), (dd){(double)o->n, 0});
  for (size_t i = 0; i < o->n; i++) work[i] = (y[i] - mean.hi) - mean.lo;
  return dot(work, work, o->n);
}

/* Overwrites `work` (n). `exponent` is y's. */
static void fill_quality(const double *y, double *work, double ssr, int exponent, fovea_ols *o) {
  double n = (double)o->n, total = fmax(total_squares(y, work, o), ssr); /* less only by rounding */
  o->df_resid = n - (double)o->rank;
  o->df_model = (double)o->rank - o->constant;
  o->r_squared = 1 - ssr / total;
  o->r_squared_adjusted = 1 - (n - o->constant) / o->df_resid * (1 - o->r_squared);
  double model = o->df_model == 0 ? NAN : (total - ssr) / o->df_model;
  double residual = o->df_resid == 0 ? NAN : ssr / o->df_resid;
  o->f_value = model / residual;
  o->f_p_value = fovea_f_sf(o->f_value, o->df_model, o->df_resid);
  double two_pi = 2 * 3.14159265358979323846, parameters = o->df_model + o->constant;
  o->log_likelihood = -n / 2 * log(two_pi) - n / 2 * (log(ssr / n) + 2 * exponent * log(2)) - n / 2;
  o->aic = -2 * o->log_likelihood + 2 * parameters;
  o->bic = -2 * o->log_likelihood + log(n) * parameters;
}

/* The coefficient of column j in its units, 2^exponent of those of `b` and of the residuals' variance `scale`. */
static void fill_coefficient(double b, double variance, double scale, double quantile, int exponent, size_t j,
                             fovea_ols *o) {
  double se = sqrt(variance * scale);
  o->coefficients[j] = ldexp(b, exponent);
  o->std_errors[j] = ldexp(se, exponent);
  o->t_values[j] = b / se;
  o->p_values[j] = 2 * fovea_student_t_sf(fabs(o->t_values[j]), o->df_resid);
  o->low[j] = ldexp(b - quantile * se, exponent);
  o->high[j] = ldexp(b + quantile * se, exponent);
}

/* Without a degree of freedom for the errors their variance is taken as infinite, which is what statsmodels' noise
 * divided by 0 gives. */
static void fill_coefficients(const fovea_lsq *l, const double *b, const double *variances, double ssr, int exponent,
                              fovea_ols *o) {
  double scale = o->df_resid > 0 ? ssr / o->df_resid : INFINITY;
  double quantile = fovea_student_t_isf(0.025, o->df_resid);
  double *arrays[] = {o->coefficients, o->std_errors, o->t_values, o->p_values, o->low, o->high};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    for (size_t j = 0; j < o->k; j++) arrays[i][j] = NAN;
  for (size_t j = 0; j < o->k; j++) o->aliased[j] = true;
  for (size_t i = 0; i < l->rank; i++) {
    size_t j = l->kept[i];
    o->aliased[j] = false;
    fill_coefficient(b[i], variances[i], scale, quantile, exponent - l->exponents[j], j, o);
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
  o->nearly_constant = j < o->k && !is_constant(l->x + j * o->n, o->n, 1) ? j : o->k;
}

static fovea_status fill(const double *y, const double *x, fovea_lsq *l, fovea_ols *o) {
  size_t n = o->n;
  double *values = malloc((3 * n + 2 * o->k) * sizeof *values);
  fovea_status status = values ? fovea_lsq_factor(x, n, o->k, l) : no_memory();
  if (!status) {
    double *scaled = values, *e = values + n, *work = e + n, *b = work + n, *variances = b + o->k;
    int exponent = fovea_lsq_exponent(y, n, 1);
    for (size_t i = 0; i < n; i++) scaled[i] = ldexp(y[i], -exponent);
    o->rank = l->rank;
    find_constant(l, work, o);
    status = fovea_lsq_solve(l, scaled, b, e);
    if (!status) {
      double ssr = dot(e, e, n);
      o->exact = is_exact(l, scaled, b, ssr);
      fovea_lsq_variances(l, variances);
      fill_quality(scaled, work, ssr, exponent, o);
      fill_coefficients(l, b, variances, ssr, exponent, o);
      fill_residual_tests(e, work, o);
    }
  }
  free(values);
  return status;
}

static fovea_status fit(const double *y, const double *x, fovea_ols *o) {
  fovea_lsq l = {0};
  fovea_status status = fill(y, x, &l, o);
  o->aliases = l.aliases;
  o->alias_count = l.alias_count;
  l.aliases = NULL;
  l.alias_count = 0;
  fovea_lsq_destroy(&l);
  return status ? status : fill_statsmodels(x, o);
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
  o->response = strdup(response);
  if (!o->names || !o->aliased || !o->response) return no_memory();
  for (size_t j = 0; j < o->k; j++) {
    o->names[j] = strdup(names[j]);
    if (!o->names[j]) return no_memory();
  }
  return FOVEA_OK;
}

fovea_status fovea_ols_fit(const double *y, const double *x, size_t n, size_t k, const char *response,
                           const char *const *names, fovea_ols **ols) {
  static const size_t limit = (size_t)1 << 28;
  if (!y || !x) return fovea_fail_null(y ? "x" : "y");
  if (!response || !names) return fovea_fail_null(response ? "names" : "response");
  if (!ols) return fovea_fail_null("ols");
  if (n < 2) return fovea_fail(FOVEA_INVALID, "ols: %zu observation%s, at least 2 are needed", n, n == 1 ? "" : "s");
  if (k < 1) return fovea_fail(FOVEA_INVALID, "ols: no predictor");
  if (n > limit || k > limit / n)
    return fovea_fail(FOVEA_INVALID, "ols: %zu rows of %zu predictors are more than 2^28 values; use fewer", n, k);
  for (size_t j = 0; j < k; j++)
    if (!names[j]) return fovea_fail(FOVEA_INVALID, "fovea_ols_fit: names[%zu] is NULL", j);
  fovea_status status = check_values("y", y, n, 1);
  if (!status) status = check_values("x", x, n, k);
  if (status) return status;
  fovea_ols *o = calloc(1, sizeof *o);
  if (!o) return no_memory();
  o->n = n;
  o->k = k;
  status = allocate(response, names, o);
  if (!status) status = fit(y, x, o);
  if (status) {
    fovea_ols_destroy(o);
    return status;
  }
  *ols = o;
  return FOVEA_OK;
}

void fovea_ols_destroy(fovea_ols *ols) {
  if (!ols) return;
  for (size_t j = 0; j < ols->k && ols->names; j++) free(ols->names[j]);
  for (size_t i = 0; i < ols->alias_count; i++) free(ols->aliases[i].with);
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
  free(ols);
}
