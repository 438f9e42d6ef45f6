#include "stats/covariance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "stats/distributions.h"
#include "stats/statsmodels.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "ols: no memory"); }

const char *fovea_covariance_name(fovea_covariance covariance) {
  static const char *const names[] = {"nonrobust", "HC0", "HC1", "HC3", "cluster"};
  return names[covariance];
}

/* c += v v' */
static void add_square(double *c, const double *v, size_t size) {
  for (size_t i = 0; i < size; i++)
    for (size_t j = 0; j < size; j++) c[i * size + j] += v[i] * v[j];
}

/* The sum over rows of (w e p)(w e p)', where p = (x' x)^-1 x_i and w is 1, or 1 / (1 - leverage). */
static fovea_status fill_heteroscedastic(fovea_lsq *l, const double *e, fovea_covariance kind, double *c, double *p) {
  for (size_t row = 0; row < l->n; row++) {
    const double rest = 1 - fovea_lsq_leverage(l, row, p);
    if (kind == FOVEA_HC3 && rest < 1e-10)
      return fovea_fail(FOVEA_INVALID,
                        "hc3: observation %zu is fitted whatever its value, as a level that occurs once is; hc1 does "
                        "without its share",
                        row + 1);
    const double weight = kind == FOVEA_HC3 ? e[row] / rest : e[row];
    for (size_t i = 0; i < l->rank; i++) p[i] *= weight;
    add_square(c, p, l->rank);
  }
  return FOVEA_OK;
}

/* The same of each cluster's sum of e p. What only compares whole clusters has sums that are 0 but for rounding, below
 * 1e-12 of what is summed: its variance is not known. `sums`: clusters x rank, zero, as is `sizes` (rank). */
static void fill_clusters(fovea_lsq *l, const double *e, const size_t *clusters, size_t count, double *c, double *sums,
                          double *sizes, double *p) {
  for (size_t row = 0; row < l->n; row++) {
    fovea_lsq_leverage(l, row, p);
    for (size_t i = 0; i < l->rank; i++) {
      sums[clusters[row] * l->rank + i] += e[row] * p[i];
      sizes[i] += fabs(e[row] * p[i]);
    }
  }
  for (size_t g = 0; g < count; g++) add_square(c, sums + g * l->rank, l->rank);
  for (size_t i = 0; i < l->rank; i++) {
    if (sqrt(c[i * l->rank + i]) > 1e-12 * sizes[i]) continue;
    for (size_t j = 0; j < l->rank; j++) c[i * l->rank + j] = c[j * l->rank + i] = NAN;
  }
}

fovea_status fovea_covariance_fill(fovea_lsq *l, const double *e, double ssr, const size_t *clusters,
                                   const fovea_ols *o, double *covariance, double *scale) {
  const double n = (double)o->n, g = (double)o->cluster_count;
  *scale = o->df_resid > 0 ? ssr / o->df_resid : INFINITY;
  if (o->covariance == FOVEA_CLASSICAL || !(o->df_resid > 0)) return fovea_lsq_inverse(l, covariance);
  *scale = o->covariance == FOVEA_HC1       ? n / o->df_resid
           : o->covariance == FOVEA_CLUSTER ? g / (g - 1) * (n - 1) / o->df_resid
                                            : 1;
  for (size_t i = 0; i < l->rank * l->rank; i++) covariance[i] = 0;
  double *work = calloc((o->cluster_count + 2) * l->rank + 1, sizeof *work);
  if (!work) return no_memory();
  fovea_status status = FOVEA_OK;
  if (o->covariance == FOVEA_CLUSTER)
    fill_clusters(l, e, clusters, o->cluster_count, covariance, work + 2 * l->rank, work + l->rank, work);
  else
    status = fill_heteroscedastic(l, e, o->covariance, covariance, work);
  free(work);
  return status;
}

/* --- Wald's statistic -------------------------------------------------------------------------------------------- */

/* |z|^2 of c = L L', L z = t; NaN where c is singular. Overwrites c (size x size) and t. */
static double quadratic_form(double *c, double *t, size_t size) {
  double sum = 0;
  for (size_t j = 0; j < size; j++) {
    double pivot = c[j * size + j], rest = t[j];
    for (size_t m = 0; m < j; m++) pivot -= c[j * size + m] * c[j * size + m];
    if (!(pivot > 1e3 * DBL_EPSILON)) return NAN;
    const double root = sqrt(pivot);
    for (size_t i = j + 1; i < size; i++) {
      for (size_t m = 0; m < j; m++) c[i * size + j] -= c[i * size + m] * c[j * size + m];
      c[i * size + j] /= root;
    }
    for (size_t m = 0; m < j; m++) rest -= c[j * size + m] * t[m];
    t[j] = rest / root;
    sum += t[j] * t[j];
  }
  return sum;
}

fovea_status fovea_wald(const fovea_ols *o, const size_t *columns, size_t count, double *statistic, size_t *rank) {
  double *c = malloc((count * count + count + 1) * sizeof *c);
  size_t *kept = malloc((count + 1) * sizeof *kept);
  *rank = 0;
  if (c && kept) {
    for (size_t i = 0; i < count; i++)
      if (!o->aliased[columns[i]]) kept[(*rank)++] = columns[i];
    double *t = c + *rank * *rank;
    for (size_t i = 0; i < *rank; i++) {
      t[i] = o->t_values[kept[i]];
      for (size_t j = 0; j < *rank; j++) c[i * *rank + j] = o->correlation[kept[i] * o->k + kept[j]];
    }
    *statistic = quadratic_form(c, t, *rank);
  }
  fovea_status status = c && kept ? FOVEA_OK : no_memory();
  free(c);
  free(kept);
  return status;
}

fovea_status fovea_wald_overall(const double *x, fovea_ols *o) {
  if (o->covariance == FOVEA_CLASSICAL) return FOVEA_OK;
  size_t *columns = malloc(o->k * sizeof *columns), count = 0, rank = 0;
  if (!columns) return no_memory();
  bool explicit = false;
  for (size_t j = 0; j < o->k; j++) {
    const bool constant = !o->aliased[j] && fovea_is_constant(x + j, o->n, o->k);
    explicit = explicit || constant;
    if (!constant) columns[count++] = j;
  }
  double statistic = NAN;
  fovea_status status = fovea_wald(o, columns, count, &statistic, &rank);
  free(columns);
  o->f_value = rank == 0 || (o->constant && !explicit) ? NAN : statistic / (double)rank;
  o->f_p_value = fovea_f_sf(o->f_value, (double)rank, o->df_inference);
  return status;
}
