/* Both are integrals over s = chi / sqrt(df), the estimated deviation in units of the true one: of the tail of the
 * range of normals at q s, and of the normal's at t s. In u = ln s the integrand is smooth and its tails fall fast, so
 * that the trapezoidal rule, whose error falls exponentially there, gives full precision with a few nodes a deviation;
 * it begins near the middle and ends on each side where nothing is left to add. The range's tail is k integral phi(z)
 * (Phi(z)^(k-1) - (Phi(z) - Phi(z - w))^(k-1)) dz, with the difference of powers taken without cancellation (Lund and
 * Lund, Applied Statistics 32 (1983), AS 190, has the same integrals by other rules). */
#include "stats/range.h"

#include <float.h>
#include <math.h>

#include "stats/distributions.h"

enum { MOST_STEEP = 40 }; /* beyond, 1e-8 of a power may be missed */
static const double pi = 3.14159265358979323846;

typedef double (*integrand)(const void *user, double x);

/* Of what rises and falls once, at middle + i step between low and high. */
static double integrate(integrand f, const void *user, double middle, double step, double low, double high) {
  const double first = f(user, middle);
  double sum = first;
  for (int side = -1; side <= 1; side += 2) {
    double before = first;
    for (double x = middle + side * step; x >= low && x <= high; x += side * step) {
      const double at = f(user, x);
      sum += at;
      if (sum > 0 && at <= 1e-17 * sum && at <= before) break;
      before = at;
    }
  }
  return sum * step;
}

/* --- the estimated deviation ------------------------------------------------------------------------------------- */

typedef struct mixture {
  double (*tail)(double at, const void *user); /* at q s */
  const void *user;
  double q, df, log_scale;
} mixture;

/* The density of u = ln s is exp(log_scale + df u - df (exp(2u) - 1) / 2). */
static double mixed(const void *user, double u) {
  const mixture *m = user;
  const double density = exp(m->log_scale + m->df * (u - expm1(2 * u) / 2));
  return density > 0 ? density * m->tail(m->q * exp(u), m->user) : 0;
}

/* The integrand's width comes of the density's, 1 / sqrt(2 df), and of the tail's as a function of u, 1 / steep. Its
 * middle moves down where the tail falls long before s = 1. */
static double mix(double (*tail)(double, const void *), const void *user, double q, double df, double steep) {
  const double half = df / 2;
  const mixture m = {tail, user, q, df, log(2) + log(df / (4 * pi)) / 2 - fovea_stirling_error(half)};
  const double spread = 45 / df, low = -(spread + sqrt(spread)) - log1p(q * q / df) / 2;
  return integrate(mixed, &m, 0, fmin(0.12, 0.55 / sqrt(2 * df + steep * steep)), low, log1p(9.5 / sqrt(df)));
}

/* --- the range of normals ---------------------------------------------------------------------------------------- */

typedef struct spread {
  double w, k;
} spread;

/* a^n - (a - b)^n, 0 <= b <= a, without cancellation. */
static double difference_of_powers(double a, double b, double n) {
  if (n != floor(n) || n > 32) return b < a ? -pow(a, n) * expm1(n * log1p(-b / a)) : pow(a, n);
  double sum = 1, power = 1;
  for (int i = 1; i < (int)n; i++) {
    power *= a;
    sum = sum * (a - b) + power;
  }
  return b * sum;
}

static double range_integrand(const void *user, double z) {
  const spread *s = user;
  const double all = fovea_normal_sf(-z), above = fovea_normal_sf(s->w - z); /* Phi(z), Phi(z - w) */
  return all > 0 ? exp(-z * z / 2) * difference_of_powers(all, fmin(above, all), s->k - 1) : 0;
}

static double range_tail(double w, const void *user) {
  static const double root_two_pi = 2.50662827463100050242;
  const spread s = {w, *(const double *)user};
  if (!(w > 0)) return 1;
  if (w > 60) return 0;
  const double step = s.k > 10 ? 0.125 : 0.25; /* the largest of many is narrower */
  return fmin(1, s.k / root_two_pi * integrate(range_integrand, &s, w / 2, step, -8.5, fmax(8.5, w / 2 + 8.5)));
}

double fovea_studentized_range_sf(double q, double k, double df) {
  if (isnan(q) || !(k >= 2) || !(df > 0)) return NAN;
  if (!(q > 0)) return 1;
  if (isinf(q)) return 0;
  if (k <= 2) return 2 * fovea_student_t_sf(q / sqrt(2), df);
  return fmin(1, mix(range_tail, &k, q, df, 2.2 * log(k)));
}

/* By the secant between bounds, of ln p against ln q, which is nearly straight. */
double fovea_studentized_range_isf(double p, double k, double df) {
  if (!(p > 0 && p < 1) || !(k >= 2) || !(df > 0)) return NAN;
  if (k <= 2 && p < 1) return sqrt(2) * fovea_student_t_isf(p / 2, df);
  const double target = log(p);
  double low = 1e-3, at_low = -target, high = 1, at_high = log(fovea_studentized_range_sf(high, k, df)) - target,
         q = high;
  while (at_high > 0) {
    low = high, at_low = at_high;
    high *= 2, at_high = log(fovea_studentized_range_sf(high, k, df)) - target;
  }
  for (int step = 0; step < 60 && high - low > 1e-13 * high; step++) {
    const double part = at_low / (at_low - at_high);
    q = low + (high - low) * fmin(fmax(part, 0.01), 0.99);
    const double at = log(fovea_studentized_range_sf(q, k, df)) - target;
    if (fabs(at) < 1e-12) break;
    if (at > 0) {
      low = q, at_low = at;
      at_high /= 2; /* Illinois: the end that stays counts half */
    } else {
      high = q, at_high = at;
      at_low /= 2;
    }
  }
  return q;
}

/* --- power ------------------------------------------------------------------------------------------------------- */

static double shifted_tail(double at, const void *user) {
  const double shift = *(const double *)user;
  return fovea_normal_sf(at - shift) + fovea_normal_sf(at + shift);
}

double fovea_noncentral_t_two_sided(double t, double df, double noncentrality) {
  if (isnan(t) || isnan(noncentrality) || !(df > 0)) return NAN;
  if (isinf(t)) return 0;
  return fmin(1, mix(shifted_tail, &noncentrality, fabs(t), df, fmin(1 + fabs(noncentrality), MOST_STEEP)));
}
