#include "data/shuffle.h"

#include <Random123/philox.h>

enum { STREAM = 0x53485546 };

/* floor(x * n / 2^64) for n up to 2^32, by halves: no 128-bit type is needed. */
static uint64_t scale(uint64_t x, uint64_t n) {
  uint64_t low = (x & 0xffffffffu) * n;
  uint64_t high = (x >> 32) * n; /* at most (2^32 - 1) * 2^32 */
  return (high + (low >> 32)) >> 32;
}

void fovea_shuffle(uint32_t *order, size_t count, uint64_t seed, uint32_t epoch) {
  for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  for (size_t i = count; i-- > 1;) {
    philox4x32_ctr_t counter = {{(uint32_t)i, 0, STREAM, epoch}};
    philox4x32_ctr_t word = philox4x32_R(10, counter, key);
    size_t j = (size_t)scale((uint64_t)word.v[1] << 32 | word.v[0], (uint64_t)i + 1);
    uint32_t swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
}
