/* The device's fp32 against C's: float operations of the host are IEEE's, fmaf and sqrtf correctly rounded. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "check/draw.h"
#include "core/fail.h"
#include "core/launch.h"
#include "ref/canonical_math.h"

enum { COUNT = 1 << 14, OPERANDS = 3 };

/* The numbers of cl/arithmetic.cl. */
enum { ADD, MULTIPLY, FMA, DIVIDE, SQUARE_ROOT, EXP, LOG, COS_TURN, SIGMOID, PROBES };

typedef struct probe {
  fovea_device *device;
  const char *options; /* of the build */
  fovea_buffer *buffers[OPERANDS + 1];
  float *operands[OPERANDS], *y;
  check_arithmetic *result;
} probe;

static float from_bits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static uint32_t as_bits(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

/* A finite number of any size, with few bits set in half of them: those are exact, or halfway between two floats. */
static float any_float(uint64_t *state, uint32_t least_exponent, uint32_t most_exponent) {
  const uint32_t word = check_draw(state);
  const uint32_t exponent = least_exponent + check_draw(state) % (most_exponent - least_exponent + 1);
  const uint32_t mantissa = word & 1 ? word >> 9 & 0x7ff000u : word >> 9;
  return from_bits((check_draw(state) & 0x80000000u) | exponent << 23 | mantissa);
}

/* Operands whose result is a normal number, or with `tiny` a denormal one or 0. Exponents are biased by 127. */
static void draw_operands(probe *p, int what, bool tiny) {
  static const uint32_t tiny_a[][2] = {{0, 1}, {50, 60}, {50, 60}, {0, 60}, {0, 1}};
  static const uint32_t tiny_b[][2] = {{0, 1}, {55, 65}, {55, 65}, {120, 180}, {0, 1}};
  uint64_t state = 0x9e3779b97f4a7c15u + (uint64_t)what;
  float *a = p->operands[0], *b = p->operands[1], *c = p->operands[2];
  for (int i = 0; i < COUNT; i++) {
    a[i] = tiny ? any_float(&state, tiny_a[what][0], tiny_a[what][1]) : any_float(&state, 97, 157);
    b[i] = tiny ? any_float(&state, tiny_b[what][0], tiny_b[what][1]) : any_float(&state, 97, 157);
    c[i] = tiny ? any_float(&state, 0, 2) : any_float(&state, 97, 187);
    if (what == FMA && !tiny && i % 4 == 0) c[i] = -(a[i] * b[i]); /* what is left is the product's rounding error */
    if (what == DIVIDE && !tiny && i % 4 == 0) a[i] = 1.0f, b[i] = from_bits(as_bits(b[i]) | 0x7fff00u);
    if (what == SQUARE_ROOT || what == LOG) a[i] = fabsf(a[i]);
    if (what == EXP || what == SIGMOID) a[i] = (float)((int)(check_draw(&state) % 200001) - 100000) * 0x1p-10f;
    if (what == COS_TURN) a[i] = (float)(check_draw(&state) >> 9) * 0x1p-23f;
  }
}

static float expected(const probe *p, int what, int i) {
  const float a = p->operands[0][i], b = p->operands[1][i], c = p->operands[2][i];
  switch (what) {
    case ADD:
      return a + b;
    case MULTIPLY:
      return a * b;
    case FMA:
      return fmaf(a, b, c);
    case DIVIDE:
      return a / b;
    case SQUARE_ROOT:
      return sqrtf(a);
    case EXP:
      return canonical_exp(a);
    case LOG:
      return canonical_log(a);
    case COS_TURN:
      return canonical_cos_turn(a);
    default:
      return canonical_sigmoid(a);
  }
}

static fovea_status compute(probe *p, int what) {
  static const char *const names[] = {"a", "b", "c", "y"};
  fovea_launch *launch = NULL;
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < OPERANDS && status == FOVEA_OK; i++)
    status = fovea_buffer_write(p->buffers[i], 0, COUNT * sizeof(float), p->operands[i]);
  if (status != FOVEA_OK) return status;
  fovea_launch_create(p->device, "arithmetic.cl", p->options, "arithmetic", &launch);
  for (int i = 0; i <= OPERANDS; i++) fovea_launch_buffer(launch, names[i], p->buffers[i]);
  fovea_launch_int(launch, "what", what);
  fovea_launch_range(launch, COUNT / (size_t)p->device->tuning.vector, 1, 1);
  status = fovea_launch_ready(launch);
  if (status == FOVEA_OK) status = fovea_launch_enqueue(launch);
  if (status == FOVEA_OK) status = fovea_buffer_read(p->buffers[OPERANDS], 0, COUNT * sizeof(float), p->y);
  fovea_launch_destroy(launch);
  return status;
}

static fovea_status probe_one(probe *p, int what, bool tiny, bool *good) {
  static const char *const names[] = {"a + b",  "a * b", "fma(a, b, c)", "a / b",     "sqrt(a)",
                                      "exp(a)", "ln(a)", "cos(2 pi a)",  "sigmoid(a)"};
  draw_operands(p, what, tiny);
  fovea_status status = compute(p, what);
  *good = status == FOVEA_OK;
  for (int i = 0; i < COUNT && status == FOVEA_OK && *good; i++) {
    const float wanted = expected(p, what, i);
    if (memcmp(&wanted, &p->y[i], sizeof wanted) == 0) continue;
    *good = false;
    if (*p->result->first) continue;
    snprintf(p->result->first, sizeof p->result->first, "%s of %a, %a, %a is %a, should be %a", names[what],
             (double)p->operands[0][i], (double)p->operands[1][i], (double)p->operands[2][i], (double)p->y[i],
             (double)wanted);
  }
  return status;
}

static fovea_status probe_all(probe *p) {
  check_arithmetic *r = p->result;
  bool usual[PROBES], tiny[PROBES];
  fovea_status status = FOVEA_OK;
  for (int what = 0; what < PROBES && status == FOVEA_OK; what++) {
    tiny[what] = true;
    status = probe_one(p, what, false, &usual[what]);
    if (status == FOVEA_OK && what <= SQUARE_ROOT) status = probe_one(p, what, true, &tiny[what]);
  }
  if (status != FOVEA_OK) return status;
  r->add_mul = usual[ADD] && usual[MULTIPLY];
  r->fma = usual[FMA];
  r->divide = usual[DIVIDE];
  r->square_root = usual[SQUARE_ROOT];
  r->denormals = tiny[ADD] && tiny[MULTIPLY] && tiny[FMA] && tiny[DIVIDE] && tiny[SQUARE_ROOT];
  r->functions = usual[EXP] && usual[LOG] && usual[COS_TURN] && usual[SIGMOID];
  return FOVEA_OK;
}

fovea_status check_device_arithmetic(fovea_device *device, bool corrected, check_arithmetic *result) {
  probe p = {.device = device, .options = corrected ? "-DFOVEA_CORRECT_DIVISION" : "", .result = result};
  fovea_status status = FOVEA_OK;
  *result = (check_arithmetic){.corrected = corrected || !device->info.correctly_rounded_divide_sqrt};
  float *all = malloc((OPERANDS + 1) * COUNT * sizeof *all);
  if (!all) return fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out");
  for (int i = 0; i < OPERANDS; i++) p.operands[i] = all + i * COUNT;
  p.y = all + OPERANDS * COUNT;
  for (int i = 0; i <= OPERANDS && status == FOVEA_OK; i++)
    status = fovea_buffer_create(device, COUNT * sizeof(float), "check", &p.buffers[i]);
  if (status == FOVEA_OK) status = probe_all(&p);
  for (int i = 0; i <= OPERANDS; i++) fovea_buffer_destroy(p.buffers[i]);
  free(all);
  return status;
}

bool check_conforms(const check_arithmetic *a) {
  return a->add_mul && a->fma && a->denormals && a->divide && a->square_root && a->functions;
}
