/* The benchmark: what it reckons, and that its results hang together. Nothing here is about a speed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "bench/bench.h"
#include "support/process.h"

#define SMALL "--units 3,2,1 --batch 16 --steps 1 "

static char output[1 << 18];

/* Where stderr is not looked at it is thrown away, so that what is left is the JSON alone. */
static json_t *bench(const char *arguments) {
  char line[256];
  snprintf(line, sizeof line, "bench --json %s 2>/dev/null", arguments);
  assert_int_equal(process_fovea("", line, output, sizeof output), 0);
  json_error_t error;
  json_t *all = json_loads(output, 0, &error);
  if (!all) fail_msg("line %d: %s", error.line, error.text);
  return all;
}

static double number(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_number(value)) fail_msg("%s is no number", key);
  return json_number_value(value);
}

static double sum(const json_t *list, const char *key) {
  double total = 0;
  for (size_t i = 0; i < json_array_size(list); i++) total += number(json_array_get(list, i), key);
  return total;
}

static void assert_close(double a, double b, double relative) {
  if (!(fabs(a - b) <= relative * fabs(b))) fail_msg("%.17g is not %.17g", a, b);
}

/* 1x4x4 -> a: 3x3 to 2, relu -> c: 3x3 to 3; both to e: 3x3 to 1 -> the loss. Values of an image: a 32, c 48, e 16. */
static void test_work_by_hand(void **state) {
  (void)state;
  fovea_graph *graph = NULL;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  fovea_conv2d conv = {.filters = 2, .kernel = 3, .stride = 1, .same = true};
  const fovea_tensor a =
      fovea_add_activation(graph, fovea_add_conv2d(graph, fovea_add_input(graph, 1, 4, 4), "a", &conv), FOVEA_RELU);
  conv.filters = 3;
  const fovea_tensor c = fovea_add_conv2d(graph, a, "c", &conv);
  conv.filters = 1;
  fovea_add_sigmoid_bce(graph, fovea_add_conv2d(graph, fovea_add_concat(graph, a, c), "e", &conv));
  assert_int_equal(fovea_graph_check(graph), FOVEA_OK);
  const fovea_work work = fovea_work_of(graph, 10);
  fovea_graph_destroy(graph);
  const double flops_a = 2 * 9 * 2 * 16, flops_c = 2 * 9 * 2 * 3 * 16, flops_e = 2 * 9 * 5 * 16, weights = 18 + 54 + 45;
  assert_close(work.forward_flops, 10 * (flops_a + flops_c + flops_e), 0);
  assert_close(work.step_flops, 10 * (2 * flops_a + 3 * flops_c + 3 * flops_e), 0);
  const double values = 4 * 32 * (1 + 2) + 4 * 48 * (1 + 1) + 4 * 16 * (1 + 1); /* written, and read by those after */
  const double images = 2 * 16, reconstruction = 4 * 16;
  assert_close(work.forward_bytes, 10 * (images + values + reconstruction) + 4 * weights, 0);
  const double gradients = 4 * 32 * (3 + 1) + 4 * 48 * (1 + 1) + 4 * 16 * (1 + 1); /* a's: write, read, write; read */
  const double saved = 16 + 4 * 32 + 4 * (32 + 48) + 4 * 32; /* inputs of a, c and e; relu's output */
  assert_close(work.step_bytes, 10 * (images + values + gradients + saved) + 40 * weights, 0);
  assert_close(work.activations, 10 * 4 * (32 + 48 + 16 + 16), 0);
}

static void assert_spread(const json_t *pass, double batch) {
  const json_t *seconds = json_object_get(pass, "seconds");
  const double least = number(seconds, "least"), lower = number(seconds, "lower"), median = number(seconds, "median");
  assert_true(0 < least && least <= lower && lower <= median);
  assert_true(median <= number(seconds, "upper") && number(seconds, "upper") <= number(seconds, "most"));
  assert_close(number(pass, "images_per_s"), batch / median, 1e-9);
}

/* The seed network: 50.94 million multiply-adds an image forward, 305 MFLOP a training step. */
static void assert_seed(const json_t *all) {
  const json_t *training = json_object_get(all, "training"), *inference = json_object_get(all, "inference");
  assert_spread(training, 16);
  assert_spread(inference, 16);
  assert_close(number(training, "flops_an_image"), 305e6, 0.002);
  assert_close(number(inference, "flops_an_image"), 2 * 50.94e6, 0.0002);
  assert_true(number(training, "fewest_bytes") > number(inference, "fewest_bytes"));
  const double ceiling = fmax(number(all, "fma_before"), number(all, "fma_after"));
  assert_close(number(training, "share_of_ceiling"),
               number(training, "flops_an_image") * number(training, "images_per_s") / ceiling, 1e-9);
}

static void test_seed(void **state) {
  (void)state;
  json_t *all = bench("--batch 16 --steps 2");
  assert_seed(all);
  assert_true(number(all, "bandwidth") > 0 && number(all, "memory") > 1e6 && number(all, "resident") > 1e6);
  assert_true(json_is_string(json_object_get(all, "device")) && json_is_string(json_object_get(all, "blas")));
  const json_t *breakdown = json_object_get(all, "breakdown"), *kernels = json_object_get(all, "kernels");
  assert_close(sum(breakdown, "seconds"), number(all, "profiled_step_seconds"), 1e-9);
  assert_close(sum(breakdown, "share"), 1, 1e-9);
  const json_t *between = json_array_get(breakdown, json_array_size(breakdown) - 1);
  assert_string_equal(json_string_value(json_object_get(between, "kind")), "between kernels");
  assert_close(sum(breakdown, "seconds") - number(between, "seconds"), sum(kernels, "seconds") / 2, 1e-9);
  assert_close(sum(breakdown, "bytes"), sum(kernels, "bytes") / 2, 1e-9);
  size_t found = 0;
  for (size_t i = 0; i < json_array_size(kernels); i++) {
    const json_t *k = json_array_get(kernels, i);
    const char *kernel = json_string_value(json_object_get(k, "kernel"));
    if (!(number(k, "bytes") > 0)) fail_msg("%s declares no bytes", kernel);
    assert_true(json_integer_value(json_object_get(k, "launches")) % 2 == 0);
    found += strcmp(json_string_value(json_object_get(k, "shape")), "85x28x28->25x28x28") == 0 &&
             strcmp(json_string_value(json_object_get(k, "op")), "conv2d forward") == 0;
  }
  assert_true(found > 0);
  json_decref(all);
}

static void test_text(void **state) {
  (void)state;
  assert_int_equal(process_fovea("", "bench " SMALL, output, sizeof output), 0);
  static const char *const parts[] = {
      "\ntraining ",           "\ninference ",      "\nmemory ", "\nconvolution forward ",
      "\nbatch normalization", "\nbetween kernels", "\nkernel ", "resident"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!strstr(output, parts[i])) fail_msg("'%s' is not in: %s", parts[i], output);
}

/* A part of the device, or a refusal that says why. */
static void test_threads(void **state) {
  (void)state;
  const int code = process_fovea("", "bench --threads 1 " SMALL "--json 2>&1 | grep -E 'compute_units|gives no part'",
                                 output, sizeof output);
  assert_int_equal(code, 0);
  assert_true(strstr(output, "\"compute_units\": 1,") || strstr(output, "gives no part of 1"));
}

static void test_growth(void **state) {
  (void)state;
  json_t *all = bench("--growth " SMALL), *growth = json_object_get(all, "growth");
  static const struct {
    const char *name;
    size_t rows;
  } tables[] = {{"batch", 7}, {"pixels", 3}, {"units", 3}};
  for (size_t i = 0; i < 3; i++) {
    const json_t *table = json_object_get(growth, tables[i].name), *first = json_array_get(table, 0);
    assert_int_equal(json_array_size(table), tables[i].rows);
    assert_close(number(first, "time_ratio"), 1, 1e-12);
    assert_close(number(first, "memory_ratio"), 1, 1e-12);
    for (size_t j = 1; j < tables[i].rows; j++)
      assert_true(json_object_get(json_array_get(table, j), "error") ||
                  number(json_array_get(table, j), "flops") > number(json_array_get(table, j - 1), "flops"));
  }
  assert_true(json_array_size(json_object_get(growth, "threads")) > 0);
  json_decref(all);
}

/* What cannot be run is said in its row, and the rest goes on. */
static void test_growth_skips(void **state) {
  (void)state;
  json_t *all = bench("--growth --size 4096 " SMALL), *growth = json_object_get(all, "growth");
  const json_t *row = json_array_get(json_object_get(growth, "batch"), 0);
  assert_non_null(strstr(json_string_value(json_object_get(row, "error")), "4194304"));
  assert_null(json_object_get(json_array_get(json_object_get(growth, "pixels"), 0), "error"));
  json_decref(all);
}

static void test_usage(void **state) {
  (void)state;
  static const char *const bad[][2] = {{"--steps 0", "0"},
                                       {"--batch 70000", "70000"},
                                       {"--size 5000", "5000"},
                                       {"--units 3,x", "3,x"},
                                       {"--threads -7", "-7"},
                                       {"--device none", "none"},
                                       {"--growth --data D", "--data D"},
                                       {"--size 8x9", "8x9"},
                                       {"--fit pad", "--fit says how --data is read"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char line[128];
    snprintf(line, sizeof line, "bench %s 2>&1", bad[i][0]);
    assert_int_equal(process_fovea("", line, output, sizeof output), 2);
    if (!strstr(output, bad[i][1])) fail_msg("%s: '%s' is not in: %s", bad[i][0], bad[i][1], output);
  }
  assert_int_equal(process_fovea("", "bench --help", output, sizeof output), 0);
  assert_non_null(strstr(output, "usage: fovea bench"));
}

/* An argument is a pattern of the tests to run, $BENCH_WITHOUT of those that are not. */
int main(int argc, char **argv) {
  const char *without = getenv("BENCH_WITHOUT");
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  if (without != NULL) cmocka_set_skip_filter(without);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_work_by_hand), cmocka_unit_test(test_seed),
                                     cmocka_unit_test(test_text),         cmocka_unit_test(test_threads),
                                     cmocka_unit_test(test_growth),       cmocka_unit_test(test_growth_skips),
                                     cmocka_unit_test(test_usage)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
