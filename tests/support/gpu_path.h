/* A test by a GPU's path, FOVEA_VECTOR=1: on a CPU its kernels take several times as long, and are compiled anew, so
 * what is long there is made shorter, never left out. */
#ifndef FOVEA_TESTS_SUPPORT_GPU_PATH_H
#define FOVEA_TESTS_SUPPORT_GPU_PATH_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool on_gpu_path(void) {
  const char *vector = getenv("FOVEA_VECTOR");
  return vector && strcmp(vector, "1") == 0;
}

#endif
