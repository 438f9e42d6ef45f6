/* The self-test of a device, told line by line. */
#include "check/check.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress.h"

enum { STOPPED_SIZE = 400 };

typedef struct run_state {
  bool json, small;
  json_t *ops;
  check_arithmetic arithmetic;
  int failures, differ;
  char ops_stopped[STOPPED_SIZE], training_stopped[STOPPED_SIZE]; /* "" where it went to its end */
  check_not_finite not_finite;
  check_training training;
} run_state;

/* --- lines ------------------------------------------------------------------------------------------------------- */

static const char *bits_of(const check_op *op) {
  if (op->forward.count + op->backward.count == 0) return "-"; /* the comparison stopped before it */
  return op->forward.differ == 0 && op->backward.differ == 0 ? "equal" : "DIFFER";
}

/* "123.4", or "-" where nothing was measured. */
static const char *rate_text(double rate, char text[16]) {
  snprintf(text, 16, rate > 0 ? "%.1f" : "-", rate / 1e9);
  return text;
}

/* What is compared but once, as Adam is, has nothing under "backward". */
static void print_error(const check_error *e) {
  if (e->count > 0)
    printf("  %8.2f %8.1e", e->ulp, e->relative);
  else
    printf("  %8s %8s", "-", "-");
}

static void print_op(const check_op *op) {
  char forward[16], backward[16];
  printf("%-26s %-22s %-7s", op->name, op->shape, op->network);
  print_error(&op->forward);
  print_error(&op->backward);
  printf("  %-6s %8s %8s %s\n", bits_of(op), rate_text(op->forward_rate, forward),
         rate_text(op->backward_rate, backward),
         op->rate_is_bytes      ? "GB/s"
         : op->forward_rate > 0 ? "GFLOP/s"
                                : "");
  const check_error *errors[] = {&op->forward, &op->backward};
  for (int i = 0; i < 2; i++)
    if (*errors[i]->first)
      printf("  %s, %s: %s\n", errors[i]->failed ? "WRONG" : "other bits", i == 0 ? "forward" : "backward",
             errors[i]->first);
  fflush(stdout);
}

/* JSON has no infinity: null. */
static json_t *number(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static json_t *error_json(const check_error *e) {
  return json_pack("{s:I,s:o,s:o,s:b,s:I,s:s}", "compared", (json_int_t)e->count, "ulp", number(e->ulp), "relative",
                   number(e->relative), "within_tolerance", !e->failed, "bits_differ", (json_int_t)e->differ, "first",
                   e->first);
}

static void report(void *user, const check_op *op) {
  run_state *s = user;
  if (!s->json) {
    print_op(op);
    return;
  }
  json_array_append_new(
      s->ops, json_pack("{s:s,s:s,s:s,s:i,s:o,s:o,s:f,s:f,s:s}", "op", op->name, "shape", op->shape, "network",
                        op->network, "nodes", op->nodes, "forward", error_json(&op->forward), "backward",
                        error_json(&op->backward), "forward_rate", op->forward_rate, "backward_rate", op->backward_rate,
                        "rate", op->rate_is_bytes ? "bytes/s" : "flop/s"));
}

/* --- what it comes to ----------------------------------------------------------------------------------------------
 */

static check_verdict judge(const run_state *s) {
  return check_judge(&(check_results){.arithmetic = &s->arithmetic,
                                      .failures = s->failures,
                                      .differ = s->differ,
                                      .ops_stopped = *s->ops_stopped ? s->ops_stopped : NULL,
                                      .not_finite = &s->not_finite,
                                      .training = &s->training,
                                      .training_stopped = *s->training_stopped ? s->training_stopped : NULL});
}

static const char *kind_of(const check_probe *p) {
  static const char *const kinds[] = {
      [CHECK_PRIMITIVE] = "primitive", [CHECK_INTEGER] = "integer", [CHECK_FUNCTION] = "ours"};
  return kinds[p->kind];
}

/* The bits are those of the reference, which for a primitive is IEEE 754; or how they are not. */
static const char *result_of(const check_probe *p, bool conforms) {
  if (p->beyond) return "WRONG";
  if (p->differ == 0) return p->kind == CHECK_PRIMITIVE ? "conforms" : "right";
  return p->kind == CHECK_PRIMITIVE ? "does not conform" : conforms ? "OTHER BITS" : "other bits, in bound";
}

static void print_probe(const check_probe *p, bool conforms) {
  printf("%-19s %-10s %-21s", p->name, kind_of(p), result_of(p, conforms));
  if (p->kind == CHECK_INTEGER)
    printf(" %8s %8s", "-", "-");
  else
    printf(" %8.3g %8.3g", p->ulp, p->bound);
  printf(" %8zu of %zu\n", p->differ, p->count);
  if (*p->first) printf("  %s\n", p->first);
}

static void print_arithmetic(const check_arithmetic *a) {
  const bool conforms = check_conforms(a);
  printf("\n%-19s %-10s %-21s %8s %8s %8s\n", "arithmetic", "", "", "ULP", "bound", "other bits");
  for (int i = 0; i < CHECK_PROBES; i++) print_probe(&a->probes[i], conforms);
  printf("division and square root are rounded by %s\n", a->corrected ? "our correction" : "the device");
  printf("promise: %s\n\n", conforms ? "the same bits as every other conforming device: add, multiply, fma and "
                                       "denormals conform, so all else must have the recorded bits"
                                     : "the same bytes run after run on this device, and values within the bounds and "
                                       "tolerances; not the bits of other devices");
}

static void print_head(void) {
  printf("%-26s %-22s %-7s  %17s  %17s  %-6s %17s\n", "", "", "", "forward", "backward", "", "speed");
  printf("%-26s %-22s %-7s  %8s %8s  %8s %8s  %-6s %8s %8s\n", "op", "shape", "network", "ULP", "relative", "ULP",
         "relative", "bits", "forward", "backward");
}

static void print_not_finite(const check_not_finite *n) {
  printf("\nnot finite: %d of %d passes whose loss or gradient is NaN or overflows are told so, and change nothing\n",
         n->count - n->failed, n->count);
  if (*n->first) printf("  WRONG: %s\n", n->first);
}

static void print_training(const run_state *s, const check_verdict *v) {
  const check_training *t = &s->training;
  if (*s->training_stopped) {
    printf("\ntraining of the %s network\n  WRONG: it stopped: %s\n", t->network, s->training_stopped);
    return;
  }
  printf("\ntraining: %d steps of the %s network, loss %.4f to %.4f, checkpoint %016" PRIx64 "\n", t->steps, t->network,
         t->first_loss, t->last_loss, t->hash);
  if (!t->repeated) printf("  WRONG: steps back to back ended with other bits than steps apart\n");
  if (!t->few_repeated) printf("  WRONG: steps of few images back to back ended with other bits than steps apart\n");
  if (t->hash != t->expected)
    printf("  %s: the recorded checkpoint is %016" PRIx64 ", of losses %.4f to %.4f\n",
           v->training_good ? "other bits" : "WRONG", t->expected, t->expected_losses[0], t->expected_losses[1]);
}

static void print_end(const run_state *s, const check_verdict *v) {
  if (*s->ops_stopped) printf("  WRONG: the comparison stopped: %s\n", s->ops_stopped);
  print_not_finite(&s->not_finite);
  print_training(s, v);
  printf("same bits as every other conforming device%s: %s\n", s->small ? ", of the small network" : "",
         !v->promised ? "not promised"
         : v->passed  ? "yes"
                      : "promised, and NOT KEPT or in doubt");
  printf("%s\n", v->passed ? "passed" : "FAILED");
}

static json_t *probes_json(const check_arithmetic *a) {
  json_t *all = json_array();
  for (int i = 0; i < CHECK_PROBES; i++) {
    const check_probe *p = &a->probes[i];
    json_array_append_new(
        all, json_pack("{s:s,s:s,s:I,s:I,s:o,s:f,s:b,s:b,s:b,s:s}", "name", p->name, "kind", kind_of(p), "compared",
                       (json_int_t)p->count, "bits_differ", (json_int_t)p->differ, "ulp", number(p->ulp), "bound",
                       p->bound, "conforms", p->differ == 0, "within_bound", !p->beyond, "passed",
                       check_probe_good(p, check_conforms(a)), "first", p->first));
  }
  return all;
}

static fovea_status print_json(const fovea_device_info *info, const run_state *s, const check_verdict *v) {
  char hash[17], expected[17];
  const check_arithmetic *a = &s->arithmetic;
  const check_not_finite *n = &s->not_finite;
  const check_training *t = &s->training;
  snprintf(hash, sizeof hash, "%016" PRIx64, t->hash);
  snprintf(expected, sizeof expected, "%016" PRIx64, t->expected);
  json_t *all = json_pack(
      "{s:{s:s,s:s,s:s,s:s,s:s}, s:{s:b,s:b,s:b,s:o}, s:b, s:O, s:s, s:{s:i,s:i,s:s,s:b}, "
      "s:{s:s,s:i,s:o,s:o,s:o,s:b,s:b,s:s,s:s,s:s,s:b}, s:b, s:b, s:s}",
      "device", "name", info->name, "vendor", info->vendor, "platform", info->platform, "driver", info->driver,
      "version", info->version, "arithmetic", "corrected", a->corrected, "primitives_conform", check_conforms(a),
      "passed", v->arithmetic_good, "probes", probes_json(a), "same_bits_promised", v->promised, "ops", s->ops,
      "ops_stopped", s->ops_stopped, "not_finite", "passes", n->count, "failed", n->failed, "first", n->first, "passed",
      v->not_finite_good, "training", "network", t->network, "steps", t->steps, "first_loss", number(t->first_loss),
      "last_loss", number(t->last_loss), "images_per_s", number(t->images_per_s), "repeated", t->repeated,
      "few_repeated", t->few_repeated, "hash", hash, "expected", expected, "stopped", s->training_stopped, "passed",
      v->training_good, "ops_passed", v->ops_good, "passed", v->passed, "why", v->why);
  return json_result(all);
}

static fovea_status say_failure(const check_verdict *v) {
  if (v->passed) return FOVEA_OK;
  return fovea_fail(FOVEA_MISMATCH,
                    "check: %s: do not train on this device, and send this output with your driver's version to the "
                    "developers",
                    v->why);
}

/* --- the command ----------------------------------------------------------------------------------------------------
 */

/* FOVEA_MISMATCH is a finding, not an end: what stopped goes into `stopped`, and the rest is still checked. */
static fovea_status note_stop(fovea_status status, char stopped[STOPPED_SIZE]) {
  if (status != FOVEA_MISMATCH) return status;
  snprintf(stopped, STOPPED_SIZE, "%s", fovea_error_message());
  return FOVEA_OK;
}

static fovea_status check(fovea_device *device, run_state *s) {
  const fovea_device_info *info = fovea_device_get_info(device);
  if (!s->json) printf("device: %s (%s, driver %s)\n", info->name, info->platform, info->driver);
  fovea_status status = check_device_arithmetic(device, false, &s->arithmetic);
  if (status == FOVEA_OK && !s->json) print_arithmetic(&s->arithmetic), print_head();
  if (status == FOVEA_OK)
    status = note_stop(check_ops(device, s->small ? CHECK_SMALL : CHECK_ALL, report, s, &s->failures, &s->differ),
                       s->ops_stopped);
  if (status == FOVEA_OK) status = check_not_finite_passes(device, &s->not_finite);
  if (status == FOVEA_OK) status = note_stop(check_train(device, s->small, &s->training), s->training_stopped);
  if (status != FOVEA_OK) return status;
  const check_verdict v = judge(s);
  if (s->json)
    status = print_json(info, s, &v);
  else
    print_end(s, &v);
  return status == FOVEA_OK ? say_failure(&v) : status;
}

static int run(int argc, char **argv) {
  run_state s = {0};
  const char *selector = NULL;
  bool done = false;
  option options[] = {
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &selector,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"},
      {.name = "small",
       .kind = OPTION_FLAG,
       .value = &s.small,
       .help = "a small network, for slow devices: not the seed network, nor most awkward shapes"},
      json_option(&s.json),
  };
  const size_t n = sizeof options / sizeof *options;
  const command_line line = {
      .usage = "fovea check [options]",
      .summary =
          "Tests this device before you trust it: its arithmetic and our functions, every op forward and\n"
          "backward against plain C, passes whose loss or gradient is not finite, each of which must be told\n"
          "and change nothing, then 20 steps of training, apart and back to back, whose checkpoint must have\n"
          "the recorded bits. Where its fp32 add, multiply, fma or denormals are not IEEE 754's its bits may\n"
          "be others, and errors are held to bounds; where they are, any other bit is a fault.\n\n"
          "ULP: the largest error, in units of the last place of the tensor's largest element. relative:\n"
          "the root of the mean square of the errors over that of the tensor. bits: equal to those that\n"
          "plain C computes in the kernels' canonical order. Exit code 1 when anything is wrong.",
      .options = options,
      .count = n,
      .by_many = true};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  fovea_device *device = NULL;
  s.ops = json_array();
  status = fovea_device_open(selector, &device);
  if (status == FOVEA_OK) fovea_device_tell(device, progress_hear, NULL);
  if (!status) status = check(device, &s);
  fovea_device_close(device);
  json_decref(s.ops);
  return status ? command_fail(status) : FOVEA_OK;
}

const command command_check = {"check", "prove a training step on this device before you trust it", run};
