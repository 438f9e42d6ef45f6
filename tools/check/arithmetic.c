/* The device's arithmetic against C's: float operations of the host are IEEE's, fmaf and sqrtf correctly rounded. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "check/check.h"
#include "check/draw.h"
#include "check/error.h"
#include "ref/canonical_math.h"
#include "runtime/launch.h"

enum { COUNT = 1 << 14, OPERANDS = 3, BLOCK = 16 };

/* The numbers of cl/arithmetic.cl: of its kernel arithmetic, and of integers, which follow. */
enum {
  ADD,
  MULTIPLY,
  FMA,
  DIVIDE,
  SQUARE_ROOT,
  EXP,
  LOG,
  COS_TURN,
  SIGMOID,
  SCALAR_DIVIDE,
  SCALAR_SQUARE_ROOT,
  PHILOX,
  TO_FLOAT = PHILOX + 4,
  SIGNED_TO_FLOAT,
  TO_INT,
  ACTIVATIONS /* and from here on fovea_activation, each by the kernel of its op */
};

/* The lines of the result. The bounds, in ULP, are those of OpenCL 1.2's table of relative errors for exp, ln, cos,
 * division and square root, and 0.5 more than a rounding to nearest has, so another direction, for what it wants
 * correctly rounded. The sigmoid's is the sum of its parts': 3 + 1 + 2.5. */
enum { LINE_ADD, LINE_MULTIPLY, LINE_FMA, LINE_DENORMALS, LINE_PHILOX, LINE_CONVERT };
enum { LINE_DIVIDE = LINE_CONVERT + 1, LINE_SQUARE_ROOT, LINE_EXP, LINE_LOG, LINE_COS, LINE_SIGMOID };
static const check_probe lines[CHECK_ELEMENTARY] = {
    [LINE_ADD] = {.name = "a + b", .kind = CHECK_PRIMITIVE, .bound = 1},
    [LINE_MULTIPLY] = {.name = "a * b", .kind = CHECK_PRIMITIVE, .bound = 1},
    [LINE_FMA] = {.name = "fma(a, b, c)", .kind = CHECK_PRIMITIVE, .bound = 1},
    [LINE_DENORMALS] = {.name = "denormals of these", .kind = CHECK_PRIMITIVE, .bound = 1},
    [LINE_PHILOX] = {.name = "Philox4x32-10", .kind = CHECK_INTEGER},
    [LINE_CONVERT] = {.name = "conversions", .kind = CHECK_INTEGER},
    [LINE_DIVIDE] = {.name = "a / b", .kind = CHECK_FUNCTION, .bound = 2.5},
    [LINE_SQUARE_ROOT] = {.name = "sqrt(a)", .kind = CHECK_FUNCTION, .bound = 3},
    [LINE_EXP] = {.name = "exp(a)", .kind = CHECK_FUNCTION, .bound = 3},
    [LINE_LOG] = {.name = "ln(a)", .kind = CHECK_FUNCTION, .bound = 3},
    [LINE_COS] = {.name = "cos(2 pi a)", .kind = CHECK_FUNCTION, .bound = 4},
    [LINE_SIGMOID] = {.name = "sigmoid(a)", .kind = CHECK_FUNCTION, .bound = 6.5},
};

static const check_probe activations[] = {
#define X(name_, NAME, moves_zero, ulp) [FOVEA_##NAME] = {.name = #name_ "(a)", .kind = CHECK_FUNCTION, .bound = (ulp)},
    FOVEA_ACTIVATIONS(X)
#undef X
};
enum { ACTIVATION_COUNT = sizeof activations / sizeof *activations };

/* What is computed for which line, the denormals before what may be off by one of them. */
static const struct {
  int line, what;
  bool tiny; /* operands whose result is denormal or 0 */
} passes[] = {
    {LINE_ADD, ADD, false},
    {LINE_MULTIPLY, MULTIPLY, false},
    {LINE_FMA, FMA, false},
    {LINE_DENORMALS, ADD, true},
    {LINE_DENORMALS, MULTIPLY, true},
    {LINE_DENORMALS, FMA, true},
    {LINE_PHILOX, PHILOX, false},
    {LINE_PHILOX, PHILOX + 1, false},
    {LINE_PHILOX, PHILOX + 2, false},
    {LINE_PHILOX, PHILOX + 3, false},
    {LINE_CONVERT, TO_FLOAT, false},
    {LINE_CONVERT, SIGNED_TO_FLOAT, false},
    {LINE_CONVERT, TO_INT, false},
    {LINE_DIVIDE, DIVIDE, false},
    {LINE_DIVIDE, DIVIDE, true},
    {LINE_DIVIDE, SCALAR_DIVIDE, false},
    {LINE_DIVIDE, SCALAR_DIVIDE, true},
    {LINE_SQUARE_ROOT, SQUARE_ROOT, false},
    {LINE_SQUARE_ROOT, SQUARE_ROOT, true},
    {LINE_SQUARE_ROOT, SCALAR_SQUARE_ROOT, false},
    {LINE_SQUARE_ROOT, SCALAR_SQUARE_ROOT, true},
    {LINE_EXP, EXP, false},
    {LINE_LOG, LOG, false},
    {LINE_COS, COS_TURN, false},
    {LINE_SIGMOID, SIGMOID, false},
};

/* A result of an operation that is looked at in several ways. */
typedef union word {
  float f;
  uint32_t u;
  int32_t i;
} word;

typedef struct probe {
  fovea_device *device;
  const char *options; /* of the build */
  fovea_buffer *buffers[OPERANDS + 1];
  word *operands[OPERANDS], *y;
  check_arithmetic *result;
} probe;

/* --- operands ----------------------------------------------------------------------------------------------------- */

/* A finite number of any size, with few bits set in half of them: those are exact, or halfway between two floats. */
static float any_float(uint64_t *state, uint32_t least_exponent, uint32_t most_exponent) {
  const uint32_t bits = check_draw(state);
  const uint32_t exponent = least_exponent + check_draw(state) % (most_exponent - least_exponent + 1);
  const uint32_t mantissa = bits & 1 ? bits >> 9 & 0x7ff000u : bits >> 9;
  return (word){.u = (check_draw(state) & 0x80000000u) | exponent << 23 | mantissa}.f;
}

/* The operation that a scalar's is. */
static int vectors_of(int what) {
  return what == SCALAR_DIVIDE ? DIVIDE : what == SCALAR_SQUARE_ROOT ? SQUARE_ROOT : what;
}

/* Operands whose result is a normal number, or with `tiny` a denormal one or 0. Exponents are biased by 127. */
static void draw_floats(probe *p, int what, bool tiny) {
  static const uint32_t tiny_a[][2] = {{0, 1}, {50, 60}, {50, 60}, {0, 60}, {0, 1}};
  static const uint32_t tiny_b[][2] = {{0, 1}, {55, 65}, {55, 65}, {120, 180}, {0, 1}};
  uint64_t state = 0x9e3779b97f4a7c15u + (uint64_t)what;
  word *a = p->operands[0], *b = p->operands[1], *c = p->operands[2];
  what = vectors_of(what);
  for (int i = 0; i < COUNT; i++) {
    a[i].f = tiny ? any_float(&state, tiny_a[what][0], tiny_a[what][1]) : any_float(&state, 97, 157);
    b[i].f = tiny ? any_float(&state, tiny_b[what][0], tiny_b[what][1]) : any_float(&state, 97, 157);
    c[i].f = tiny ? any_float(&state, 0, 2) : any_float(&state, 97, 187);
    if (what == FMA && !tiny && i % 4 == 0) c[i].f = -(a[i].f * b[i].f); /* the product's rounding error is left */
    if (what == DIVIDE && !tiny && i % 4 == 0) a[i].f = 1.0f, b[i].u |= 0x7fff00u;
    if (what == LOG && i % 4 == 0) a[i].f = any_float(&state, 126, 127);
    if (what == SQUARE_ROOT || what == LOG) a[i].f = fabsf(a[i].f);
    if (what == EXP || what == SIGMOID) a[i].f = (float)((int)(check_draw(&state) % 200001) - 100000) * 0x1p-10f;
    if (what == COS_TURN) a[i].f = (float)(check_draw(&state) >> 9) * 0x1p-23f;
  }
}

/* Of any size, and more where what is saturated is not yet. */
static void draw_arguments(probe *p, int what) {
  uint64_t state = 0x9e3779b97f4a7c15u + (uint64_t)what;
  for (int i = 0; i < COUNT; i++)
    p->operands[0][i].f =
        i % 2 ? any_float(&state, 97, 134) : (float)((int)(check_draw(&state) % 200001) - 100000) * 0x1p-12f;
  for (int i = 0; i < COUNT; i++) p->operands[1][i].u = BLOCK; /* the kernel's state: images that are no padding */
}

/* Words of any size, small ones among them, as an image's number and a step are. */
static void draw_words(probe *p, int what) {
  uint64_t state = 0x9e3779b97f4a7c15u + (uint64_t)what;
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < COUNT; i++) {
      const uint32_t bits = check_draw(&state);
      p->operands[k][i].u = bits >> (check_draw(&state) % 4 == 0 ? bits % 32 : 0);
    }
}

/* --- what is right ------------------------------------------------------------------------------------------------ */

static word philox_word(const probe *p, int which, int i) {
  const word *s = p->operands[1] + i / BLOCK * BLOCK;
  uint32_t words[4];
  ref_philox((uint32_t[4]){p->operands[0][i].u, s[0].u, s[1].u, s[2].u}, (uint32_t[2]){s[3].u, s[4].u}, words);
  return (word){.u = words[which]};
}

/* An arithmetic shift to the right, of which C leaves what it does with a negative number to the compiler. */
static int32_t upper_bits(uint32_t bits) { return (int32_t)(bits >> 20) - (bits & 0x80000000u ? 4096 : 0); }

static word expected(const probe *p, int what, int i) {
  const float a = p->operands[0][i].f, b = p->operands[1][i].f, c = p->operands[2][i].f;
  const uint32_t bits = p->operands[0][i].u;
  if (what >= ACTIVATIONS) return (word){.f = canonical_activate(a, (enum ref_activation)(what - ACTIVATIONS))};
  switch (vectors_of(what)) {
    case ADD:
      return (word){.f = a + b};
    case MULTIPLY:
      return (word){.f = a * b};
    case FMA:
      return (word){.f = fmaf(a, b, c)};
    case DIVIDE:
      return (word){.f = a / b};
    case SQUARE_ROOT:
      return (word){.f = sqrtf(a)};
    case EXP:
      return (word){.f = canonical_exp(a)};
    case LOG:
      return (word){.f = canonical_log(a)};
    case COS_TURN:
      return (word){.f = canonical_cos_turn(a)};
    case SIGMOID:
      return (word){.f = canonical_sigmoid(a)};
    case TO_FLOAT:
      return (word){.f = (float)(bits >> 9)};
    case SIGNED_TO_FLOAT:
      return (word){.f = (float)upper_bits(bits)};
    case TO_INT:
      return (word){.i = (int32_t)rint(upper_bits(bits) * 0.25)};
    default:
      return philox_word(p, what - PHILOX, i);
  }
}

static double exact(int what, double a, double b, double c) {
  if (what >= ACTIVATIONS) return ref_activation((enum ref_activation)(what - ACTIVATIONS), 1, &a, &a), a;
  switch (vectors_of(what)) {
    case ADD:
      return a + b;
    case MULTIPLY:
      return a * b;
    case FMA:
      return a * b + c; /* the product is exact in double */
    case DIVIDE:
      return a / b;
    case SQUARE_ROOT:
      return sqrt(a);
    case EXP:
      return exp(a);
    case LOG:
      return log(a);
    case COS_TURN:
      return cos(2 * 3.14159265358979323846 * a);
    default:
      return 1 / (1 + exp(-fmax(a, -87)));
  }
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

static double kept(float x, bool flushed) { return flushed && fabsf(x) < FLT_MIN ? 0 : (double)x; }

/* The error of y in ULP, and whether it is within the bound. Where denormals are flushed, those of the operands or not,
 * so is the result, or a product and then the result; an fma() that is a multiply and an add rounds the product, too.
 */
static bool within(const probe *p, int what, int i, const check_probe *line, bool flushes, double *ulp) {
  const double y = (double)p->y[i].f;
  bool good = false;
  for (int flushed = 0; flushed <= (flushes ? 1 : 0); flushed++) {
    const double a = kept(p->operands[0][i].f, flushed), b = kept(p->operands[1][i].f, flushed);
    const double c = kept(p->operands[2][i].f, flushed), wanted = exact(what, a, b, c);
    const double unit = check_ulp_of(wanted);
    const bool overflown = isinf(y) && fabs(wanted) > (double)FLT_MAX && (y > 0) == (wanted > 0);
    const double error = overflown ? 0 : fabs(y - wanted);
    const double allowed = line->bound * unit + (what == FMA ? check_ulp_of(a * b) : 0) + 2 * flushes * (double)FLT_MIN;
    if (!flushed) *ulp = error / unit;
    good |= error <= allowed;
  }
  return good;
}

static void describe(const probe *p, int what, int i, check_probe *line) {
  const word *const *o = (const word *const *)p->operands;
  const word y = p->y[i], wanted = expected(p, what, i);
  if (line->kind == CHECK_INTEGER)
    snprintf(line->first, sizeof line->first, "of 0x%08x, 0x%08x is 0x%08x, should be 0x%08x", o[0][i].u, o[1][i].u,
             y.u, wanted.u);
  else
    snprintf(line->first, sizeof line->first, "of %a, %a, %a is %a, should be %a", (double)o[0][i].f, (double)o[1][i].f,
             (double)o[2][i].f, (double)y.f, (double)wanted.f);
}

static void compare(const probe *p, int what, check_probe *line) {
  const bool flushes = line == &p->result->probes[LINE_DENORMALS] || p->result->probes[LINE_DENORMALS].differ > 0;
  line->count += COUNT;
  for (int i = 0; i < COUNT; i++) {
    const bool differs = expected(p, what, i).u != p->y[i].u;
    double ulp = 0;
    const bool beyond = line->kind == CHECK_INTEGER ? differs : !within(p, what, i, line, flushes, &ulp);
    if ((differs && line->differ == 0) || (beyond && !line->beyond)) describe(p, what, i, line);
    line->differ += differs;
    line->beyond |= beyond;
    line->ulp = fmax(line->ulp, ulp);
  }
}

/* --- on the device ------------------------------------------------------------------------------------------------ */

static fovea_status finish(probe *p, fovea_launch *launch) {
  fovea_status status = fovea_launch_ready(launch);
  if (status == FOVEA_OK) status = fovea_launch_enqueue(launch);
  if (status == FOVEA_OK) status = fovea_buffer_read(p->buffers[OPERANDS], 0, COUNT * sizeof(word), p->y);
  fovea_launch_destroy(launch);
  return status;
}

/* One channel of BLOCK images, by cl/activation.cl. */
static fovea_status activate(probe *p, int activation) {
  char options[80];
  fovea_launch *launch = NULL;
  const int vector = p->device->tuning.vector;
  snprintf(options, sizeof options, "-DACTIVATION=%d -DDROPOUT=0%s%s", activation, *p->options ? " " : "", p->options);
  fovea_launch_create(p->device, "activation.cl", options, "activation_forward", &launch);
  fovea_launch_slice(launch, "x", (fovea_slice){p->buffers[0], 0});
  fovea_launch_buffer(launch, "state", p->buffers[1]);
  fovea_launch_slice(launch, "y", (fovea_slice){p->buffers[OPERANDS], 0});
  fovea_launch_int(launch, "n", BLOCK);
  fovea_launch_int(launch, "pixels", COUNT / BLOCK);
  fovea_launch_uint(launch, "threshold", 0);
  fovea_launch_float(launch, "scale", 1);
  fovea_launch_uint(launch, "op", 0);
  fovea_launch_range(launch, (size_t)(BLOCK / vector), COUNT / BLOCK / 4, 1);
  if (vector > 1) fovea_launch_origin(launch, 0, 1); /* first_image of cl/common/vector.clh */
  return finish(p, launch);
}

static fovea_status compute(probe *p, int what) {
  static const char *const names[] = {"a", "b", "c", "y"};
  const bool integers = what >= PHILOX && what < ACTIVATIONS;
  fovea_launch *launch = NULL;
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < OPERANDS && status == FOVEA_OK; i++)
    status = fovea_buffer_write(p->buffers[i], 0, COUNT * sizeof(word), p->operands[i]);
  if (status != FOVEA_OK) return status;
  if (what >= ACTIVATIONS) return activate(p, what - ACTIVATIONS);
  fovea_launch_create(p->device, "arithmetic.cl", p->options, integers ? "integers" : "arithmetic", &launch);
  for (int i = 0; i <= OPERANDS; i++)
    if (!integers || i != 2) fovea_launch_buffer(launch, names[i], p->buffers[i]);
  fovea_launch_int(launch, "what", integers ? what - PHILOX : what);
  fovea_launch_range(launch, COUNT / (size_t)p->device->tuning.vector, 1, 1);
  return finish(p, launch);
}

/* Where fma() is a multiply and an add, its result does not show whether denormals are kept. */
static check_probe *line_of(const probe *p, int line, int what) {
  check_probe *all = p->result->probes;
  return line == LINE_DENORMALS && what == FMA && all[LINE_FMA].differ > 0 ? &all[LINE_FMA] : &all[line];
}

static fovea_status probe_all(probe *p) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < sizeof passes / sizeof *passes && status == FOVEA_OK; i++) {
    const int what = passes[i].what;
    if (what >= PHILOX)
      draw_words(p, what);
    else
      draw_floats(p, what, passes[i].tiny);
    status = compute(p, what);
    if (status == FOVEA_OK) compare(p, what, line_of(p, passes[i].line, what));
  }
  for (int i = 0, line = CHECK_ELEMENTARY; i < ACTIVATION_COUNT && line < CHECK_PROBES && status == FOVEA_OK; i++) {
    if (activations[i].bound == 0) continue;
    p->result->probes[line] = activations[i];
    draw_arguments(p, ACTIVATIONS + i);
    status = compute(p, ACTIVATIONS + i);
    if (status == FOVEA_OK) compare(p, ACTIVATIONS + i, &p->result->probes[line++]);
  }
  return status;
}

fovea_status check_device_arithmetic(fovea_device *device, bool corrected, check_arithmetic *result) {
  probe p = {.device = device, .options = corrected ? "-DFOVEA_CORRECT_DIVISION" : "", .result = result};
  fovea_status status = FOVEA_OK;
  *result = (check_arithmetic){.corrected = corrected || !device->info.correctly_rounded_divide_sqrt};
  memcpy(result->probes, lines, sizeof lines);
  word *all = calloc((OPERANDS + 1) * COUNT, sizeof *all);
  if (!all) return fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out");
  for (int i = 0; i < OPERANDS; i++) p.operands[i] = all + i * COUNT;
  p.y = all + OPERANDS * COUNT;
  for (int i = 0; i <= OPERANDS && status == FOVEA_OK; i++)
    status = fovea_buffer_create(device, COUNT * sizeof(word), "check", &p.buffers[i]);
  if (status == FOVEA_OK) status = probe_all(&p);
  for (int i = 0; i <= OPERANDS; i++) fovea_buffer_destroy(p.buffers[i]);
  free(all);
  return status;
}
