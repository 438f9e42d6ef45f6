/* The self-test tests: it passes on this device, and does not when a kernel is wrong, or right but in another order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "support/process.h"
#include "support/tempdir.h"

static char output[1 << 17];

static void assert_output(const char *part) {
  if (!strstr(output, part)) fail_msg("'%s' is not in: %s", part, output);
}

static void test_passes(void **state) {
  (void)state;
  assert_int_equal(process_fovea("", "check --small", output, sizeof output), 0);
  assert_output("promise: the same bits");
  assert_output("\npassed\n");
}

static void test_json(void **state) {
  (void)state;
  assert_int_equal(process_fovea("", "check --small --json", output, sizeof output), 0);
  json_t *all = json_loads(output, 0, NULL);
  assert_non_null(all);
  assert_true(json_is_true(json_object_get(all, "passed")));
  assert_true(json_array_size(json_object_get(all, "ops")) > 20);
  const json_t *training = json_object_get(all, "training");
  assert_int_equal(json_integer_value(json_object_get(training, "steps")), 20);
  assert_string_equal(json_string_value(json_object_get(training, "hash")),
                      json_string_value(json_object_get(training, "expected")));
  json_decref(all);
}

/* The kernels' folder with one text of one file replaced; the path is good until the next call. */
static const char *changed_kernels(const char *file, const char *old, const char *new) {
  static char text[1 << 16], changed[1 << 16], name[256];
  char path[512];
  snprintf(path, sizeof path, "%s/cl/%s", FOVEA_SOURCE_DIR, file);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  text[fread(text, 1, sizeof text - 1, f)] = '\0';
  fclose(f);
  char *at = strstr(text, old);
  if (!at) fail_msg("%s has no '%s'", file, old);
  const int size = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
  snprintf(name, sizeof name, "kernels-%s/%s", file, file);
  temp_file(name, changed, (size_t)size);
  *strrchr(name, '/') = '\0';
  return temp_path(name);
}

static void check_with(const char *folder) {
  char environment[1024];
  snprintf(environment, sizeof environment, "FOVEA_CL_DIR='%s'", folder);
  assert_int_equal(process_fovea(environment, "check --small", output, sizeof output), 1);
  assert_output("\nFAILED\n");
}

/* 1e-3 more than it should be: the op is named, and the place. */
static void test_wrong_kernel(void **state) {
  (void)state;
  check_with(changed_kernels("adam.cl", "(vfloat)(0.1f), g - m", "(vfloat)(0.1001f), g - m"));
  assert_output("WRONG, forward: m[");
}

/* A sample that padding images have, too: it counts nowhere yet. */
static void test_padding(void **state) {
  (void)state;
  check_with(changed_kernels("reparameterize.cl", "vkeep(vexp(logvar * half_one) * eps, b, n_valid)",
                             "vexp(logvar * half_one) * eps"));
  assert_output("WRONG, forward: y[0,0,0,0] of padding image ");
}

/* A multiply and an add where there is an fma: within every tolerance, but not the same bits. */
static void test_other_bits(void **state) {
  (void)state;
  check_with(changed_kernels("adam.cl", "fma((vfloat)(0.1f), g - m, m)", "(vfloat)(0.1f) * (g - m) + m"));
  assert_output("other bits, forward: m[");
  assert_output("WRONG: the recorded checkpoint is ");
  /* of the small network, and of steps of few images */
  assert_output("fovea: check: 0 results outside the tolerance, 2 ops of other bits");
}

static void test_usage(void **state) {
  (void)state;
  assert_int_equal(process_fovea("", "check --device nonesuch", output, sizeof output), 2);
  assert_int_equal(process_fovea("", "check --help", output, sizeof output), 0);
  assert_output("usage: fovea check");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_passes),       cmocka_unit_test(test_json),
                                     cmocka_unit_test(test_wrong_kernel), cmocka_unit_test(test_padding),
                                     cmocka_unit_test(test_other_bits),   cmocka_unit_test(test_usage)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
