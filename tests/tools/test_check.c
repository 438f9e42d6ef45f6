/* The self-test tests: it passes on this device, and does not when a kernel is wrong, or right but in another order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sys/stat.h>

#include "check/check.h"
#include "support/gpu_path.h"
#include "support/kernels.h"
#include "support/process.h"
#include "support/tempdir.h"

static char output[1 << 17];

static void assert_output(const char *part) {
  if (!strstr(output, part)) fail_msg("'%s' is not in: %s", part, output);
}

static void test_passes(void **state) {
  (void)state;
  assert_int_equal(process_fovea("", "check --small", output, sizeof output), 0);
  assert_output("fma(a, b, c)        primitive  conforms ");
  assert_output("exp(a)              ours       right ");
  assert_output("promise: the same bits");
  assert_output("\nnot finite: 6 of 6 passes");
  assert_output("same bits as every other conforming device, of the small network: yes\npassed\n");
}

static json_t *read_json(void) {
  json_t *all = json_loads(output, 0, NULL);
  if (!all) fail_msg("no JSON: %s", output);
  return all;
}

static void test_json(void **state) {
  (void)state;
  assert_int_equal(process_fovea("", "check --small --json 2>/dev/null", output, sizeof output), 0);
  json_t *all = read_json();
  assert_true(json_is_true(json_object_get(all, "passed")));
  assert_string_equal(json_string_value(json_object_get(all, "why")), "");
  assert_int_equal(json_array_size(json_object_get(json_object_get(all, "arithmetic"), "probes")), CHECK_PROBES);
  assert_true(json_array_size(json_object_get(all, "ops")) > 20);
  const json_t *training = json_object_get(all, "training");
  assert_int_equal(json_integer_value(json_object_get(training, "steps")), 20);
  assert_string_equal(json_string_value(json_object_get(training, "hash")),
                      json_string_value(json_object_get(training, "expected")));
  json_decref(all);
}

static const char *cache = ""; /* the environment's part of that, where it is another than the tests' */

static void check_with_all(const kernel_edit *edits, int count, const char *options, int code) {
  char environment[4096], arguments[64];
  snprintf(environment, sizeof environment, "FOVEA_CL_DIR='%s' %s", kernels_changed(edits, count), cache);
  snprintf(arguments, sizeof arguments, "check --small%s", options);
  const int exit_code = process_fovea(environment, arguments, output, sizeof output);
  if (exit_code != code) fail_msg("exit code %d, expected %d: %s", exit_code, code, output);
}

static void check_with(const kernel_edit *edit, const char *options, int code) {
  check_with_all(edit, 1, options, code);
}

/* 1e-3 more than it should be: the op is named, and the place. */
static void test_wrong_kernel(void **state) {
  (void)state;
  check_with(&(kernel_edit){"adam.cl", "(vfloat)(0.1f), g - m", "(vfloat)(0.1001f), g - m"}, "", 1);
  assert_output("WRONG, forward: m[");
  assert_output("\nFAILED\n");
}

/* What shows only in a sample that padding images have, too, and that counts nowhere yet; where several pixels are the
 * largest; where p is clipped. In one run, for a device compiles each anew. */
static void test_rare(void **state) {
  (void)state;
  const kernel_edit edits[] = {
      {"reparameterize.cl", "vkeep(vexp(logvar * half_one) * eps, n0, n_valid)", "vexp(logvar * half_one) * eps"},
      {"channel_attention.cl", "vdiv(vload(dq + LANES), ties)", "vload(dq + LANES)"},
      {"sigmoid_bce.cl", "vmask(p != q) & vmask(p == p)", "vmask(p != p)"}};
  check_with_all(edits, 3, "", 1);
  assert_output("WRONG, forward: y[0,0,0,0] of padding image ");
  assert_output("WRONG, backward: all pixels tie: dx[");
  assert_output("WRONG, backward: saturated: dx[");
}

/* A network that learns on, and says so too late, of a step whose gradient is not finite. */
static void test_not_finite(void **state) {
  (void)state;
  check_with(&(kernel_edit){"losses.cl", "trouble[1] = min(trouble[1], trouble[2]);", ""}, "", 1);
  assert_output("\nnot finite: 5 of 6 passes");
  assert_output("WRONG: its square that overflows is told as: training step 1001");
  assert_output("fovea: check: 1 of 6 passes that are not finite do not stop as they must: do not train");
}

/* A NaN in the middle of it is a finding: what was compared until then is told, and the rest is checked. */
static void test_stopped(void **state) {
  (void)state;
  const kernel_edit poison = {"sigmoid_bce.cl", "const vfloat loss = -fma(", "const vfloat loss = NAN * -fma("};
  check_with(&poison, "", 1);
  assert_output("WRONG, forward: bce[0] is ");
  assert_output("WRONG: the comparison stopped: small: training step 0, counted from 0: the loss is not finite");
  assert_output("WRONG: it stopped: training step 0");
  assert_output("\nFAILED\n");
  assert_output("fovea: check: ");
  assert_output("the comparison of the ops stopped (small: training step 0");
  check_with(&poison, " --json 2>/dev/null", 1);
  json_t *all = read_json(), *training = json_object_get(all, "training");
  assert_true(json_is_false(json_object_get(all, "passed")) && json_is_false(json_object_get(training, "passed")));
  assert_non_null(strstr(json_string_value(json_object_get(all, "ops_stopped")), "the loss is not finite"));
  assert_non_null(strstr(json_string_value(json_object_get(training, "stopped")), "the loss is not finite"));
  json_decref(all);
}

/* A multiply and an add where there is an fma: within every tolerance, but not the same bits. */
static void test_other_bits(void **state) {
  (void)state;
  check_with(&(kernel_edit){"adam.cl", "fma((vfloat)(0.1f), g - m, m)", "(vfloat)(0.1f) * (g - m) + m"}, "", 1);
  assert_output("other bits, forward: m[");
  assert_output("WRONG: the recorded checkpoint is ");
  assert_output("NOT KEPT");
  assert_output("\nFAILED\n");
  assert_output("fovea: check: 2 ops have other bits, the training's checkpoint is not the recorded one: do not train");
}

/* By a GPU's path, which compiles all kernels anew, the fault is in the probes alone; the verdict is the same. */
static const kernel_edit probed_exp = {"arithmetic.cl", "y = vexp(a);", "y = vexp(a) * (vfloat)(1.0000001f);"};

/* The same of exp where all else is compiled already: in the probes, the loss and the sample. */
#define MATH "#include \"common/math.clh\""
#define MISCOMPILED "#include \"common/miscompiled.clh\""
static const kernel_edit miscompiled_exp[] = {
    {"common/math.clh>common/miscompiled.clh", "p = fma(p, r, (vfloat)(5.0000001201e-1f));",
     "p = p * r + (vfloat)(5.0000001201e-1f);"},
    {"arithmetic.cl", MATH, MISCOMPILED},
    {"sigmoid_bce.cl", MATH, MISCOMPILED},
    {"reparameterize.cl", MATH, MISCOMPILED}};

/* Where the primitives conform, that is no reason to take the promise back. */
static void test_miscompiled_exp(void **state) {
  (void)state;
  check_with_all(on_gpu_path() ? &probed_exp : miscompiled_exp, on_gpu_path() ? 1 : 4, "", 1);
  assert_output("fma(a, b, c)        primitive  conforms ");
  assert_output("exp(a)              ours       OTHER BITS ");
  assert_output("promise: the same bits");
  assert_output("NOT KEPT");
  assert_output("\nFAILED\n");
  assert_output("fovea: check: exp(a) has other bits");
  if (!on_gpu_path()) assert_output(", sigmoid(a) has other bits, ");
  if (!on_gpu_path()) assert_output("WRONG: the recorded checkpoint is ");
}

static void test_json_of_a_failure(void **state) {
  (void)state;
  check_with(&probed_exp, " --json 2>/dev/null", 1);
  json_t *all = read_json();
  json_t *arithmetic = json_object_get(all, "arithmetic"), *probe = NULL;
  size_t i = 0, failed = 0;
  assert_true(json_is_true(json_object_get(arithmetic, "primitives_conform")));
  assert_true(json_is_false(json_object_get(arithmetic, "passed")));
  json_array_foreach(json_object_get(arithmetic, "probes"), i, probe) {
    const char *name = json_string_value(json_object_get(probe, "name"));
    const bool good = json_is_true(json_object_get(probe, "passed"));
    assert_int_equal(good, strcmp(name, "exp(a)") != 0);
    failed += !good;
  }
  assert_int_equal(failed, 1);
  assert_true(json_is_true(json_object_get(all, "same_bits_promised")));
  assert_true(json_is_false(json_object_get(all, "passed")));
  assert_non_null(strstr(json_string_value(json_object_get(all, "why")), "exp(a) has other bits"));
  json_decref(all);
}

/* A device whose fma rounds twice, everywhere: other bits, errors within their bounds, and no promise. */
static void test_device_without_fma(void **state) {
  (void)state;
  const kernel_edit everywhere = {"common/vector.clh", "#pragma OPENCL FP_CONTRACT OFF",
                                  "#pragma OPENCL FP_CONTRACT OFF\n#define fma(a, b, c) ((a) * (b) + (c))"};
  const kernel_edit probed = {
      "arithmetic.cl", "#include \"common/math.clh\"",
      "#include \"common/vector.clh\"\n#define fma(a, b, c) ((a) * (b) + (c))\n#include \"common/math.clh\""};
  /* All kernels are others, and would be compiled a second time for our cache. */
  char none[2048];
  snprintf(none, sizeof none, "XDG_CACHE_HOME=/dev/null POCL_CACHE_DIR='%s'", temp_path("kernels"));
  assert_int_equal(mkdir(temp_path("kernels"), 0700), 0);
  cache = none;
  check_with(on_gpu_path() ? &probed : &everywhere, "", 0);
  cache = "";
  assert_output("fma(a, b, c)        primitive  does not conform ");
  assert_output("exp(a)              ours       other bits, in bound ");
  assert_output("promise: the same bytes run after run on this device");
  if (!on_gpu_path()) assert_output("other bits: the recorded checkpoint is ");
  assert_output("same bits as every other conforming device, of the small network: not promised\npassed\n");
}

static void test_usage(void **state) {
  (void)state;
  assert_int_equal(process_fovea("", "check --device nonesuch", output, sizeof output), 2);
  assert_int_equal(process_fovea("", "check --help", output, sizeof output), 0);
  assert_output("usage: fovea check");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_passes),
                                     cmocka_unit_test(test_json),
                                     cmocka_unit_test(test_wrong_kernel),
                                     cmocka_unit_test(test_rare),
                                     cmocka_unit_test(test_not_finite),
                                     cmocka_unit_test(test_stopped),
                                     cmocka_unit_test(test_other_bits),
                                     cmocka_unit_test(test_miscompiled_exp),
                                     cmocka_unit_test(test_json_of_a_failure),
                                     cmocka_unit_test(test_device_without_fma),
                                     cmocka_unit_test(test_usage)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
