/* Least squares as statsmodels 0.13.5 does it (regression/linear_model.py, tools/tools.py pinv_extended, base/data.py
 * _handle_constant). Products are summed in the order of reference BLAS, so that where the result is rounding noise (an
 * exact fit, a singular design) even the noise is statsmodels' on a machine whose numpy uses the same LAPACK. */
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fail.h"
#include "fovea/regress.h"
#include "stats/distributions.h"
#include "stats/moments.h"

/* x = u diag(s) vt, column-major, r = min(n, k) singular values in descending order. */
typedef struct svd {
  size_t n, k, r;
  double *x, *u, *s, *vt; /* x is destroyed; u and vt are NULL when only s was asked for */
} svd;

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "ols: no memory"); }

static void svd_free(svd *d) {
  free(d->x);
  free(d->u);
  free(d->s);
  free(d->vt);
}

static fovea_status svd_run(svd *d, bool vectors) {
  d->r = d->n < d->k ? d->n : d->k;
  d->s = calloc(d->r, sizeof *d->s);
  if (vectors) {
    d->u = calloc(d->n * d->r, sizeof *d->u);
    d->vt = calloc(d->r * d->k, sizeof *d->vt);
  }
  if (!d->s || (vectors && (!d->u || !d->vt))) return no_memory();
  lapack_int n = (lapack_int)d->n, k = (lapack_int)d->k, r = (lapack_int)d->r;
  double none;
  lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, vectors ? 'S' : 'N', n, k, d->x, n, d->s, vectors ? d->u : &none,
                                   n, vectors ? d->vt : &none, r);
  if (info == LAPACK_WORK_MEMORY_ERROR) return no_memory();
  if (info)
    return fovea_fail(FOVEA_INVALID, "ols: the singular value decomposition failed, dgesdd's info %d", (int)info);
  return FOVEA_OK;
}

/* numpy.linalg.matrix_rank of [1, x] (`augmented`) or of x. */
static fovea_status matrix_rank(const double *x, size_t n, size_t k, bool augmented, size_t *rank) {
  svd d = {.n = n, .k = k + augmented};
  d.x = malloc(n * d.k * sizeof *d.x);
  fovea_status status = d.x ? FOVEA_OK : no_memory();
  if (!status) {
    for (size_t i = 0; i < n && augmented; i++) d.x[i] = 1;
    for (size_t j = 0; j < k; j++)
      for (size_t i = 0; i < n; i++) d.x[(j + augmented) * n + i] = x[i * k + j];
    status = svd_run(&d, false);
  }
  if (!status) {
    double tolerance = d.s[0] * (double)(d.n > d.k ? d.n : d.k) * DBL_EPSILON;
    *rank = 0;
    for (size_t i = 0; i < d.r; i++) *rank += d.s[i] > tolerance;
  }
  svd_free(&d);
  return status;
}

static fovea_status find_constant(const double *x, size_t n, size_t k, bool *constant) {
  *constant = false;
  for (size_t j = 0; j < k && !*constant; j++) {
    size_t i = 1;
    while (i < n && x[i * k + j] == x[j]) i++;
    *constant = i == n && x[j] != 0;
  }
  if (*constant) return FOVEA_OK;
  size_t with = 0, without = 0;
  fovea_status status = matrix_rank(x, n, k, true, &with);
  if (!status) status = matrix_rank(x, n, k, false, &without);
  *constant = with == without;
  return status;
}

/* coefficients = pinv(x) y; std_errors = diag(pinv(x) pinv(x)^T), still to be scaled. */
static fovea_status solve(const double *y, const double *x, fovea_ols *o) {
  size_t n = o->n, k = o->k;
  svd d = {.n = n, .k = k};
  d.x = malloc(n * k * sizeof *d.x);
  fovea_status status = d.x ? FOVEA_OK : no_memory();
  if (!status) {
    for (size_t j = 0; j < k; j++)
      for (size_t i = 0; i < n; i++) d.x[j * n + i] = x[i * k + j];
    status = svd_run(&d, true);
  }
  if (!status) {
    double largest = d.s[0], smallest = d.s[d.r - 1];
    for (size_t l = 0; l < d.r; l++) o->rank += d.s[l] > largest * (double)d.r * DBL_EPSILON;
    o->min_eigenvalue = smallest * smallest;
    o->condition_number = sqrt(largest * largest / o->min_eigenvalue);
    for (size_t l = 0; l < d.r; l++) {
      double inverse = d.s[l] > 1e-15 * largest ? 1 / d.s[l] : 0;
      for (size_t i = 0; i < n; i++) d.u[l * n + i] *= inverse;
    }
    for (size_t j = 0; j < k; j++)
      for (size_t i = 0; i < n; i++) {
        double p = 0;
        for (size_t l = 0; l < d.r; l++) p += d.vt[j * d.r + l] * d.u[l * n + i];
        o->coefficients[j] += p * y[i];
        o->std_errors[j] += p * p;
      }
  }
  svd_free(&d);
  return status;
}

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Overwrites `work` (n). */
static void fill_quality(const double *y, double *work, double ssr, double ssr_of_likelihood, fovea_ols *o) {
  double n = (double)o->n, mean = fovea_sum(y, o->n) / n;
  for (size_t i = 0; i < o->n; i++) work[i] = (y[i] - mean) * (y[i] - mean);
  double total = o->constant ? fovea_sum(work, o->n) : dot(y, y, o->n);
  o->df_resid = n - (double)o->rank;
  o->df_model = (double)o->rank - o->constant;
  o->r_squared = 1 - ssr / total;
  o->r_squared_adjusted = 1 - (n - o->constant) / o->df_resid * (1 - o->r_squared);
  double model = o->df_model == 0 ? NAN : (total - ssr) / o->df_model;
  double residual = o->df_resid == 0 ? NAN : ssr / o->df_resid;
  o->f_value = model / residual;
  o->f_p_value = fovea_f_sf(o->f_value, o->df_model, o->df_resid);
  double two_pi = 2 * 3.14159265358979323846, parameters = o->df_model + o->constant;
  o->log_likelihood = -n / 2 * log(two_pi) - n / 2 * log(ssr_of_likelihood / n) - n / 2;
  o->aic = -2 * o->log_likelihood + 2 * parameters;
  o->bic = -2 * o->log_likelihood + log(n) * parameters;
}

static void fill_coefficients(double ssr, fovea_ols *o) {
  double scale = ssr / o->df_resid;
  double quantile = fovea_student_t_isf(0.025, o->df_resid);
  for (size_t j = 0; j < o->k; j++) {
    double b = o->coefficients[j], se = sqrt(o->std_errors[j] * scale);
    o->std_errors[j] = se;
    o->t_values[j] = b / se;
    o->p_values[j] = 2 * fovea_student_t_sf(fabs(o->t_values[j]), o->df_resid);
    o->low[j] = b - quantile * se;
    o->high[j] = b + quantile * se;
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

static fovea_status fill(const double *y, const double *x, fovea_ols *o) {
  double *e = malloc(o->n * sizeof *e), *work = malloc(o->n * sizeof *work);
  fovea_status status = e && work ? find_constant(x, o->n, o->k, &o->constant) : no_memory();
  if (!status) status = solve(y, x, o);
  if (!status) {
    for (size_t i = 0; i < o->n; i++) {
      e[i] = y[i] - dot(x + i * o->k, o->coefficients, o->k);
      work[i] = e[i] * e[i];
    }
    double ssr = dot(e, e, o->n);
    fill_quality(y, work, ssr, fovea_sum(work, o->n), o);
    fill_coefficients(ssr, o);
    fill_residual_tests(e, work, o);
  }
  free(e);
  free(work);
  return status;
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
  o->response = strdup(response);
  if (!o->names || !o->response) return no_memory();
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
  if (!status) status = fill(y, x, o);
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
  free(ols->names);
  free(ols->response);
  free(ols->coefficients);
  free(ols->std_errors);
  free(ols->t_values);
  free(ols->p_values);
  free(ols->low);
  free(ols->high);
  free(ols);
}
