/* Least squares in double-double: which columns are independent, the solution, its residuals and variances.
 *
 * The normal equations of columns scaled by powers of two, x' x = u' d u with u unit upper triangular, in 106 bits,
 * then refinement with the residuals y - x b. The condition number enters squared, but squared it is below 2^106 for
 * every design that the tolerance passes; for one pass over the columns this is a dot product each, and no second
 * matrix.
 *
 * Columns enter in their order. One is aliased, and left out, when its distance from the span of those before it is at
 * most max(n, k) 2^-52 of |(|x_j|, |c_i x_i|...)|, where sum c_i x_i is its projection: when a change of each column by
 * that part of its length could make them dependent. Scaling a column changes neither side's ratio. That is the
 * smallest singular value of the columns at unit length, within a factor sqrt(k), against numpy's usual tolerance; and,
 * as in R, it is the later of two columns that goes. */
#ifndef FOVEA_STATS_LSQ_H
#define FOVEA_STATS_LSQ_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/stats.h"
#include "fovea/status.h"
#include "stats/dd.h"

typedef struct fovea_lsq {
  size_t n, k, rank;
  double *x;          /* k columns of n, each times 2^-exponent: its largest value is in [0.5, 1), or it is 0 */
  double *low;        /* NULL, or what is to be added to x below its last digit */
  int *exponents;     /* k */
  size_t *kept;       /* rank: the columns that are not aliased, in order */
  double *square;     /* rank: the squared lengths of those columns of x */
  dd *u, *d;          /* u's columns above its diagonal of ones, rank (rank - 1) / 2; d's diagonal, rank */
  dd *w, *column, *c; /* rank + 1 each: the last projection */
  fovea_ols_alias *aliases;
  size_t alias_count;
} fovea_lsq;

/* The power of two for `count` values `step` apart: the largest is below 2^exponent and at least half of it; 0 when all
 * are 0. */
int fovea_lsq_exponent(const double *values, size_t count, size_t step);

/* After fovea_lsq_spans said yes: the column of which alone that is a multiple, or k where it takes several. */
size_t fovea_lsq_single(const fovea_lsq *l);

/* Factors x + low (n x k each, row-major; low may be NULL). The caller destroys *l, also on failure. FOVEA_NO_MEMORY.
 */
fovea_status fovea_lsq_factor(const double *x, const double *low, size_t n, size_t k, fovea_lsq *l);
void fovea_lsq_destroy(fovea_lsq *l);

/* Whether v (n, values of about 1) is, by the tolerance, a combination of the columns. */
bool fovea_lsq_spans(fovea_lsq *l, const double *v);

/* b (rank) that minimizes |y + low - x b| over the kept columns as scaled, the residuals e (n) and the sum of their
 * squares; low (n) may be NULL. FOVEA_NO_MEMORY. */
fovea_status fovea_lsq_solve(fovea_lsq *l, const double *y, const double *low, double *b, double *e, dd *squares);

/* For row i of x, as scaled: p = (x' x)^-1 x_i (rank), and the leverage x_i . p. */
double fovea_lsq_leverage(fovea_lsq *l, size_t row, double *p);

/* Solves u c = c for the first `size` of its rows; in place. */
void fovea_lsq_solve_upper(const fovea_lsq *l, size_t size, dd *c);

/* (x' x)^-1 (rank x rank), for the kept columns as scaled. FOVEA_NO_MEMORY. */
fovea_status fovea_lsq_inverse(const fovea_lsq *l, double *inverse);

#endif
