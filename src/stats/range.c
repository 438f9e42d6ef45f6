/* Both are integrals over s = chi / sqrt(df), the estimated deviation in units of the true one: of the tail of the
 * range of normals at q s, and of the normal's at t s. In u = ln s the integrand is smooth and its tails fall fast, so
 * that Gauss-Legendre panels of the density's own width give full precision. The range's tail is k integral phi(z)
 * (Phi(z)^(k-1) - (Phi(z) - Phi(z - w))^(k-1)) dz, with the difference of powers taken without cancellation (Lund and
 * Lund, Applied Statistics 32 (1983), AS 190, has the same integrals by other rules). */
#include "stats/range.h"

#include <float.h>
#include <math.h>

#include "stats/distributions.h"

static const double pi = 3.14159265358979323846;
enum { NODES = 16 };

/* The positive half of the nodes on [-1, 1] and their weights. */
static const double nodes[NODES / 2] = {0.0950125098376374402, 0.2816035507792589132, 0.4580167776572273863,
                                        0.6178762444026437484, 0.7554044083550030339, 0.8656312023878317439,
                                        0.9445750230732325761, 0.9894009349916499326};
static const double weights[NODES / 2] = {0.1894506104550684963, 0.1826034150449235889, 0.1691565193950025382,
                                          0.1495959888165767321, 0.1246289712555338720, 0.0951585116824927848,
                                          0.0622535239386478929, 0.0271524594117540949};

typedef double (*integrand)(const void *user, double x);

static double integrate(integrand f, const void *user, double from, double to, double width) {
  const double panels = ceil((to - from) / width), half = (to - from) / panels / 2;
  double sum = 0;
  for (double p = 0; p < panels; p++) {
    const double middle = from + (2 * p + 1) * half;
    for (int i = 0; i < NODES / 2; i++)
      sum += weights[i] * (f(user, middle - half * nodes[i]) + f(user, middle + half * nodes[i]));
  }
  return sum * half;
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

static double mix(double (*tail)(double, const void *), const void *user, double q, double df) {
  const double half = df / 2;
  const mixture m = {tail, user, q, df, log(2) + log(df / (4 * pi)) / 2 - fovea_stirling_error(half)};
  const double spread = 45 / df, low = -(spread + sqrt(spread)), high = log1p(9.5 / sqrt(df));
  return integrate(mixed, &m, low, high, fmin(0.7, 1.4 / sqrt(df)));
}

/* --- the range of normals ---------------------------------------------------------------------------------------- */

typedef struct spread {
  double w, k;
} spread;

static double range_integrand(const void *user, double z) {
  const spread *s = user;
  const double all = fovea_normal_sf(-z), above = fovea_normal_sf(s->w - z); /* Phi(z), Phi(z - w) */
  if (!(all > 0)) return 0;
  const double ratio = above / all;
  const double lost = ratio < 1 ? -expm1((s->k - 1) * log1p(-ratio)) : 1;
  return exp(-z * z / 2) * pow(all, s->k - 1) * lost;
}

static double range_tail(double w, const void *user) {
  static const double root_two_pi = 2.50662827463100050242;
  const spread s = {w, *(const double *)user};
  if (!(w > 0)) return 1;
  if (w > 60) return 0;
  const double width = s.k > 10 ? 1 : 2.5; /* the largest of many is narrower */
  return fmin(1, s.k / root_two_pi * integrate(range_integrand, &s, -8.5, fmax(8.5, w / 2 + 8.5), width));
}

double fovea_studentized_range_sf(double q, double k, double df) {
  if (isnan(q) || !(k >= 2) || !(df > 0)) return NAN;
  if (!(q > 0)) return 1;
  if (isinf(q)) return 0;
  if (k <= 2) return 2 * fovea_student_t_sf(q / sqrt(2), df);
  return fmin(1, mix(range_tail, &k, q, df));
}

/* By the secant between bounds, of ln p against ln q, which is nearly straight. */
double fovea_studentized_range_isf(double p, double k, double df) {
  if (!(p > 0 && p < 1) || !(k >= 2) || !(df > 0)) return NAN;
  if (k <= 2 && p < 1) return sqrt(2) * fovea_student_t_isf(p / 2, df);
  double low = 1e-3, high = 1, target = log(p);
  while (fovea_studentized_range_sf(high, k, df) > p) low = high, high *= 2;
  double at_low = log(fovea_studentized_range_sf(low, k, df)) - target;
  double at_high = log(fovea_studentized_range_sf(high, k, df)) - target, q = high;
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
  return fmin(1, mix(shifted_tail, &noncentrality, fabs(t), df));
}
