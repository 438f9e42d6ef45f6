/* Incomplete beta and gamma functions as (a density-like prefix) x (a continued fraction or a series).
 *
 * The prefix is Loader's saddle-point form of the binomial and Poisson densities ("Fast and Accurate Computation of
 * Binomial Probabilities", 2000), which keeps full precision where differences of log-gammas lose it. The continued
 * fractions, evaluated by Lentz's method, are TOMS 708's and DLMF 8.9.2. */
#include "stats/distributions.h"

#include <math.h>

static const double pi = 3.14159265358979323846;
static const double epsilon = 3e-16;
enum { MAX_TERMS = 1000000 };

double fovea_stirling_error(double z) {
  double sum = 0;
  for (; z < 15; z += 1) sum += (z + 0.5) * log1p(1 / z) - 1; /* delta(z) = delta(z + 1) + this */
  double w = 1 / (z * z);
  double series = 1. / 1188 - w * (691. / 360360);
  series = 1. / 1680 - w * series;
  series = 1. / 1260 - w * series;
  series = 1. / 360 - w * series;
  return sum + (1. / 12 - w * series) / z;
}

/* x ln(x / m) + m - x without cancellation: Loader's D0. */
static double deviance(double x, double m) {
  if (fabs(x - m) >= 0.1 * (x + m)) return x * log(x / m) + m - x;
  double v = (x - m) / (x + m), sum = (x - m) * v, term = 2 * x * v;
  for (int j = 1; j < 1000; j++) {
    term *= v * v;
    double next = sum + term / (2 * j + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

/* x^a y^b / B(a, b), y = 1 - x. */
static double beta_prefix(double a, double b, double x, double y) {
  double n = a + b;
  double error = fovea_stirling_error(n) - fovea_stirling_error(a) - fovea_stirling_error(b);
  return sqrt(a * b / (2 * pi * n)) * exp(error - deviance(a, n * x) - deviance(b, n * y));
}

static double away_from_zero(double v) { return fabs(v) < 1e-300 ? 1e-300 : v; }

/* I_x(a, b) / beta_prefix, quick where x < (a + 1) / (a + b + 2): BFRAC of DiDonato and Morris (TOMS 708, 1992), whose
 * terms hold y where the textbook's would cancel in 1 - x. */
static double beta_fraction(double a, double b, double x, double y) {
  double start = 1 + (a > b ? (a + b) * y - b : a - (a + b) * x), first = away_from_zero(start / (1 + 1 / a));
  double c = 1e300, d = 1 / first, h = d;
  for (int n = 1; n < MAX_TERMS; n++) {
    double s = a + 2 * n - 1, w = n * (b - n) * x, p = 1 + (n - 1) / a;
    double numerator = p * (p + b / a) * (a / s) * (a / s) * w * x;
    double denominator = n + w / s + (a + n) / (a + 1 + 2 * n) * (start + n * (1 + y));
    d = 1 / away_from_zero(denominator + numerator * d);
    c = away_from_zero(denominator + numerator / c);
    h *= d * c;
    if (fabs(d * c - 1) <= epsilon) break;
  }
  return h;
}

/* The regularised incomplete beta I_x(a, b), y = 1 - x given apart so that neither loses digits. */
static double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  double prefix = beta_prefix(a, b, x, y);
  if (x < (a + 1) / (a + b + 2)) return prefix * beta_fraction(a, b, x, y);
  return 1 - prefix * beta_fraction(b, a, y, x);
}

/* r / (1 + r) and 1 / (1 + r) for r in [0, infinity]. */
static double share(double r) { return r > 1 ? 1 / (1 + 1 / r) : r / (1 + r); }
static double rest(double r) { return 1 / (1 + r); }

double fovea_student_t_sf(double t, double df) {
  if (isnan(t) || !(df > 0)) return NAN;
  double s = t / sqrt(df), r = s * s;
  double tail = 0.5 * incomplete_beta(df / 2, 0.5, rest(r), share(r));
  return t < 0 ? 1 - tail : tail;
}

double fovea_student_t_isf(double p, double df) {
  if (!(p > 0 && p < 0.5) || !(df > 0)) return NAN;
  /* Newton on ln P(T > t) against ln t, which is decreasing and concave: from the left it overshoots, by a bounded
   * step; from the right it comes down without crossing. */
  double t = 1;
  for (int i = 0; i < 100; i++) {
    double r = t * t / df, tail = fovea_student_t_sf(t, df);
    double slope = beta_prefix(df / 2, 0.5, rest(r), share(r)) / tail; /* t x density / tail */
    double step = fmin(log(tail / p) / slope, 0.5);
    t *= exp(step);
    if (fabs(step) < 4e-16) break;
  }
  return t;
}

double fovea_f_sf(double f, double d1, double d2) {
  if (isnan(f) || !(d1 > 0) || !(d2 > 0)) return NAN;
  if (f <= 0) return 1;
  double r = f * (d1 / d2);
  return incomplete_beta(d2 / 2, d1 / 2, rest(r), share(r));
}

/* P(s, x) by its series, for x < s + 1. */
static double gamma_series(double s, double x) {
  double term = 1, sum = 1;
  for (int n = 1; n < MAX_TERMS && term > epsilon * sum; n++) {
    term *= x / (s + n);
    sum += term;
  }
  return sum;
}

/* The continued fraction of Q(s, x) divided by x^s e^-x / Gamma(s), for x >= s + 1. */
static double gamma_fraction(double s, double x) {
  double b = x + 1 - s, c = 1e300, d = 1 / b, h = d;
  for (int n = 1; n < MAX_TERMS; n++) {
    double a = -n * (n - s);
    b += 2;
    d = 1 / away_from_zero(a * d + b);
    c = away_from_zero(b + a / c);
    h *= d * c;
    if (fabs(d * c - 1) <= epsilon) break;
  }
  return h;
}

double fovea_chi2_sf(double x, double df) {
  if (isnan(x) || !(df > 0)) return NAN;
  if (x <= 0) return 1;
  if (isinf(x)) return 0;
  double s = df / 2, half = x / 2;
  double density = exp(-fovea_stirling_error(s) - deviance(s, half)) / sqrt(2 * pi * s); /* x^s e^-x / Gamma(s + 1) */
  if (half < s + 1) return 1 - density * gamma_series(s, half);
  return density * s * gamma_fraction(s, half);
}

double fovea_normal_sf(double z) { return 0.5 * erfc(z * sqrt(0.5)); }
