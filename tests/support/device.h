/* For a cmocka group that works on one device: the default, or the environment's FOVEA_TEST_DEVICE. cmocka.h and what
 * it needs come before. */
#ifndef FOVEA_TESTS_SUPPORT_DEVICE_H
#define FOVEA_TESTS_SUPPORT_DEVICE_H

#include <stdio.h>
#include <stdlib.h>

#include "fovea/device.h"

#define OK(call)                                                                              \
  do {                                                                                        \
    if ((call) != FOVEA_OK) fail_msg("%s:%d: %s", __FILE__, __LINE__, fovea_error_message()); \
  } while (0)

static fovea_device *device;

static inline int open_device(void **state) {
  (void)state;
  if (fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &device) == FOVEA_OK) return 0;
  fprintf(stderr, "%s\n", fovea_error_message());
  return -1;
}

static inline int close_device(void **state) {
  (void)state;
  fovea_device_close(device);
  return 0;
}

#endif
