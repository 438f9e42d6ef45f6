#include "stats/moments.h"

#include <math.h>

#include "stats/distributions.h"

double fovea_sum(const double *a, size_t n) {
  if (n < 8) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i];
    return sum;
  }
  if (n > 128) {
    size_t half = n / 2 - n / 2 % 8;
    return fovea_sum(a, half) + fovea_sum(a + half, n - half);
  }
  double r[8];
  for (size_t j = 0; j < 8; j++) r[j] = a[j];
  size_t i = 8;
  for (; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; j++) r[j] += a[i + j];
  double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; i++) sum += a[i];
  return sum;
}

/* The mean of f over a in blocks, so that no copy of a is needed; the blocks are summed in long double. */
static double central_moment(const double *a, size_t n, double mean, int order) {
  double block[128];
  long double total = 0;
  for (size_t start = 0; start < n; start += 128) {
    size_t count = n - start < 128 ? n - start : 128;
    for (size_t i = 0; i < count; i++) {
      double d = a[start + i] - mean, square = d * d;
      block[i] = order == 2 ? square : order == 3 ? square * d : square * square;
    }
    total += (long double)fovea_sum(block, count);
  }
  return (double)total / (double)n;
}

void fovea_skew_kurtosis(const double *a, size_t n, double *skew, double *kurtosis) {
  double mean = fovea_sum(a, n) / (double)n;
  double m2 = central_moment(a, n, mean, 2), noise = 1e-15 * mean;
  *skew = *kurtosis = NAN;
  if (m2 <= noise * noise) return;
  *skew = central_moment(a, n, mean, 3) / pow(m2, 1.5);
  *kurtosis = central_moment(a, n, mean, 4) / (m2 * m2);
}

/* scipy.stats.skewtest: D'Agostino, Biometrika 57 (1970). */
static double skew_z(double n, double skew) {
  double y = skew * sqrt((n + 1) * (n + 3) / (6.0 * (n - 2)));
  double beta2 = 3.0 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2.0) * (n + 5) * (n + 7) * (n + 9));
  double w2 = -1 + sqrt(2 * (beta2 - 1));
  double delta = 1 / sqrt(0.5 * log(w2)), alpha = sqrt(2.0 / (w2 - 1));
  if (y == 0) y = 1; /* scipy's, although Z(0) is 0 */
  double r = y / alpha;
  return delta * log(r + sqrt(r * r + 1));
}

/* scipy.stats.kurtosistest: Anscombe and Glynn, Biometrika 70 (1983). */
static double kurtosis_z(double n, double kurtosis) {
  double mean = 3.0 * (n - 1) / (n + 1);
  double variance = 24.0 * n * (n - 2) * (n - 3) / ((n + 1) * (n + 1) * (n + 3) * (n + 5));
  double x = (kurtosis - mean) / sqrt(variance);
  double beta1 =
      6.0 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9)) * sqrt(6.0 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)));
  double a = 6.0 + 8.0 / beta1 * (2.0 / beta1 + sqrt(1 + 4.0 / (beta1 * beta1)));
  double denominator = 1 + x * sqrt(2 / (a - 4.0));
  if (denominator == 0) return NAN;
  double root = copysign(pow((1 - 2.0 / a) / fabs(denominator), 1 / 3.0), denominator);
  return (1 - 2 / (9.0 * a) - root) / sqrt(2 / (9.0 * a));
}

void fovea_normal_test(size_t n, double skew, double kurtosis, double *statistic, double *p_value) {
  *statistic = *p_value = NAN;
  if (n < 8) return;
  double s = skew_z((double)n, skew), k = kurtosis_z((double)n, kurtosis);
  *statistic = s * s + k * k;
  *p_value = fovea_chi2_sf(*statistic, 2);
}
