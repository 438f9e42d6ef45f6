/* Buffers, launches and the profile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/launch.h"

static char folder[64];
static fovea_device *device;

static const char source[] =
    "__kernel void scale(__global float *x, const ulong offset, const int n, const float a) {\n"
    "  const size_t i = get_global_id(0);\n"
    "  if (i < (size_t)n) x[offset + i] = a * x[offset + i];\n"
    "}\n"
    "__kernel void where(__global uint *x) { x[get_global_id(0)] = (uint)get_local_size(0); }\n"
    "__kernel void reversed(__global uint *x, __local uint *t) {\n"
    "  t[get_local_id(0)] = (uint)get_global_id(0);\n"
    "  barrier(CLK_LOCAL_MEM_FENCE);\n"
    "  x[get_global_id(0)] = t[get_local_size(0) - 1 - get_local_id(0)];\n"
    "}\n"
    "__kernel __attribute__((reqd_work_group_size(8, 1, 1))) void eight(__global uint *x) { x[get_global_id(0)] = 8; "
    "}\n";

static int setup(void **state) {
  (void)state;
  char path[128];
  snprintf(folder, sizeof folder, "/tmp/fovea-launch-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/t.cl", folder);
  FILE *f = fopen(path, "w");
  if (!f) return 1;
  fputs(source, f);
  if (fclose(f)) return 1;
  setenv("FOVEA_CL_DIR", folder, 1);
  setenv("XDG_CACHE_HOME", folder, 1);
  return fovea_device_open(NULL, &device) != FOVEA_OK;
}

static int teardown(void **state) {
  (void)state;
  char command[128];
  uint64_t allocated = device->allocated;
  fovea_device_close(device);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  return system(command) != 0 || allocated != 0;
}

static void assert_message(const char *part) {
  if (!strstr(fovea_error_message(), part)) fail_msg("'%s' is not in: %s", part, fovea_error_message());
}

static fovea_buffer *new_buffer(size_t size) {
  fovea_buffer *b = NULL;
  assert_int_equal(fovea_buffer_create(device, size, "test", &b), FOVEA_OK);
  return b;
}

/* --- buffers --------------------------------------------------------------------------------------------------- */

static void created_zero(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 3, 4, 5, 60, 64, 68, 1000003};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    /* Twice, since the memory of the first may come back as the second. */
    for (int again = 0; again < 2; again++) {
      fovea_buffer *b = new_buffer(sizes[i]);
      unsigned char *data = malloc(sizes[i]);
      assert_non_null(data);
      memset(data, 0xff, sizes[i]);
      assert_int_equal(fovea_buffer_read(b, 0, sizes[i], data), FOVEA_OK);
      for (size_t j = 0; j < sizes[i]; j++) assert_int_equal(data[j], 0);
      memset(data, 0xff, sizes[i]);
      assert_int_equal(fovea_buffer_write(b, 0, sizes[i], data), FOVEA_OK);
      free(data);
      fovea_buffer_destroy(b);
    }
  }
  fovea_buffer_destroy(new_buffer(0));
  fovea_buffer_destroy(NULL);
}

static void zero_within_range(void **state) {
  (void)state;
  enum { SIZE = 301 };
  unsigned char data[SIZE];
  fovea_buffer *b = new_buffer(SIZE);
  for (size_t offset = 0; offset < SIZE; offset += 1 + offset / 9) {
    for (size_t size = 0; offset + size <= SIZE; size += 1 + size / 5) {
      memset(data, 0xff, SIZE);
      assert_int_equal(fovea_buffer_write(b, 0, SIZE, data), FOVEA_OK);
      assert_int_equal(fovea_buffer_zero(b, offset, size), FOVEA_OK);
      assert_int_equal(fovea_buffer_read(b, 0, SIZE, data), FOVEA_OK);
      for (size_t j = 0; j < SIZE; j++) {
        unsigned char wanted = j >= offset && j < offset + size ? 0 : 0xff;
        if (data[j] != wanted) fail_msg("zero of %zu at %zu: byte %zu is %d", size, offset, j, data[j]);
      }
    }
  }
  fovea_buffer_destroy(b);
}

/* The other half of fill.cl. */
static void zero_on_the_path_of_a_gpu(void **state) {
  fovea_device *usual = device, *forced = NULL;
  const bool is_forced = usual->tuning.vector == 1;
  if (is_forced)
    unsetenv("FOVEA_VECTOR");
  else
    setenv("FOVEA_VECTOR", "1", 1);
  assert_int_equal(fovea_device_open(NULL, &forced), FOVEA_OK);
  device = forced;
  zero_within_range(state);
  device = usual;
  fovea_device_close(forced);
  if (is_forced)
    setenv("FOVEA_VECTOR", "1", 1);
  else
    unsetenv("FOVEA_VECTOR");
}

static void bounds(void **state) {
  (void)state;
  char data[32] = {0};
  fovea_buffer *b = new_buffer(16);
  static const size_t cases[][2] = {{0, 17}, {16, 1}, {17, 0}, {SIZE_MAX, 2}, {2, SIZE_MAX}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(fovea_buffer_write(b, cases[i][0], cases[i][1], data), FOVEA_INVALID);
    assert_int_equal(fovea_buffer_write_async(b, cases[i][0], cases[i][1], data), FOVEA_INVALID);
    assert_int_equal(fovea_buffer_read(b, cases[i][0], cases[i][1], data), FOVEA_INVALID);
    assert_int_equal(fovea_buffer_zero(b, cases[i][0], cases[i][1]), FOVEA_INVALID);
  }
  assert_message("buffer of 16 bytes");
  assert_int_equal(fovea_buffer_write(b, 16, 0, data), FOVEA_OK);
  fovea_buffer_destroy(b);
}

static void too_large(void **state) {
  (void)state;
  fovea_buffer *b = NULL;
  assert_int_equal(fovea_buffer_create(device, (size_t)device->info.max_allocation + 1, "gradients", &b),
                   FOVEA_NO_MEMORY);
  assert_message("gradients: ");
  assert_message("largest buffer");
  assert_int_equal(fovea_buffer_create(device, SIZE_MAX, "gradients", &b), FOVEA_NO_MEMORY);
  uint64_t allocated = device->allocated;
  device->allocated = device->info.global_memory - 100;
  assert_int_equal(fovea_buffer_create(device, 1024, "weights", &b), FOVEA_NO_MEMORY);
  device->allocated = allocated;
  assert_message("weights: 1.0 KiB");
  assert_null(b);
}

static void writes_are_staged(void **state) {
  (void)state;
  enum { N = 4096, WRITES = 50 };
  uint32_t *data = malloc(N * sizeof *data);
  assert_non_null(data);
  fovea_buffer *b = new_buffer(WRITES * N * sizeof *data);
  for (uint32_t w = 0; w < WRITES; w++) {
    for (uint32_t i = 0; i < N; i++) data[i] = w * N + i;
    size_t n = w % 2 ? N : N / 2; /* the staging grows and is reused */
    assert_int_equal(fovea_buffer_write_async(b, w * N * sizeof *data, n * sizeof *data, data), FOVEA_OK);
    memset(data, 0xee, N * sizeof *data);
  }
  for (uint32_t w = 0; w < WRITES; w++) {
    assert_int_equal(fovea_buffer_read(b, w * N * sizeof *data, N * sizeof *data, data), FOVEA_OK);
    for (uint32_t i = 0; i < (w % 2 ? N : N / 2); i++) assert_int_equal(data[i], w * N + i);
  }
  free(data);
  fovea_buffer_destroy(b);
}

/* --- launches -------------------------------------------------------------------------------------------------- */

static void runs(void **state) {
  (void)state;
  float data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  static const float wanted[8] = {1, 2, -6, -8, -10, 6, 7, 8};
  fovea_launch *l = NULL;
  fovea_buffer *b = new_buffer(sizeof data);
  assert_int_equal(fovea_buffer_write(b, 0, sizeof data, data), FOVEA_OK);
  assert_int_equal(fovea_launch_create(device, "t.cl", "", "scale", &l), FOVEA_OK);
  fovea_launch_slice(l, "x", (fovea_slice){b, 2});
  fovea_launch_int(l, "n", 3);
  fovea_launch_float(l, "a", -2);
  fovea_launch_range(l, 6, 1, 1);
  assert_int_equal(fovea_launch_ready(l), FOVEA_OK);
  assert_int_equal(fovea_launch_enqueue(l), FOVEA_OK);
  assert_int_equal(fovea_buffer_read(b, 0, sizeof data, data), FOVEA_OK);
  assert_memory_equal(data, wanted, sizeof data);
  assert_string_equal(fovea_launch_name(l), "scale");
  fovea_launch_destroy(l);
  fovea_launch_destroy(NULL);
  fovea_buffer_destroy(b);
}

static void local_sizes(void **state) {
  (void)state;
  static const size_t ranges[][2] = {{1, 1}, {7, 7}, {64, 64}, {96, 48}, {127, 1}, {128, 64}};
  uint32_t data[128];
  fovea_tuning tuning = device->tuning;
  device->tuning.group = 64;
  fovea_buffer *b = new_buffer(sizeof data);
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    fovea_launch *l = NULL;
    fovea_launch_create(device, "t.cl", "", "where", &l);
    fovea_launch_buffer(l, "x", b);
    fovea_launch_range(l, ranges[i][0], 1, 1);
    assert_int_equal(fovea_launch_ready(l), FOVEA_OK);
    assert_int_equal(fovea_launch_enqueue(l), FOVEA_OK);
    assert_int_equal(fovea_buffer_read(b, 0, sizeof data, data), FOVEA_OK);
    assert_int_equal(data[0], ranges[i][1]);
    fovea_launch_destroy(l);
  }
  device->tuning = tuning;
  fovea_buffer_destroy(b);
}

/* Work-items from the origin on, and of a part from its first on; groups of two, which no part cuts. */
static void origin(void **state) {
  (void)state;
  static const struct {
    fovea_launch_shard part;
    int begin, end;
    const char *refusal; /* NULL: done */
  } cases[] = {{{0, 0, 0}, 8, 24, NULL},
               {{0, 4, 2}, 12, 14, NULL},
               {{0, 3, 4}, 11, 15, NULL},
               {{0, 14, 2}, 22, 24, NULL},
               {{1, 0, 1}, 8, 24, NULL},
               {{0, 4, 3}, 0, 0, "where: a part of 3 work-items cuts its groups of 2"},
               {{0, 4, 1}, 0, 0, "where: a part of 1 work-items cuts its groups of 2"},
               {{0, 15, 2}, 0, 0, "where: work-items 15 to 16 are not all among 16"},
               {{0, 0, 18}, 0, 0, "where: work-items 0 to 17 are not all among 16"},
               {{0, SIZE_MAX, 2}, 0, 0, "are not all among 16"},
               {{1, 1, 1}, 0, 0, "where: work-items 1 to 1 are not all among 1"},
               {{3, 0, 1}, 0, 0, "where: a part along axis 3 of 0 to 2"}};
  uint32_t data[32];
  fovea_launch *l = NULL;
  fovea_buffer *b = new_buffer(sizeof data);
  fovea_launch_create(device, "t.cl", "", "where", &l);
  fovea_launch_buffer(l, "x", b);
  fovea_launch_local_most(l, 2);
  fovea_launch_range(l, 16, 1, 1);
  fovea_launch_origin(l, 0, 8);
  assert_int_equal(fovea_launch_ready(l), FOVEA_OK);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    assert_int_equal(fovea_buffer_zero(b, 0, sizeof data), FOVEA_OK);
    const fovea_status status = fovea_launch_enqueue_shard(l, cases[c].part, device->queue, 0, NULL, NULL);
    assert_int_equal(status, cases[c].refusal ? FOVEA_INVALID : FOVEA_OK);
    if (cases[c].refusal) assert_message(cases[c].refusal);
    assert_int_equal(fovea_buffer_read(b, 0, sizeof data, data), FOVEA_OK);
    for (int i = 0; i < 32; i++)
      if (data[i] != (i >= cases[c].begin && i < cases[c].end ? 2 : 0))
        fail_msg("case %zu: item %d has a group of %u", c, i, (unsigned)data[i]);
  }
  fovea_launch_destroy(l);
  fovea_buffer_destroy(b);
}

static void groups_and_local_memory(void **state) {
  (void)state;
  uint32_t data[32];
  fovea_launch *l = NULL;
  fovea_buffer *b = new_buffer(sizeof data);
  fovea_launch_create(device, "t.cl", "", "reversed", &l);
  fovea_launch_buffer(l, "x", b);
  fovea_launch_local(l, "t", 16 * sizeof *data);
  fovea_launch_groups(l, 16, 2, 1, 1);
  assert_int_equal(fovea_launch_ready(l), FOVEA_OK);
  assert_int_equal(fovea_launch_enqueue(l), FOVEA_OK);
  assert_int_equal(fovea_buffer_read(b, 0, sizeof data, data), FOVEA_OK);
  for (uint32_t i = 0; i < 32; i++) assert_int_equal(data[i], i / 16 * 16 + 15 - i % 16);
  fovea_launch_destroy(l);
  fovea_buffer_destroy(b);
}

/* As many units as the device allows. */
static void assert_groups_of_units(void) {
  const size_t unit = 4, most = device->info.max_work_group_size / unit, asked[] = {1, 3, most, most + 1, 8 * most};
  fovea_buffer *b = new_buffer(4 * (2 * most * unit));
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    uint32_t first;
    fovea_launch *l = NULL;
    fovea_launch_create(device, "t.cl", "", "where", &l);
    fovea_launch_buffer(l, "x", b);
    fovea_launch_groups_of_units(l, unit, asked[i], (const size_t[]){2, 1, 1});
    assert_int_equal(fovea_launch_ready(l), FOVEA_OK);
    assert_int_equal(fovea_launch_enqueue(l), FOVEA_OK);
    assert_int_equal(fovea_buffer_read(b, 0, sizeof first, &first), FOVEA_OK);
    assert_int_equal(first, unit * (asked[i] < most ? asked[i] : most));
    fovea_launch_destroy(l);
  }
  fovea_buffer_destroy(b);
}

/* The device's own number, and a smaller one, which is below what the kernel would allow. */
static void groups_of_units(void **state) {
  (void)state;
  const size_t own = device->info.max_work_group_size;
  assert_groups_of_units();
  device->info.max_work_group_size = 64;
  assert_groups_of_units();
  device->info.max_work_group_size = own;
}

/* Makes one mistake and expects its message, from ready, and again from enqueue. */
static void mistakes(void **state) {
  (void)state;
  enum { NONE, NO_RANGE, MISSING, SURPLUS, NO_BUFFER, OFFSET, ZERO_RANGE, LARGE_GROUP, NO_KERNEL, NO_FILE, WRONG_SIZE };
  static const struct {
    int mistake;
    fovea_status status;
    const char *message;
  } cases[] = {
      {NONE, FOVEA_OK, ""},
      {NO_RANGE, FOVEA_INVALID, "scale: no range"},
      {MISSING, FOVEA_INVALID, "scale: 3 arguments were set, the kernel has 4"},
      {SURPLUS, FOVEA_DEVICE, "scale: argument extra"},
      {NO_BUFFER, FOVEA_INVALID, "scale: argument x: no buffer"},
      {OFFSET, FOVEA_INVALID, "scale: argument x: offset 4 is beyond"},
      {ZERO_RANGE, FOVEA_INVALID, "scale: range 4 x 0 x 1"},
      {LARGE_GROUP, FOVEA_DEVICE, "scale: a work-group of"},
      {NO_KERNEL, FOVEA_DEVICE, "absent: cannot make this kernel of t.cl"},
      {NO_FILE, FOVEA_INVALID, "scale: no kernel file u.cl"},
      {WRONG_SIZE, FOVEA_DEVICE, "scale: argument x"},
  };
  fovea_buffer *b = new_buffer(16);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int m = cases[i].mistake;
    fovea_launch *l = NULL;
    fovea_launch_create(device, m == NO_FILE ? "u.cl" : "t.cl", "", m == NO_KERNEL ? "absent" : "scale", &l);
    assert_non_null(l);
    if (m == WRONG_SIZE) {
      fovea_launch_int(l, "x", 1); /* where the kernel wants a pointer */
    } else {
      fovea_launch_slice(l, "x", (fovea_slice){m == NO_BUFFER ? NULL : b, m == OFFSET ? 4 : 0});
    }
    fovea_launch_int(l, "n", 4);
    if (m != MISSING) fovea_launch_float(l, "a", 1);
    if (m == SURPLUS) fovea_launch_int(l, "extra", 1);
    if (m == LARGE_GROUP) {
      fovea_launch_groups(l, device->info.max_work_group_size * 2, 1, 1, 1);
    } else if (m != NO_RANGE) {
      fovea_launch_range(l, 4, m == ZERO_RANGE ? 0 : 1, 1);
    }
    for (int again = 0; again < 2; again++) {
      fovea_status status = again ? fovea_launch_enqueue(l) : fovea_launch_ready(l);
      if (status != cases[i].status) fail_msg("mistake %d: status %d, message %s", m, status, fovea_error_message());
      if (status) assert_message(cases[i].message);
    }
    fovea_launch_destroy(l);
  }
  fovea_buffer_destroy(b);
}

static void required_group(void **state) {
  (void)state;
  fovea_buffer *b = new_buffer(64);
  for (size_t local = 4; local <= 8; local += 4) {
    fovea_launch *l = NULL;
    fovea_launch_create(device, "t.cl", "", "eight", &l);
    fovea_launch_buffer(l, "x", b);
    fovea_launch_groups(l, local, 16 / local, 1, 1);
    assert_int_equal(fovea_launch_ready(l), local == 8 ? FOVEA_OK : FOVEA_INVALID);
    fovea_launch_destroy(l);
  }
  assert_int_equal(fovea_launch_ready(NULL), FOVEA_NO_MEMORY);
  fovea_launch_int(NULL, "n", 1);
  fovea_launch_range(NULL, 1, 1, 1);
  fovea_buffer_destroy(b);
}

/* --- profile --------------------------------------------------------------------------------------------------- */

static void profile(void **state) {
  (void)state;
  enum { LAUNCHES = 3000 }; /* more than it holds events for */
  fovea_launch *l = NULL;
  fovea_profile_row *rows = NULL;
  size_t count = 0;
  fovea_buffer *b = new_buffer(256);
  assert_int_equal(fovea_profile_end(device, &rows, &count), FOVEA_INVALID);
  fovea_launch_create(device, "t.cl", "", "where", &l);
  fovea_launch_buffer(l, "x", b);
  fovea_launch_range(l, 64, 1, 1);
  fovea_launch_cost(l, 10, 20);
  fovea_launch_describe(l, "conv2d backward", "3x2x1");
  assert_int_equal(fovea_launch_enqueue(l), FOVEA_OK); /* before it begins: not counted */
  for (int again = 0; again < 2; again++) {
    assert_int_equal(fovea_profile_begin(device), FOVEA_OK);
    for (int i = 0; i < LAUNCHES; i++) assert_int_equal(fovea_launch_enqueue(l), FOVEA_OK);
    if (again) assert_int_equal(fovea_buffer_zero(b, 0, 256), FOVEA_OK);
    assert_int_equal(fovea_profile_end(device, &rows, &count), FOVEA_OK);
    assert_int_equal(count, again ? 2 : 1);
    assert_string_equal(rows[0].kernel, "where");
    assert_string_equal(rows[0].op, "conv2d backward");
    assert_string_equal(rows[0].shape, "3x2x1");
    assert_int_equal(rows[0].launches, LAUNCHES);
    assert_true(rows[0].flops == 10.0 * LAUNCHES && rows[0].bytes == 20.0 * LAUNCHES);
    assert_true(rows[0].seconds > 0 && rows[0].seconds < 60);
    fovea_free(rows);
    assert_int_equal(fovea_launch_enqueue(l), FOVEA_OK);
  }
  fovea_launch_destroy(l);
  fovea_buffer_destroy(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(created_zero),
      cmocka_unit_test(zero_within_range),
      cmocka_unit_test(zero_on_the_path_of_a_gpu),
      cmocka_unit_test(bounds),
      cmocka_unit_test(too_large),
      cmocka_unit_test(writes_are_staged),
      cmocka_unit_test(runs),
      cmocka_unit_test(local_sizes),
      cmocka_unit_test(origin),
      cmocka_unit_test(groups_and_local_memory),
      cmocka_unit_test(groups_of_units),
      cmocka_unit_test(mistakes),
      cmocka_unit_test(required_group),
      cmocka_unit_test(profile),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
