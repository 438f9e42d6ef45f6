/* A network that trains in seconds, real images for it, and files to compare. */
#ifndef FOVEA_TESTS_TRAIN_SMALL_H
#define FOVEA_TESTS_TRAIN_SMALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "fovea/vae.h"
#include "support/device.h"
#include "support/tempdir.h"

#define FASHION FOVEA_TEST_IMAGES /* Fashion-MNIST, unpacked */

static inline fovea_vae_config small_config(void) {
  fovea_vae_config c = fovea_vae_default();
  c.unit_count = 4;
  c.units[0] = 8, c.units[1] = 6, c.units[2] = 4, c.units[3] = 2;
  c.depth = 1;
  c.bn_momentum = 0.9; /* so that a few dozen steps move the averages */
  c.batch = 16;
  return c;
}

static inline fovea_dataset *images(const char *split, size_t count) {
  fovea_dataset *d = NULL;
  OK(fovea_dataset_load(FASHION, split, count, &d));
  return d;
}

static inline void assert_same_bytes(const char *a, const char *b) {
  uint8_t *x = NULL, *y = NULL;
  size_t nx = 0, ny = 0;
  OK(fovea_file_read(a, 1 << 28, &x, &nx));
  OK(fovea_file_read(b, 1 << 28, &y, &ny));
  assert_int_equal(nx, ny);
  size_t at = 0;
  while (at < nx && x[at] == y[at]) at++;
  if (at < nx) fail_msg("%s and %s differ at byte %zu of %zu", a, b, at, nx);
  free(x);
  free(y);
}

static inline void assert_message(const char *part) {
  if (strstr(fovea_error_message(), part) == NULL) fail_msg("no '%s' in: %s", part, fovea_error_message());
}

#endif
