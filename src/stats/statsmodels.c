/* The rank and the constant that statsmodels 0.13.5 finds, from singular values in double, whose tolerances depend on
 * the units of the columns (regression/linear_model.py, base/data.py _handle_constant). */
#include "stats/statsmodels.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "ols: no memory"); }

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

bool fovea_is_constant(const double *values, size_t n, size_t step) {
  size_t i = 1;
  while (i < n && values[i * step] == values[0]) i++;
  return i == n && values[0] != 0;
}

static bool has_constant_column(const double *x, size_t n, size_t k) {
  size_t j = 0;
  while (j < k && !fovea_is_constant(x + j, n, k)) j++;
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
fovea_status fovea_statsmodels_fill(const double *x, fovea_ols *o) {
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
