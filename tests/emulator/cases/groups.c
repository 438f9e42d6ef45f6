/* Local memory, barriers, and values of other lanes, by groups of several waves: groups.cl. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { COUNT = 4096 };

static harness h;
static uint32_t x[COUNT], y[8 * COUNT];
static const size_t P = sizeof(cl_mem), NONE = 0;
static const void *const LOCAL = NULL; /* the value of an argument in local memory */

static void fill(void) {
  uint64_t state = 7;
  for (int i = 0; i < COUNT; i++) x[i] = harness_random(&state);
}

static const size_t sizes[] = {1, 16, 32, 33, 64, 100, 128, 256, 1024};

static void test_reverse(void **state) {
  (void)state;
  fill();
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    const size_t n = sizes[s], global = COUNT / n * n;
    cl_mem from = harness_buffer(&h, sizeof x, x), to = harness_buffer(&h, sizeof x, NULL);
    cl_kernel k = harness_kernel(&h, "reverse", P, &from, P, &to, NONE);
    assert_int_equal(harness_launch(&h, k, 1, NULL, &global, &n, NULL, 0), CL_SUCCESS);
    harness_read(&h, to, sizeof x, y);
    for (size_t i = 0; i < global; i++)
      if (y[i] != x[i / n * n + n - 1 - i % n]) fail_msg("groups of %zu, word %zu", n, i);
    clReleaseMemObject(from);
    clReleaseMemObject(to);
  }
}

static void test_tree(void **state) {
  (void)state;
  float v[COUNT], t[1024], got[COUNT];
  uint64_t seed = 3;
  for (int i = 0; i < COUNT; i++) v[i] = (float)harness_random(&seed) * 0x1p-31F - 1;
  for (size_t n = 2; n <= 1024; n *= 2) {
    const size_t global = COUNT;
    cl_mem from = harness_buffer(&h, sizeof v, v), to = harness_buffer(&h, sizeof v, NULL);
    cl_kernel k = harness_kernel(&h, "tree", P, &from, P, &to, NONE);
    assert_int_equal(harness_launch(&h, k, 1, NULL, &global, &n, NULL, 0), CL_SUCCESS);
    harness_read(&h, to, COUNT / n * sizeof(float), got);
    for (size_t g = 0; g < COUNT / n; g++) {
      memcpy(t, v + g * n, n * sizeof *t);
      for (size_t half = n / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) t[l] = t[l] + t[l + half];
      if (memcmp(&got[g], &t[0], sizeof(float)) != 0)
        fail_msg("groups of %zu, group %zu: %.9g, not %.9g", n, g, (double)got[g], (double)t[0]);
    }
    clReleaseMemObject(from);
    clReleaseMemObject(to);
  }
}

static void test_transpose(void **state) {
  (void)state;
  enum { SIDE = 64 };
  float v[SIDE * SIDE], got[SIDE * SIDE];
  for (int i = 0; i < SIDE * SIDE; i++) v[i] = (float)i;
  for (size_t n = 4; n <= 32; n *= 2) {
    const size_t global[2] = {SIDE, SIDE}, local[2] = {n, n};
    const cl_int side = SIDE;
    cl_mem from = harness_buffer(&h, sizeof v, v), to = harness_buffer(&h, sizeof v, NULL);
    cl_kernel k = harness_kernel(&h, "transpose", P, &from, P, &to, sizeof side, &side, n * (n + 1) * sizeof(float),
                                 LOCAL, n * sizeof(float), LOCAL, NONE);
    assert_int_equal(harness_launch(&h, k, 2, NULL, global, local, NULL, 0), CL_SUCCESS);
    harness_read(&h, to, sizeof v, got);
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++) {
        const float wanted = v[j * SIDE + i] + (float)(i % (int)n);
        if (got[i * SIDE + j] != wanted)
          fail_msg("tiles of %zu, row %d, column %d: %g, not %g", n, i, j, (double)got[i * SIDE + j], (double)wanted);
      }
    clReleaseMemObject(from);
    clReleaseMemObject(to);
  }
}

static uint32_t width_sum(const uint32_t *v, uint32_t l) {
  const uint32_t m = (l * 37 + 11) & 255, t = v[m];
  uint32_t sum =
      t + 2 * (t + 1) + 3 * (t * 3) + 5 * (t ^ 5) + 7 * (t * 7) + 11 * (t >> 3) + 13 * t + 17 * (t * 5) + 19 * (t - 9);
  const int32_t byte = (int32_t)(v[l] << 24) >> 24, half = (int16_t)(t >> 4);
  return sum + (t & 255) + (uint32_t)byte + (t >> 4 & 0xffff) + (uint32_t)half;
}

static void test_widths(void **state) {
  (void)state;
  const size_t global = COUNT, n = 256;
  fill();
  cl_mem from = harness_buffer(&h, sizeof x, x), to = harness_buffer(&h, sizeof x, NULL);
  cl_kernel k = harness_kernel(&h, "widths", P, &from, P, &to, NONE);
  assert_int_equal(harness_launch(&h, k, 1, NULL, &global, &n, NULL, 0), CL_SUCCESS);
  harness_read(&h, to, sizeof x, y);
  for (uint32_t i = 0; i < COUNT; i++) {
    const uint32_t *v = x + i / 256 * 256, m = ((i & 255) * 37 + 11) & 255;
    const uint32_t wanted = width_sum(v, m) + 3 * v[m];
    if (y[i] != wanted) fail_msg("word %u: 0x%08x, not 0x%08x", i, y[i], wanted);
  }
  clReleaseMemObject(from);
  clReleaseMemObject(to);
}

static void test_scan(void **state) {
  (void)state;
  const size_t global = COUNT, n = 256;
  const cl_int rounds = 8;
  fill();
  cl_mem from = harness_buffer(&h, sizeof x, x), to = harness_buffer(&h, sizeof x, NULL);
  cl_kernel k = harness_kernel(&h, "scan", P, &from, P, &to, sizeof rounds, &rounds, NONE);
  assert_int_equal(harness_launch(&h, k, 1, NULL, &global, &n, NULL, 0), CL_SUCCESS);
  harness_read(&h, to, sizeof x, y);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < COUNT; i++) {
    sum = i % 256 ? sum + x[i] : x[i];
    if (y[i] != sum) fail_msg("word %u: 0x%08x, not 0x%08x", i, y[i], sum);
  }
  clReleaseMemObject(from);
  clReleaseMemObject(to);
}

static uint32_t three(size_t a, size_t b, size_t c) { return (uint32_t)(a | b << 10 | c << 20); }

static void test_places(void **state) {
  (void)state;
  const size_t o[3] = {3, 7, 1}, n[3] = {12, 10, 4}, l[3] = {4, 5, 2};
  const cl_uint width = 12, height = 10;
  cl_mem to = harness_buffer(&h, sizeof y, NULL);
  cl_kernel k = harness_kernel(&h, "places", P, &to, sizeof width, &width, sizeof height, &height, NONE);
  assert_int_equal(harness_launch(&h, k, 3, o, n, l, NULL, 0), CL_SUCCESS);
  harness_read(&h, to, sizeof y, y);
  for (size_t w = 0; w < n[2]; w++)
    for (size_t v = 0; v < n[1]; v++)
      for (size_t u = 0; u < n[0]; u++) {
        const uint32_t wanted[8] = {three(u + o[0], v + o[1], w + o[2]),
                                    three(u % l[0], v % l[1], w % l[2]),
                                    three(u / l[0], v / l[1], w / l[2]),
                                    three(l[0], l[1], l[2]),
                                    three(n[0] / l[0], n[1] / l[1], n[2] / l[2]),
                                    three(n[0], n[1], n[2]),
                                    three(o[0], o[1], o[2]),
                                    3};
        for (int i = 0; i < 8; i++)
          if (y[8 * ((w * 10 + v) * 12 + u) + (size_t)i] != wanted[i])
            fail_msg("item %zu %zu %zu, answer %d", u, v, w, i);
      }
  clReleaseMemObject(to);
}

static uint32_t way_sum(uint32_t v, uint32_t l) {
  uint32_t sum = 0;
  for (uint32_t k = 0; k < (v & 7); k++) {
    if (v >> (k + 3) & 1) {
      for (uint32_t m = l & 3; m < k; m++) {
        sum = 3 * sum + m;
        if ((sum ^ v) % 5 == 0) break;
      }
      if ((v & 0x700) == 0x300) continue;
      sum += k;
    } else if (k == 5 && (v & 0x10000)) {
      sum = ~sum;
      break;
    }
    sum ^= v >> k;
  }
  return sum;
}

static void test_ways(void **state) {
  (void)state;
  const size_t global = COUNT, n = 64;
  fill();
  cl_mem from = harness_buffer(&h, sizeof x, x), to = harness_buffer(&h, sizeof x, NULL);
  cl_kernel k = harness_kernel(&h, "ways", P, &from, P, &to, NONE);
  assert_int_equal(harness_launch(&h, k, 1, NULL, &global, &n, NULL, 0), CL_SUCCESS);
  harness_read(&h, to, sizeof x, y);
  for (uint32_t i = 0; i < COUNT; i++) {
    const uint32_t l = i % 64;
    uint32_t sum = way_sum(x[i], l) + way_sum(x[i - l + (l ^ 33)], l ^ 33), wanted = sum;
    for (uint32_t j = 0; j < 40 && !(x[i] & 64); j++) {
      sum = 5 * sum + j;
      if (sum % 7 == l % 7) break;
      wanted = sum;
    }
    if (y[i] != wanted) fail_msg("word %u: 0x%08x, not 0x%08x", i, y[i], wanted);
  }
  clReleaseMemObject(from);
  clReleaseMemObject(to);
}

static void test_lanes(void **state) {
  (void)state;
  const size_t global = COUNT, n = 64;
  fill();
  cl_mem from = harness_buffer(&h, sizeof x, x), to = harness_buffer(&h, sizeof y, NULL);
  cl_kernel k = harness_kernel(&h, "lanes", P, &from, P, &to, NONE);
  size_t width = 0;
  clGetKernelWorkGroupInfo(k, h.device, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, sizeof width, &width, NULL);
  assert_int_equal(harness_launch(&h, k, 1, NULL, &global, &n, NULL, 0), CL_SUCCESS);
  harness_read(&h, to, sizeof y, y);
  for (uint32_t i = 0; i < COUNT; i++) {
    const uint32_t l = i & 31, *wave = x + i / (uint32_t)width * (uint32_t)width;
    if (y[i] != wave[(l * 5 + 3) & 31]) fail_msg("permute, item %u", i);
    if (y[COUNT + i] != x[i ^ 1]) fail_msg("swizzle, item %u", i);
    if (y[2 * COUNT + i] != x[i ^ 3]) fail_msg("swizzle of four, item %u", i);
    if (y[3 * COUNT + i] != wave[0]) fail_msg("first lane, item %u", i);
  }
  clReleaseMemObject(from);
  clReleaseMemObject(to);
}

int main(void) {
  if (!harness_can_compile()) return HARNESS_SKIPPED;
  if (!harness_build(&h, "groups.cl", "-cl-std=CL1.2")) {
    fprintf(stderr, "%s\n", h.log);
    return 1;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reverse),   cmocka_unit_test(test_tree),
                                     cmocka_unit_test(test_transpose), cmocka_unit_test(test_widths),
                                     cmocka_unit_test(test_scan),      cmocka_unit_test(test_places),
                                     cmocka_unit_test(test_ways)};
  const struct CMUnitTest of_amd[] = {cmocka_unit_test(test_lanes)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (!harness_is_nvidia()) failed += cmocka_run_group_tests(of_amd, NULL, NULL); /* our kernels have no such ones */
  harness_close(&h);
  return failed;
}
