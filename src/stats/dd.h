/* Double-double arithmetic: the unevaluated sum hi + lo of two doubles with |lo| <= ulp(hi) / 2, about 106 bits.
 * Dekker, Numerische Mathematik 18 (1971); Ogita, Rump and Oishi, SIAM J. Sci. Comput. 26 (2005). A file of its own,
 * since libqd is C++ and sets the x87's control word, and __float128 is not every compiler's. Needs round to nearest
 * and -ffp-contract=off. */
#ifndef FOVEA_STATS_DD_H
#define FOVEA_STATS_DD_H

#include <math.h>
#include <stddef.h>

typedef struct dd {
  double hi, lo;
} dd;

/* a + b, exactly (Knuth). */
static inline dd dd_sum(double a, double b) {
  double s = a + b, t = s - a;
  return (dd){s, (a - (s - t)) + (b - t)};
}

/* a b, exactly but for underflow. */
static inline dd dd_product(double a, double b) {
  double p = a * b;
  return (dd){p, fma(a, b, -p)};
}

static inline dd dd_add(dd a, dd b) {
  dd s = dd_sum(a.hi, b.hi), t = dd_sum(a.lo, b.lo);
  s = dd_sum(s.hi, s.lo + t.hi);
  return dd_sum(s.hi, s.lo + t.lo);
}

static inline dd dd_negate(dd a) { return (dd){-a.hi, -a.lo}; }

static inline dd dd_subtract(dd a, dd b) { return dd_add(a, dd_negate(b)); }

static inline dd dd_multiply(dd a, dd b) {
  dd p = dd_product(a.hi, b.hi);
  return dd_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* Long division in two digits, each a double. */
static inline dd dd_divide(dd a, dd b) {
  double first = a.hi / b.hi;
  dd rest = dd_subtract(a, dd_multiply(b, (dd){first, 0}));
  double second = rest.hi / b.hi;
  rest = dd_subtract(rest, dd_multiply(b, (dd){second, 0}));
  return dd_add(dd_sum(first, second), (dd){rest.hi / b.hi, 0});
}

/* One step of Newton's from the root of hi; 0 of what is not above 0. */
static inline double dd_root(dd a) {
  const double root = a.hi > 0 ? sqrt(a.hi) : 0;
  dd rest = root > 0 ? dd_subtract(a, dd_product(root, root)) : (dd){0};
  return root > 0 ? root + rest.hi / (2 * root) : 0;
}

static inline double dd_value(dd a) { return a.hi + a.lo; }

/* sum + a b: what the rounding of the sum and of the product leave is added up in `sum`'s second part. */
static inline dd dd_accumulate(dd sum, double a, double b) {
  dd p = dd_product(a, b), s = dd_sum(sum.hi, p.hi);
  return (dd){s.hi, sum.lo + (s.lo + p.lo)};
}

/* The dot product as if in twice the precision: |error| <= 2^-106 |a.b| + n^2 2^-106 |a|.|b| (Dot2 of Ogita et al.). */
static inline dd dd_dot(const double *a, const double *b, size_t n) {
  dd sum = {0};
  for (size_t i = 0; i < n; i++) sum = dd_accumulate(sum, a[i], b[i]);
  return dd_sum(sum.hi, sum.lo);
}

#endif
