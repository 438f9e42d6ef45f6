/* What a device may be trusted with, from all that was measured on it.
 *
 * The primitives are fp32 add, multiply, fma and denormals. Where they are IEEE 754's, everything that Fovea computes
 * is decided: other bits anywhere are a miscompiled kernel or a driver's fault. Only where they are not may bits be
 * others, and then everything is held to an error against double precision: the primitives and our functions to their
 * bounds in ULP (arithmetic.c), the ops to the tolerances of lockstep.c, the losses of the training to the recorded
 * ones within LOSS_RTOL. Integers and exact conversions are right on every device, and the same training gives the same
 * bits twice.
 *
 *                 our functions     ops                   training
 *   primitives    (division, exp..) (lockstep)            (hash, losses)     promise          verdict
 *   conform       the bits          the bits, tolerance   the hash           the same bits    passed
 *   conform       other bits        any                   any                the same bits    FAILED
 *   conform       any               other bits            any                the same bits    FAILED
 *   conform       any               any                   another hash       the same bits    FAILED
 *   do not        within the bound  within the tolerance  near the losses    bits of its own  passed
 *   do not        beyond it         any                   any                bits of its own  FAILED
 *   do not        any               outside it            any                bits of its own  FAILED
 *   do not        any               any                   other losses       bits of its own  FAILED
 *   beyond bound  any               any                   any                bits of its own  FAILED
 *   any           integers wrong    any                   any                as above         FAILED
 *   any           any               outside tolerance     any                as above         FAILED
 *   any           any               any                   not repeated       as above         FAILED
 *   any           any               any                   of few, likewise   as above         FAILED
 *   any           any               stopped               any                as above         FAILED
 *   any           any               any                   stopped            as above         FAILED
 *
 * Stopped: by a loss or a gradient that is not finite, or a write outside of a buffer. A pass that must not be finite
 * and goes unnoticed, or changes a parameter (not_finite.c), fails on any device. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"

static const double LOSS_RTOL = 0.01;

bool check_conforms(const check_arithmetic *a) {
  for (int i = 0; i < CHECK_PROBES; i++)
    if (a->probes[i].kind == CHECK_PRIMITIVE && a->probes[i].differ > 0) return false;
  return true;
}

bool check_probe_good(const check_probe *probe, bool conforms) {
  if (probe->beyond) return false;
  return probe->differ == 0 || (probe->kind != CHECK_INTEGER && !conforms);
}

/* Adds a clause to the sentence. */
__attribute__((format(printf, 2, 3))) static void add(check_verdict *v, const char *format, ...) {
  const size_t used = strlen(v->why);
  va_list args;
  snprintf(v->why + used, sizeof v->why - used, "%s", used > 0 ? ", " : "");
  va_start(args, format);
  vsnprintf(v->why + strlen(v->why), sizeof v->why - strlen(v->why), format, args);
  va_end(args);
}

static void judge_arithmetic(const check_results *r, check_verdict *v) {
  v->arithmetic_good = true;
  for (int i = 0; i < CHECK_PROBES; i++) {
    const check_probe *p = &r->arithmetic->probes[i];
    if (check_probe_good(p, v->promised)) continue;
    add(v, p->beyond ? "%s is wrong" : "%s has other bits", p->name);
    v->arithmetic_good = false;
  }
}

static void judge_ops(const check_results *r, check_verdict *v) {
  v->ops_good = r->failures == 0 && (!v->promised || r->differ == 0) && !r->ops_stopped;
  if (r->failures > 0) add(v, "%d results are outside the tolerance", r->failures);
  if (v->promised && r->differ > 0) add(v, "%d ops have other bits", r->differ);
  if (r->ops_stopped) add(v, "the comparison of the ops stopped (%.300s)", r->ops_stopped);
}

static void judge_not_finite(const check_results *r, check_verdict *v) {
  v->not_finite_good = r->not_finite->failed == 0;
  if (v->not_finite_good) return;
  add(v, "%d of %d passes that are not finite do not stop as they must", r->not_finite->failed, r->not_finite->count);
}

static bool near(double loss, double expected) { return fabs(loss - expected) <= LOSS_RTOL * fabs(expected); }

static void judge_training(const check_results *r, check_verdict *v) {
  const check_training *t = r->training;
  if (r->training_stopped) {
    add(v, "the training stopped (%.300s)", r->training_stopped);
    return;
  }
  const bool losses = near(t->first_loss, t->expected_losses[0]) && near(t->last_loss, t->expected_losses[1]);
  const bool hash = t->hash == t->expected || !v->promised;
  v->training_good = t->repeated && t->few_repeated && losses && hash;
  if (!t->repeated) add(v, "steps back to back end with other bits than steps apart");
  if (!t->few_repeated) add(v, "steps of few images back to back end with other bits than steps apart");
  if (!hash) add(v, "the training's checkpoint is not the recorded one");
  if (!losses) add(v, "the training's losses are not the recorded ones");
}

check_verdict check_judge(const check_results *results) {
  check_verdict v = {.promised = check_conforms(results->arithmetic)};
  judge_arithmetic(results, &v);
  judge_ops(results, &v);
  judge_not_finite(results, &v);
  judge_training(results, &v);
  v.passed = v.arithmetic_good && v.ops_good && v.not_finite_good && v.training_good;
  return v;
}
