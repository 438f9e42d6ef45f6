/* (x' x)^-1 = w d^-1 w', where w = u^-1 and x w has orthogonal columns, of squared lengths d. */
#include <stdlib.h>

#include "base/fail.h"
#include "stats/lsq.h"

/* Column m of u^-1, in the first m + 1 of its values. */
static void fill_column(const fovea_lsq *l, size_t m, dd *w) {
  for (size_t i = 0; i < l->rank; i++) w[i] = (dd){i == m, 0};
  fovea_lsq_solve_upper(l, m + 1, w);
}

/* v = x w */
static void multiply(const fovea_lsq *l, const dd *w, size_t count, dd *v) {
  for (size_t i = 0; i < l->n; i++) v[i] = (dd){0};
  for (size_t j = 0; j < count; j++) {
    const double *x = l->x + l->kept[j] * l->n, *low = l->low ? l->low + l->kept[j] * l->n : NULL;
    for (size_t i = 0; i < l->n; i++) v[i] = dd_add(v[i], dd_multiply((dd){x[i], low ? low[i] : 0}, w[j]));
  }
}

static dd inner(const dd *a, const dd *b, size_t n) {
  dd sum = {0};
  for (size_t i = 0; i < n; i++) sum = dd_add(sum, dd_multiply(a[i], b[i]));
  return sum;
}

static void subtract(dd *a, dd factor, const dd *b, size_t n) {
  for (size_t i = 0; i < n; i++) a[i] = dd_subtract(a[i], dd_multiply(factor, b[i]));
}

/* The columns of x w are orthogonal to within 2^-106 times the condition number squared; made so again, they are to
 * within 2^-106 times the condition number. `v` has room for rank x n. */
static void orthogonalize(const fovea_lsq *l, dd *w, dd *d, dd *v) {
  const size_t n = l->n, rank = l->rank;
  for (size_t m = 0; m < rank; m++) {
    multiply(l, w + m * rank, m + 1, v + m * n);
    for (size_t i = 0; i < m; i++) {
      const dd factor = dd_divide(inner(v + i * n, v + m * n, n), d[i]);
      subtract(v + m * n, factor, v + i * n, n);
      subtract(w + m * rank, factor, w + i * rank, i + 1);
    }
    d[m] = inner(v + m * n, v + m * n, n);
  }
}

/* So near to dependence that the factor alone leaves fewer than 15 digits. */
static bool is_ill_conditioned(const fovea_lsq *l) {
  for (size_t i = 0; i < l->rank; i++)
    if (dd_value(l->d[i]) < 1e-14 * l->square[i]) return true;
  return false;
}

static void add_up(const dd *w, const dd *d, size_t rank, double *inverse) {
  for (size_t i = 0; i < rank * rank; i++) inverse[i] = 0;
  for (size_t m = 0; m < rank; m++)
    for (size_t i = 0; i <= m; i++) {
      const dd part = dd_divide(w[m * rank + i], d[m]);
      for (size_t j = 0; j <= i; j++) inverse[i * rank + j] += dd_value(dd_multiply(part, w[m * rank + j]));
    }
  for (size_t i = 0; i < rank; i++)
    for (size_t j = 0; j < i; j++) inverse[j * rank + i] = inverse[i * rank + j];
}

fovea_status fovea_lsq_inverse(const fovea_lsq *l, double *inverse) {
  const size_t rank = l->rank;
  const bool ill = is_ill_conditioned(l);
  dd *w = malloc((rank * (rank + 1) + 1) * sizeof *w), *d = w + rank * rank;
  dd *v = ill && w ? malloc(rank * l->n * sizeof *v) : NULL;
  fovea_status status = w && (v || !ill) ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "ols: no memory");
  if (!status) {
    for (size_t m = 0; m < rank; m++) fill_column(l, m, w + m * rank);
    for (size_t m = 0; m < rank; m++) d[m] = l->d[m];
    if (ill) orthogonalize(l, w, d, v);
    add_up(w, d, rank, inverse);
  }
  free(w);
  free(v);
  return status;
}
