/* What silicon may do one way or the other, and what a test may wish: EMULATOR_... of the environment, in README.md. */
#ifndef FOVEA_TESTS_EMULATOR_SETTINGS_H
#define FOVEA_TESTS_EMULATOR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum rounding { EXACT, ONE_UP, ONE_DOWN, RANDOM_ULP } rounding;
typedef enum group_order { FORWARD, BACKWARD, STRIDED } group_order;

typedef enum emulated { GFX1100, GFX90A, SM_80, CUDA } emulated;

typedef struct settings {
  emulated device;
  rounding reciprocal, root;
  bool flush;   /* reciprocals take and give denormals as 0 */
  bool divides; /* the device says that x / y and sqrt are rounded correctly */
  group_order order;
  unsigned units, threads, most_items;
  bool trace;
  bool idle; /* kernels are compiled and not executed */
} settings;

/* Read once; the same for all threads. */
const settings *settings_get(void);

#endif
