#include "inputs.h"

#include <string.h>

float as_float(uint32_t u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
void put(item *t, uint32_t value) { t->out[t->count++] = value; }
void putf(item *t, float value) {
  uint32_t u;
  memcpy(&u, &value, 4);
  put(t, u);
}

uint32_t as[COUNT], bs[COUNT], cs[COUNT], out[MOST_WORDS * COUNT];

/* OpenCL leaves open what becomes of a signalling NaN: none is among them. */
static uint32_t quiet(uint32_t u) { return (u & 0x7fffffff) > 0x7f800000 ? u | 0x400000 : u; }

/* Half of them are numbers at which something happens, or beside them. */
void inputs_make(void) {
  static const uint32_t special[] = {0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x00800000, 0x807fffff,
                                     0x3f800000, 0xbf800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x4f000000,
                                     0xcf000000, 0x4f7fffff, 0x4f800000, 0x3f000000, 0x3fc00000, 0xc0200000, 0x7fffffff,
                                     0xffffffff, 5,          31,         32,         33,         64,         255,
                                     256,        65535,      65536,      0xffff8000, 0x4b800000, 0x34000000, 0x33ffffff,
                                     0x00400000, 0x20000000, 0x5f000000};
  const uint32_t specials = sizeof special / sizeof *special;
  uint64_t state = 42;
  for (int i = 0; i < COUNT; i++) {
    uint32_t *const to[3] = {&as[i], &bs[i], &cs[i]};
    for (int k = 0; k < 3; k++) {
      const uint32_t r = harness_random(&state), how = harness_random(&state) % 8;
      *to[k] = quiet(how < 3    ? special[r % specials]
                     : how == 3 ? r % 100
                     : how == 4 ? 0x3f000000 + (r & 0x80ffffff)
                                : r);
    }
  }
}

static bool same(uint32_t x, uint32_t y) {
  const bool both_nan = (x & 0x7fffffff) > 0x7f800000 && (y & 0x7fffffff) > 0x7f800000;
  return x == y || both_nan;
}

/* Fills words of out from `seed`, so that a test sees what a kernel leaves alone. */
void inputs_run(harness *h, const char *name, uint32_t words, const uint32_t *before) {
  const size_t bytes = COUNT * 4, global = COUNT, local = 64;
  const cl_uint n = COUNT;
  cl_mem m[4] = {harness_buffer(h, bytes, as), harness_buffer(h, bytes, bs), harness_buffer(h, bytes, cs),
                 harness_buffer(h, words * bytes, before)};
  const size_t p = sizeof(cl_mem), none = 0;
  cl_kernel k = harness_kernel(h, name, p, &m[0], p, &m[1], p, &m[2], p, &m[3], sizeof n, &n, none);
  assert_int_equal(harness_launch(h, k, 1, NULL, &global, &local, NULL, 0), CL_SUCCESS);
  harness_read(h, m[3], words * bytes, out);
  for (int i = 0; i < 4; i++) clReleaseMemObject(m[i]);
}

void inputs_compare(harness *h, const char *name, void (*expect)(item *)) {
  inputs_run(h, name, MOST_WORDS, NULL);
  for (uint32_t i = 0; i < COUNT; i++) {
    item t = {.a = as[i], .b = bs[i], .c = cs[i], .x = as_float(as[i]), .y = as_float(bs[i]), .z = as_float(cs[i])};
    expect(&t);
    for (int k = 0; k < t.count; k++)
      if (!same(out[(uint32_t)k * COUNT + i], t.out[k]))
        fail_msg("%s, value %d of a 0x%08x, b 0x%08x, c 0x%08x: 0x%08x instead of 0x%08x", name, k, t.a, t.b, t.c,
                 out[(uint32_t)k * COUNT + i], t.out[k]);
  }
}
