#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "data/safetensors.h"

/* IEEE 754's binary16: a sign, 5 bits of exponent, 10 of fraction. */
static double from_half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                      : exponent == 0 ? ldexp(fraction, -24)
                                      : ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/* The upper half of a float. */
static double from_bfloat16(uint16_t bits) {
  const uint32_t whole = (uint32_t)bits << 16;
  float x;
  memcpy(&x, &whole, sizeof x);
  return (double)x;
}

static double number_at(const fovea_safetensor *t, size_t i) {
  const char *data = t->data;
  if (strcmp(t->dtype, "F64") == 0) {
    double x;
    memcpy(&x, data + 8 * i, sizeof x);
    return x;
  }
  uint16_t half;
  memcpy(&half, data + 2 * i, sizeof half);
  return strcmp(t->dtype, "F16") == 0 ? from_half(half) : from_bfloat16(half);
}

bool fovea_safetensors_has_floats(const fovea_safetensor *t) {
  return strcmp(t->dtype, "F32") == 0 || strcmp(t->dtype, "F64") == 0 || strcmp(t->dtype, "F16") == 0 ||
         strcmp(t->dtype, "BF16") == 0;
}

fovea_status fovea_safetensors_floats(const fovea_safetensor *t, size_t count, float *data) {
  const bool single = strcmp(t->dtype, "F32") == 0;
  if (single && count > 0) memcpy(data, t->data, count * sizeof *data);
  for (size_t i = 0; i < count; i++) {
    const double x = single ? (double)data[i] : number_at(t, i);
    data[i] = (float)x;
    if (!isfinite(data[i]))
      return fovea_fail(FOVEA_INVALID, "%s is %g at place %zu, expected numbers that are finite as floats", t->name, x,
                        i);
  }
  return FOVEA_OK;
}
