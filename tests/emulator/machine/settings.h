/* What silicon may do one way or the other, and what a test may wish: EMULATOR_... of the environment, in README.md. */
#ifndef FOVEA_TESTS_EMULATOR_SETTINGS_H
#define FOVEA_TESTS_EMULATOR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum rounding { EXACT, ONE_UP, ONE_DOWN, RANDOM_ULP } rounding;
typedef enum group_order { FORWARD, BACKWARD, STRIDED } group_order;

typedef struct settings {
  bool wave64; /* gfx90a instead of gfx1100 */
  rounding reciprocal, root;
  bool flush;   /* reciprocals take and give denormals as 0 */
  bool divides; /* the device says that x / y and sqrt are rounded correctly */
  group_order order;
  unsigned units, threads, most_items;
  bool trace;
} settings;

/* Read once; the same for all threads. */
const settings *settings_get(void);

#endif
