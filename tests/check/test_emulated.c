/* The probes of a device's arithmetic on devices that are emulated by a change to the kernels' text: what conforms,
 * what may have other bits, and what is wrong, and under which name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/check.h"
#include "support/kernels.h"

enum { EDITS = 3 };

typedef struct emulation {
  const char *name;
  bool corrected, conforms;
  const char *other; /* lines of other bits, each with a comma after it, those that follow from them too */
  const char *bad;   /* those of them for which the check fails */
  kernel_edit edits[EDITS];
} emulation;

/* --- faults, each of which stands for a device's or a compiler's ---------------------------------------------------
 */

/* Everything of the device but division and square root, which it has in hardware. */
#define NO_FMA                                                                   \
  {                                                                              \
    "common/vector.clh", "#pragma OPENCL FP_CONTRACT OFF",                       \
        "#pragma OPENCL FP_CONTRACT OFF\n#define fma(a, b, c) ((a) * (b) + (c))" \
  }
#define FLUSHED(v) "vselect(" v ", (vfloat)(0.0f), vmask(fabs(" v ") < (vfloat)(0x1p-126f)))"
#define FLUSHES_RESULTS \
  { "common/vector.clh", "{ *(__global vfloat *)p = v; }", "{ *(__global vfloat *)p = " FLUSHED("v") "; }" }
#define FLUSHES_OPERANDS                                                             \
  {                                                                                  \
    "common/vector.clh", "{ return *(__global const vfloat *)p; }",                  \
        "{ const vfloat v = *(__global const vfloat *)p; return " FLUSHED("v") "; }" \
  }
#define TOWARD_ZERO                                                                   \
  {                                                                                   \
    "arithmetic.cl", "y = a + b;",                                                    \
        "{ const vfloat s = a + b, t = s - a, e = (a - (s - t)) + (b - t);\n"         \
        "y = vselect(s, vas_float(vas_int(s) - 1), vmask(e * s < (vfloat)(0.0f))); }" \
  }
#define OFF(what, ulp) \
  { "arithmetic.cl", "y = " what ";", "y = vas_float(vas_int(" what ") + " ulp ");" }
#define PHILOX_ROUNDS \
  { "common/philox.clh", "round < 10", "round < 9" }
#define EXP_COEFFICIENT(number) \
  { "common/math.clh", "(vfloat)(1.6666665459e-1f)", "(vfloat)(" number ")" }

static const emulation emulations[] = {

    /* The primitives conform: nothing else may have other bits. */
    {"exp: an fma became a multiply and an add",
     false,
     true,
     "exp(a),sigmoid(a),",
     "exp(a),sigmoid(a),",
     {{"common/math.clh", "p = fma(p, r, (vfloat)(5.0000001201e-1f));", "p = p * r + (vfloat)(5.0000001201e-1f);"}}},
    {"exp: that in one place of it",
     false,
     true,
     "exp(a),",
     "exp(a),",
     {OFF("vexp(a)", "(vint)(vmask(a > (vfloat)(50.0f)))")}},
    {"ln: an fma became a multiply and an add",
     false,
     true,
     "ln(a),",
     "ln(a),",
     {{"common/math.clh", "p = fma(p, m, (vfloat)(3.3333331174e-1f));", "p = p * m + (vfloat)(3.3333331174e-1f);"}}},
    {"cos: an fma became a multiply and an add",
     false,
     true,
     "cos(2 pi a),",
     "cos(2 pi a),",
     {{"common/math.clh", "s = fma(s * z, r, r);", "s = s * z * r + r;"}}},
    {"sigmoid by another formula",
     false,
     true,
     "sigmoid(a),",
     "sigmoid(a),",
     {{"common/math.clh", "vdiv((vfloat)(1.0f), (vfloat)(1.0f) + vexp(-c))",
       "vdiv(vexp(c), (vfloat)(1.0f) + vexp(c))"}}},
    {"division by a reciprocal",
     false,
     true,
     "a / b,",
     "a / b,",
     {{"common/math.clh", "vdiv(vfloat a, vfloat b) { return a / b; }",
       "vdiv(vfloat a, vfloat b) { return a * ((vfloat)(1.0f) / b); }"}}},
    {"division of scalars by a reciprocal",
     false,
     true,
     "a / b,",
     "a / b,",
     {{"common/math.clh", "sdiv(float a, float b) { return a / b; }",
       "sdiv(float a, float b) { return a * (1.0f / b); }"}}},
    {"our correction of division, which goes up too soon",
     true,
     true,
     "a / b,sigmoid(a),",
     "a / b,sigmoid(a),",
     {{"common/math.clh", "vmask(rest > b * ((up - q) * (vfloat)(0.5f)))",
       "vmask(rest > b * ((up - q) * (vfloat)(0.25f)))"}}},
    {"square root of scalars, a unit off",
     false,
     true,
     "sqrt(a),",
     "sqrt(a),",
     {{"common/math.clh", "ssqrt(float a) { return sqrt(a); }",
       "ssqrt(float a) { return as_float(as_int(sqrt(a)) + (a > 2.0f)); }"}}},
    {"Philox of nine rounds", false, true, "Philox4x32-10,", "Philox4x32-10,", {PHILOX_ROUNDS}},
    {"a conversion that loses a bit",
     false,
     true,
     "conversions,",
     "conversions,",
     {{"arithmetic.cl", "vconvert_float(a >> 9)", "vconvert_float(a >> 9 & (vuint)(0x7ffffeu))"}}},
    {"ties rounded away from zero",
     false,
     true,
     "conversions,",
     "conversions,",
     {{"arithmetic.cl", "rint(whole", "round(whole"}}},

    /* They do not: other bits within the bounds are its own affair. */
    {"no fma", false, false, "fma(a, b, c),exp(a),ln(a),cos(2 pi a),sigmoid(a),", "", {NO_FMA}},
    {"no denormals at all",
     false,
     false,
     "denormals of these,a / b,sqrt(a),exp(a),",
     "",
     {FLUSHES_RESULTS, FLUSHES_OPERANDS}},
    {"no fma, no denormals",
     false,
     false,
     "fma(a, b, c),denormals of these,a / b,sqrt(a),exp(a),ln(a),cos(2 pi a),sigmoid(a),",
     "",
     {NO_FMA, FLUSHES_RESULTS, FLUSHES_OPERANDS}},
    {"additions rounded toward zero", false, false, "a + b,", "", {TOWARD_ZERO}},
    {"no fma, a division that is a unit off",
     false,
     false,
     "fma(a, b, c),a / b,exp(a),ln(a),cos(2 pi a),sigmoid(a),",
     "",
     {NO_FMA, OFF("vdiv(a, b)", "(vint)(1)")}},

    /* Nor do they, and it is worse than that. */
    {"additions two units off", false, false, "a + b,denormals of these,", "a + b,", {OFF("a + b", "(vint)(2)")}},
    {"multiplications of half the bits",
     false,
     false,
     "a * b,denormals of these,",
     "a * b,",
     {{"arithmetic.cl", "y = a * b;", "y = vas_float(vas_int(a * b) & (vint)(~0xfff));"}}},
    {"an fma of its own",
     false,
     false,
     "fma(a, b, c),",
     "fma(a, b, c),",
     {{"arithmetic.cl", "fma(a, b, c);", "fma(a, b, c) * (vfloat)(1.00001f);"}}},
    {"denormals that become the least normal number",
     false,
     false,
     "denormals of these,",
     "denormals of these,",
     {{"arithmetic.cl", "y = a + b;",
       "y = a + b; y = vselect(y, (vfloat)(0x1p-124f), vmask(fabs(y) < (vfloat)(0x1p-126f)));"}}},
    {"no fma, an exp beyond its bound",
     false,
     false,
     "fma(a, b, c),exp(a),ln(a),cos(2 pi a),sigmoid(a),",
     "exp(a),sigmoid(a),",
     {NO_FMA, EXP_COEFFICIENT("1.6671e-1f")}},
    {"no fma, an exp a unit or two off",
     false,
     false,
     "fma(a, b, c),exp(a),ln(a),cos(2 pi a),sigmoid(a),",
     "",
     {NO_FMA, EXP_COEFFICIENT("1.66668e-1f")}},
    {"no fma, a division four units off",
     false,
     false,
     "fma(a, b, c),a / b,exp(a),ln(a),cos(2 pi a),sigmoid(a),",
     "a / b,",
     {NO_FMA, OFF("vdiv(a, b)", "(vint)(4)")}},
    {"no fma, a square root that is not a number",
     false,
     false,
     "fma(a, b, c),sqrt(a),exp(a),ln(a),cos(2 pi a),sigmoid(a),",
     "sqrt(a),",
     {NO_FMA, {"arithmetic.cl", "y = vsqrt(a);", "y = vsqrt(a - (vfloat)(0x1p-20f));"}}},
    {"no fma, Philox of nine rounds",
     false,
     false,
     "fma(a, b, c),Philox4x32-10,exp(a),ln(a),cos(2 pi a),sigmoid(a),",
     "Philox4x32-10,",
     {NO_FMA, PHILOX_ROUNDS}},
};

/* Appends the name of each probe for which `which` holds. */
static void list(char *text, size_t size, const check_arithmetic *a, bool bad) {
  text[0] = '\0';
  for (int i = 0; i < CHECK_PROBES; i++) {
    const check_probe *p = &a->probes[i];
    const size_t used = strlen(text);
    if (bad ? !check_probe_good(p, check_conforms(a)) : p->differ > 0)
      snprintf(text + used, size - used, "%s,", p->name);
  }
}

/* Prints what is not as the row says; 0 or 1. */
static int emulate(const emulation *e) {
  char other[256], bad[256];
  check_arithmetic a;
  fovea_device *device = NULL;
  setenv("FOVEA_CL_DIR", kernels_changed(e->edits, EDITS), 1);
  if (fovea_device_open(NULL, &device) != FOVEA_OK || check_device_arithmetic(device, e->corrected, &a) != FOVEA_OK)
    fail_msg("%s: %s", e->name, fovea_error_message());
  fovea_device_close(device);
  list(other, sizeof other, &a, false);
  list(bad, sizeof bad, &a, true);
  if (strcmp(other, e->other) == 0 && strcmp(bad, e->bad) == 0 && check_conforms(&a) == e->conforms) return 0;
  fprintf(stderr, "%s: other bits of %s expected of %s; bad %s expected %s\n", e->name, other, e->other, bad, e->bad);
  for (int i = 0; i < CHECK_PROBES; i++)
    if (a.probes[i].differ > 0)
      fprintf(stderr, "  %s: %zu other bits, %.3g ULP, %s\n", a.probes[i].name, a.probes[i].differ, a.probes[i].ulp,
              a.probes[i].first);
  return 1;
}

static void test_emulated(void **state) {
  (void)state;
  int wrong = 0;
  for (size_t i = 0; i < sizeof emulations / sizeof *emulations; i++) wrong += emulate(&emulations[i]);
  unsetenv("FOVEA_CL_DIR");
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_emulated)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
