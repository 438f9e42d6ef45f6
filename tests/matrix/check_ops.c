/* The part of `fovea check --small` that has every kernel once: the device's arithmetic and the ops, without steps of
 * few images and the training. For implementations that take a minute for that (run.py). Prints what is wrong, a line
 * each; or the device, and how many lines of results were right. Exit status: 0, 1 when something is wrong. */
#include <stdio.h>

#include "check/check.h"
#include "fovea/device.h"

static int lines, wrong;

static void complain(const char *name, const char *shape, const char *way, const char *what) {
  printf("%s %s, %s: %s\n", name, shape, way, what);
  wrong++;
}

static void tell(void *user, const check_op *op) {
  (void)user;
  lines++;
  if (*op->forward.first) complain(op->name, op->shape, "forward", op->forward.first);
  if (*op->backward.first) complain(op->name, op->shape, "backward", op->backward.first);
}

static fovea_status compare(fovea_device *device) {
  check_arithmetic arithmetic;
  int failures = 0, differ = 0;
  fovea_status status = check_device_arithmetic(device, false, &arithmetic);
  if (status != FOVEA_OK) return status;
  for (int i = 0; i < CHECK_PROBES; i++, lines++)
    if (arithmetic.probes[i].differ > 0) complain(arithmetic.probes[i].name, "", "probe", arithmetic.probes[i].first);
  status = check_ops(device, CHECK_LEAST, tell, NULL, &failures, &differ);
  if (status == FOVEA_OK && failures + differ > 0 && !wrong) complain("an op", "", "no line", "failed without a word");
  return status;
}

int main(void) {
  fovea_device *device = NULL;
  fovea_status status = fovea_device_open(NULL, &device);
  if (status == FOVEA_OK) status = compare(device);
  if (status != FOVEA_OK) complain("stopped", "", "status", fovea_error_message());
  const fovea_device_info *info = device ? fovea_device_get_info(device) : NULL;
  if (!wrong) printf("%s %s|%s|%d\n", info->platform, info->driver, info->name, lines);
  fovea_device_close(device);
  return wrong > 0;
}
