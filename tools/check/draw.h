/* The self-test's random numbers: the same on every machine. */
#ifndef FOVEA_TOOLS_CHECK_DRAW_H
#define FOVEA_TOOLS_CHECK_DRAW_H

#include <stdint.h>

/* xorshift64 (Marsaglia 2003), the upper half; *state is not 0. */
static inline uint32_t check_draw(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return (uint32_t)(*state >> 32);
}

#endif
