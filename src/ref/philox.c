/* Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, written from the
 * paper, so that it is independent of the Random123 header which the engine includes. */
#include <math.h>

#include "ref/ref.h"

void ref_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53 * x0;
    uint64_t p1 = (uint64_t)0xCD9E8D57 * x2;
    x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
    x1 = (uint32_t)p1;
    x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
    x3 = (uint32_t)p0;
    k0 += 0x9E3779B9; /* the golden ratio */
    k1 += 0xBB67AE85; /* sqrt(3) - 1 */
  }
  out[0] = x0, out[1] = x1, out[2] = x2, out[3] = x3;
}

uint32_t ref_dropout_threshold(double rate) { return (uint32_t)llround(rate * 4294967296.0); }

void ref_dropout_mask(int n, int c, int hw, double rate, uint32_t op, uint32_t step, uint64_t seed, uint8_t *keep) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  uint32_t threshold = ref_dropout_threshold(rate);
  int groups = (hw + 3) / 4;
  for (int i = 0; i < n * c * hw; i++) {
    int pixel = i % hw;
    uint32_t group = (uint32_t)(i / hw % c * groups + pixel / 4);
    uint32_t words[4];
    ref_philox((uint32_t[4]){(uint32_t)(i / hw / c), group, op, step}, key, words);
    keep[i] = words[pixel % 4] >= threshold;
  }
}

void ref_normal(int n, int latent, uint32_t op, uint32_t step, uint64_t seed, double *eps) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  const double two_pi = 6.283185307179586476925286766559;
  for (int i = 0; i < n * latent; i++) {
    uint32_t words[4];
    ref_philox((uint32_t[4]){(uint32_t)(i / latent), (uint32_t)(i % latent), op, step}, key, words);
    double u1 = ((words[0] >> 9) + 0.5) * 0x1p-23;
    double u2 = (words[1] >> 9) * 0x1p-23;
    eps[i] = sqrt(-2 * log(u1)) * cos(two_pi * u2);
  }
}
