#include "stats/lsq.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "ols: no memory"); }

static const double *kept_column(const fovea_lsq *l, size_t i) { return l->x + l->kept[i] * l->n; }

static const double *kept_low(const fovea_lsq *l, size_t i) { return l->low ? l->low + l->kept[i] * l->n : NULL; }

/* (a + a_low) . (b + b_low), where a low part may be NULL. */
static dd dot(const double *a, const double *a_low, const double *b, const double *b_low, size_t n) {
  if (!a_low && !b_low) return dd_dot(a, b, n);
  dd sum = {0};
  double low = 0;
  for (size_t i = 0; i < n && a_low && b_low; i++) {
    sum = dd_accumulate(sum, a[i], b[i]);
    low += a_low[i] * b[i] + a[i] * b_low[i];
  }
  if (a_low && b_low) return dd_add(dd_sum(sum.hi, sum.lo), (dd){low, 0});
  sum = dd_dot(a, b, n);
  for (size_t i = 0; i < n && a_low; i++) low += a_low[i] * b[i];
  for (size_t i = 0; i < n && b_low; i++) low += a[i] * b_low[i];
  return dd_add(sum, (dd){low, 0});
}

/* What stands above the diagonal in column j of u: j values. */
static dd *above(const fovea_lsq *l, size_t j) { return l->u + j * (j - 1) / 2; }

int fovea_lsq_exponent(const double *values, size_t count, size_t step) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(values[i * step]));
  int exponent;
  frexp(largest, &exponent);
  return exponent;
}

static fovea_status allocate(fovea_lsq *l) {
  size_t most = l->n < l->k ? l->n : l->k;
  l->x = malloc(l->n * l->k * sizeof *l->x);
  l->exponents = calloc(l->k, sizeof *l->exponents);
  l->kept = calloc(most, sizeof *l->kept);
  l->square = calloc(most, sizeof *l->square);
  l->u = malloc((most * (most - 1) / 2 + 1) * sizeof *l->u);
  l->d = calloc(most, sizeof *l->d);
  l->w = calloc(most + 1, sizeof *l->w);
  l->column = calloc(most + 1, sizeof *l->column);
  l->c = calloc(most + 1, sizeof *l->c);
  l->aliases = calloc(l->k, sizeof *l->aliases);
  return l->x && l->exponents && l->kept && l->square && l->u && l->d && l->w && l->column && l->c && l->aliases
             ? FOVEA_OK
             : no_memory();
}

static void scale_columns(const double *x, const double *low, fovea_lsq *l) {
  for (size_t j = 0; j < l->k; j++) {
    l->exponents[j] = fovea_lsq_exponent(x + j, l->n, l->k);
    for (size_t i = 0; i < l->n; i++) l->x[j * l->n + i] = ldexp(x[i * l->k + j], -l->exponents[j]);
    for (size_t i = 0; i < l->n && low; i++) l->low[j * l->n + i] = ldexp(low[i * l->k + j], -l->exponents[j]);
  }
}

/* Solves u' w = w, u having the unit diagonal; in place. */
static void solve_lower(const fovea_lsq *l, dd *w) {
  for (size_t i = 1; i < l->rank; i++) {
    const dd *u = above(l, i);
    for (size_t m = 0; m < i; m++) w[i] = dd_subtract(w[i], dd_multiply(u[m], w[m]));
  }
}

void fovea_lsq_solve_upper(const fovea_lsq *l, size_t size, dd *c) {
  for (size_t i = size; i-- > 1;) {
    const dd *u = above(l, i);
    for (size_t m = 0; m < i; m++) c[m] = dd_subtract(c[m], dd_multiply(u[m], c[i]));
  }
}

/* v, or v + low, on the kept columns: its next column of u, its coefficients c, the square of what is left, and whether
 * that is nothing by the tolerance. */
static bool project(fovea_lsq *l, const double *v, const double *low, double *square, dd *left) {
  dd all = dot(v, low, v, low, l->n);
  for (size_t i = 0; i < l->rank; i++) l->w[i] = dot(kept_column(l, i), kept_low(l, i), v, low, l->n);
  solve_lower(l, l->w);
  *left = all;
  for (size_t i = 0; i < l->rank; i++) {
    l->c[i] = l->column[i] = dd_divide(l->w[i], l->d[i]);
    *left = dd_subtract(*left, dd_multiply(l->column[i], l->w[i]));
  }
  fovea_lsq_solve_upper(l, l->rank, l->c);
  double cancelled = *square = dd_value(all);
  for (size_t i = 0; i < l->rank; i++) cancelled += dd_value(l->c[i]) * dd_value(l->c[i]) * l->square[i];
  double tolerance = (double)(l->n > l->k ? l->n : l->k) * DBL_EPSILON;
  return l->rank == l->n || dd_value(*left) <= tolerance * tolerance * cancelled;
}

static void keep(fovea_lsq *l, size_t j, double square, dd left) {
  dd *u = above(l, l->rank);
  for (size_t i = 0; i < l->rank; i++) u[i] = l->column[i];
  l->d[l->rank] = left;
  l->square[l->rank] = square;
  l->kept[l->rank++] = j;
}

/* How much of the i-th kept column the last projection has. */
static double share(const fovea_lsq *l, size_t i) { return fabs(dd_value(l->c[i])) * sqrt(l->square[i]); }

/* What is below 2^-26 of the largest is the rounding of the table's numbers. */
static double least_share(const fovea_lsq *l) {
  double largest = 0;
  for (size_t i = 0; i < l->rank; i++) largest = fmax(largest, share(l, i));
  return ldexp(largest, -26);
}

/* Column j and those that make it. */
static fovea_status add_alias(fovea_lsq *l, size_t j) {
  const double least = least_share(l);
  fovea_ols_alias *alias = &l->aliases[l->alias_count++];
  alias->column = j;
  alias->with = malloc((l->rank + 1) * sizeof *alias->with);
  alias->weights = malloc((l->rank + 1) * sizeof *alias->weights);
  if (!alias->with || !alias->weights) return no_memory();
  for (size_t i = 0; i < l->rank; i++) {
    if (share(l, i) <= least) continue;
    alias->weights[alias->count] = ldexp(dd_value(l->c[i]), l->exponents[j] - l->exponents[l->kept[i]]);
    alias->with[alias->count++] = l->kept[i];
  }
  return FOVEA_OK;
}

fovea_status fovea_lsq_factor(const double *x, const double *low, size_t n, size_t k, fovea_lsq *l) {
  *l = (fovea_lsq){.n = n, .k = k};
  fovea_status status = allocate(l);
  if (!status && low && !(l->low = malloc(n * k * sizeof *l->low))) status = no_memory();
  if (status) return status;
  scale_columns(x, low, l);
  for (size_t j = 0; j < k && !status; j++) {
    double square;
    dd left;
    if (project(l, l->x + j * n, low ? l->low + j * n : NULL, &square, &left))
      status = add_alias(l, j);
    else
      keep(l, j, square, left);
  }
  return status;
}

void fovea_lsq_destroy(fovea_lsq *l) {
  for (size_t i = 0; i < l->alias_count; i++) {
    free(l->aliases[i].with);
    free(l->aliases[i].weights);
  }
  free(l->aliases);
  free(l->x);
  free(l->low);
  free(l->exponents);
  free(l->kept);
  free(l->square);
  free(l->u);
  free(l->d);
  free(l->w);
  free(l->column);
  free(l->c);
  *l = (fovea_lsq){0};
}

bool fovea_lsq_spans(fovea_lsq *l, const double *v) {
  double square;
  dd left;
  return project(l, v, NULL, &square, &left);
}

size_t fovea_lsq_single(const fovea_lsq *l) {
  const double least = least_share(l);
  size_t column = l->k, count = 0;
  for (size_t i = 0; i < l->rank; i++) {
    if (share(l, i) <= least) continue;
    column = l->kept[i];
    count++;
  }
  return count == 1 ? column : l->k;
}

/* e = y + y_low - x b */
static void residuals(const fovea_lsq *l, const double *y, const double *y_low, const dd *b, dd *e) {
  for (size_t i = 0; i < l->n; i++) e[i] = (dd){y[i], y_low ? y_low[i] : 0};
  for (size_t j = 0; j < l->rank; j++) {
    const double *x = kept_column(l, j);
    for (size_t i = 0; i < l->n; i++) {
      e[i] = dd_accumulate(e[i], x[i], -b[j].hi);
      e[i].lo -= x[i] * b[j].lo;
    }
    const double *low = kept_low(l, j);
    for (size_t i = 0; i < l->n && low; i++) e[i].lo -= low[i] * b[j].hi;
  }
  for (size_t i = 0; i < l->n; i++) e[i] = dd_sum(e[i].hi, e[i].lo);
}

/* z = (x' x)^-1 x' e */
static void correction(fovea_lsq *l, const dd *e, dd *z) {
  for (size_t j = 0; j < l->rank; j++) {
    const double *x = kept_column(l, j);
    z[j] = (dd){0};
    for (size_t i = 0; i < l->n; i++) {
      z[j] = dd_accumulate(z[j], x[i], e[i].hi);
      z[j].lo += x[i] * e[i].lo;
    }
    const double *low = kept_low(l, j);
    for (size_t i = 0; i < l->n && low; i++) z[j].lo += low[i] * e[i].hi;
    z[j] = dd_sum(z[j].hi, z[j].lo);
  }
  solve_lower(l, z);
  for (size_t j = 0; j < l->rank; j++) z[j] = dd_divide(z[j], l->d[j]);
  fovea_lsq_solve_upper(l, l->rank, z);
}

static double largest_of(const dd *values, size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(values[i].hi));
  return largest;
}

/* From b = 0 the first correction is the solution of the normal equations; each further one is smaller by the condition
 * number squared times 2^-106. */
fovea_status fovea_lsq_solve(fovea_lsq *l, const double *y, const double *low, double *b, double *e, dd *squares) {
  enum { STEPS = 8 };
  dd *sum = calloc(l->rank + 1, sizeof *sum), *z = calloc(l->rank + 1, sizeof *z), *rest = calloc(l->n, sizeof *rest);
  if (sum && z && rest) {
    residuals(l, y, low, sum, rest);
    for (int step = 0; step < STEPS; step++) {
      correction(l, rest, z);
      for (size_t j = 0; j < l->rank; j++) sum[j] = dd_add(sum[j], z[j]);
      residuals(l, y, low, sum, rest);
      if (largest_of(z, l->rank) <= ldexp(largest_of(sum, l->rank), -80)) break;
    }
    for (size_t j = 0; j < l->rank; j++) b[j] = dd_value(sum[j]);
    for (size_t i = 0; i < l->n; i++) e[i] = dd_value(rest[i]);
    *squares = (dd){0};
    for (size_t i = 0; i < l->n; i++) *squares = dd_add(*squares, dd_multiply(rest[i], rest[i]));
  }
  fovea_status status = sum && z && rest ? FOVEA_OK : no_memory();
  free(sum);
  free(z);
  free(rest);
  return status;
}

double fovea_lsq_leverage(fovea_lsq *l, size_t row, double *p) {
  dd *z = l->c, leverage = {0};
  for (size_t i = 0; i < l->rank; i++) z[i] = (dd){kept_column(l, i)[row], l->low ? kept_low(l, i)[row] : 0};
  solve_lower(l, z);
  for (size_t i = 0; i < l->rank; i++) {
    const dd part = dd_divide(z[i], l->d[i]);
    leverage = dd_add(leverage, dd_multiply(part, z[i]));
    z[i] = part;
  }
  fovea_lsq_solve_upper(l, l->rank, z);
  for (size_t i = 0; i < l->rank; i++) p[i] = dd_value(z[i]);
  return dd_value(leverage);
}
