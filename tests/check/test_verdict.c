/* The verdict on a device, for every combination of what was measured: the table of tools/check/verdict.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/check.h"

/* What a group of results may be. ANY: of a row, not of a result. */
typedef enum outcome { RIGHT, OTHER, WRONG, ANY } outcome;

/* Of three lines of the arithmetic, of the ops and of the training. OTHER: bits, within what is allowed; a training of
 * OTHER has another hash and the recorded losses. */
enum { PRIMITIVES, INTEGERS, FUNCTIONS, OPS, TRAINING, REPEATED, GROUPS }; /* OTHER of REPEATED: steps of few images */

typedef struct row {
  outcome of[GROUPS];
  bool promised, passed;
} row;

/* The first row that fits decides. */
static const row rows[] = {
    {{ANY, ANY, ANY, ANY, ANY, WRONG}, false, false},         {{ANY, ANY, ANY, ANY, ANY, OTHER}, false, false},
    {{WRONG, ANY, ANY, ANY, ANY, ANY}, false, false},         {{ANY, WRONG, ANY, ANY, ANY, ANY}, false, false},
    {{ANY, OTHER, ANY, ANY, ANY, ANY}, false, false},         {{ANY, ANY, WRONG, ANY, ANY, ANY}, false, false},
    {{ANY, ANY, ANY, WRONG, ANY, ANY}, false, false},         {{ANY, ANY, ANY, ANY, WRONG, ANY}, false, false},
    {{RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT}, true, true}, {{RIGHT, RIGHT, OTHER, ANY, ANY, RIGHT}, true, false},
    {{RIGHT, RIGHT, ANY, OTHER, ANY, RIGHT}, true, false},    {{RIGHT, RIGHT, ANY, ANY, OTHER, RIGHT}, true, false},
    {{OTHER, RIGHT, ANY, ANY, ANY, RIGHT}, false, true},
};

static const row *row_of(const outcome of[GROUPS]) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool fits = true;
    for (int g = 0; g < GROUPS; g++) fits &= rows[i].of[g] == ANY || rows[i].of[g] == of[g];
    if (fits) return &rows[i];
  }
  return NULL;
}

static const check_not_finite noticed = {.count = 5};

/* Results with one line of each kind as `of` says, the others right. */
static check_verdict judge(const outcome of[GROUPS]) {
  static const check_kind kinds[] = {CHECK_PRIMITIVE, CHECK_INTEGER, CHECK_FUNCTION};
  static const char *const names[] = {"add", "philox", "exp"};
  check_arithmetic a = {0};
  check_training t = {.hash = 1,
                      .expected = 1,
                      .expected_losses = {0.7, 0.5},
                      .repeated = of[REPEATED] != WRONG,
                      .few_repeated = of[REPEATED] != OTHER};
  for (int i = 0; i < CHECK_PROBES; i++) {
    const outcome o = i % 2 && i < 6 ? of[i / 2] : RIGHT; /* one of two lines of each kind */
    a.probes[i] = (check_probe){.name = names[i % 6 / 2], .kind = kinds[i % 6 / 2]};
    a.probes[i].differ = o != RIGHT, a.probes[i].beyond = o == WRONG;
  }
  t.hash += of[TRAINING] != RIGHT;
  t.first_loss = 0.7, t.last_loss = of[TRAINING] == WRONG ? 0.51 : 0.501;
  const int failures = of[OPS] == WRONG, differ = of[OPS] != RIGHT;
  return check_judge(&(check_results){
      .arithmetic = &a, .failures = failures, .differ = differ, .not_finite = &noticed, .training = &t});
}

static void test_every_combination(void **state) {
  (void)state;
  for (int code = 0; code < 3 * 3 * 3 * 3 * 3 * 3; code++) {
    outcome of[GROUPS];
    for (int g = 0, rest = code; g < GROUPS; g++, rest /= 3) of[g] = (outcome)(rest % 3);
    const row *r = row_of(of);
    assert_non_null(r);
    const check_verdict v = judge(of);
    const bool promised = of[PRIMITIVES] == RIGHT;
    if (v.passed != r->passed || v.promised != promised || (r->passed && r->promised != promised))
      fail_msg("combination %d: passed %d, promised %d, why %s", code, v.passed, v.promised, v.why);
    assert_int_equal(v.passed, v.why[0] == '\0');
    assert_int_equal(v.passed, v.arithmetic_good && v.ops_good && v.training_good);
  }
}

static void test_sentences(void **state) {
  (void)state;
  static const struct {
    outcome of[GROUPS];
    const char *why;
  } cases[] = {
      {{RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT}, ""},
      {{RIGHT, RIGHT, OTHER, RIGHT, RIGHT, RIGHT}, "exp has other bits"},
      {{RIGHT, RIGHT, WRONG, RIGHT, RIGHT, RIGHT}, "exp is wrong"},
      {{OTHER, WRONG, RIGHT, RIGHT, RIGHT, RIGHT}, "philox is wrong"},
      {{WRONG, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT}, "add is wrong"},
      {{RIGHT, RIGHT, RIGHT, OTHER, RIGHT, RIGHT}, "1 ops have other bits"},
      {{OTHER, RIGHT, RIGHT, WRONG, RIGHT, RIGHT}, "1 results are outside the tolerance"},
      {{RIGHT, RIGHT, RIGHT, RIGHT, OTHER, RIGHT}, "the training's checkpoint is not the recorded one"},
      {{OTHER, RIGHT, RIGHT, RIGHT, WRONG, RIGHT}, "the training's losses are not the recorded ones"},
      {{OTHER, RIGHT, OTHER, OTHER, OTHER, WRONG}, "steps back to back end with other bits than steps apart"},
      {{RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, OTHER},
       "steps of few images back to back end with other bits than steps apart"},
      {{RIGHT, RIGHT, OTHER, OTHER, OTHER, RIGHT},
       "exp has other bits, 1 ops have other bits, the training's checkpoint is not the recorded one"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_string_equal(judge(cases[i].of).why, cases[i].why);
}

/* A loss that is no number is near no other. */
static void test_losses(void **state) {
  (void)state;
  check_arithmetic a = {0};
  a.probes[0] = (check_probe){.name = "fma", .kind = CHECK_PRIMITIVE, .differ = 1};
  check_training t = {
      .repeated = true, .few_repeated = true, .hash = 1, .first_loss = 0.7, .expected_losses = {0.7, 0.5}};
  const double losses[] = {0.5, 0.4951, 0.5049, 0.494, 0.506, (double)NAN, HUGE_VAL};
  for (int i = 0; i < 7; i++) {
    t.last_loss = losses[i];
    const check_results results = {.arithmetic = &a, .not_finite = &noticed, .training = &t};
    assert_int_equal(check_judge(&results).passed, i < 3);
  }
}

/* On any device, what stopped and what went unnoticed fail, and are named. */
static void test_stopped(void **state) {
  (void)state;
  static const struct {
    int unnoticed;
    const char *ops, *training, *why;
  } cases[] = {
      {0, NULL, NULL, ""},
      {2, NULL, NULL, "2 of 5 passes that are not finite do not stop as they must"},
      {0, "a canary", NULL, "the comparison of the ops stopped (a canary)"},
      {0, NULL, "step 7", "the training stopped (step 7)"},
      {1, "x", "y",
       "the comparison of the ops stopped (x), 1 of 5 passes that are not finite do not stop as they must, the "
       "training "
       "stopped (y)"},
  };
  for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
    check_arithmetic a = {0};
    a.probes[0] = (check_probe){.name = "fma", .kind = CHECK_PRIMITIVE, .differ = i % 2};
    const check_not_finite passes = {.count = 5, .failed = cases[i / 2].unnoticed};
    const bool ended = !cases[i / 2].training;
    const check_training t = {
        .repeated = ended, .few_repeated = ended, .first_loss = ended, .last_loss = ended, .expected_losses = {1, 1}};
    const check_results results = {.arithmetic = &a,
                                   .ops_stopped = cases[i / 2].ops,
                                   .not_finite = &passes,
                                   .training = &t,
                                   .training_stopped = cases[i / 2].training};
    const check_verdict v = check_judge(&results);
    assert_string_equal(v.why, cases[i / 2].why);
    assert_int_equal(v.passed, i / 2 == 0);
    assert_int_equal(v.ops_good, !cases[i / 2].ops);
    assert_int_equal(v.not_finite_good, cases[i / 2].unnoticed == 0);
    assert_int_equal(v.training_good, !cases[i / 2].training);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_combination), cmocka_unit_test(test_sentences),
                                     cmocka_unit_test(test_losses), cmocka_unit_test(test_stopped)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
