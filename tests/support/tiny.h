/* A network of a few hundred parameters with every op, for tests that run it many times. */
#ifndef FOVEA_TESTS_SUPPORT_TINY_H
#define FOVEA_TESTS_SUPPORT_TINY_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/vae.h"

static inline fovea_vae_config tiny_config(int side, int batch) {
  fovea_vae_config c = fovea_vae_default();
  c.height = c.width = side;
  c.unit_count = 3;
  c.units[0] = 3, c.units[1] = 2, c.units[2] = 1;
  c.depth = 1;
  c.attention = FOVEA_ATTENTION_CBAM;
  c.batch = batch;
  return c;
}

/* Some of all brightnesses. */
static inline void tiny_pixels(uint8_t *pixels, size_t count) {
  for (size_t i = 0; i < count; i++) pixels[i] = (uint8_t)(i * 37 % 251);
}

#endif
