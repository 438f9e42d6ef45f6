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

/* Such a device with FOVEA_QUEUES, the caller's. */
static inline fovea_device *open_with_queues(const char *queues) {
  fovea_device *opened = NULL;
  setenv("FOVEA_QUEUES", queues, 1);
  OK(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &opened));
  unsetenv("FOVEA_QUEUES");
  return opened;
}

static inline int close_device(void **state) {
  (void)state;
  fovea_device_close(device);
  return 0;
}

#endif
