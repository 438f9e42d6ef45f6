/* Experiments whose truth is known: 4 x 2 x 2 x 2 configurations, each with the same three seeds, normal errors of
 * deviation 1 and seeds of deviation 0 or 2. How often a factor that does nothing is called significant at 0.05, which
 * should be 5%, and how often one of half a deviation is seen, with and without the seeds as blocks. The table of
 * tests/README.md:
 *
 *   build/tests/test_stats_simulation | grep '^|'
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/stats.h"
#include "stats/covariance.h"
#include "stats/distributions.h"
#include "stats/marginal.h"
#include "stats/range.h"
#include "support/tempdir.h"

enum { SEEDS = 3, CONFIGS = 32, ROWS = SEEDS * CONFIGS, TRIALS = 3000 };

static uint64_t state_of_random;

/* splitmix64 */
static double uniform(void) {
  uint64_t z = state_of_random += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller */
static double normal(void) {
  const double radius = sqrt(-2 * log(uniform()));
  return radius * cos(2 * 3.14159265358979323846 * uniform());
}

static fovea_table *experiment(void) {
  static const char *const activations[] = {"elu", "relu", "selu", "sigmoid"};
  static char csv[ROWS * 64];
  size_t used = (size_t)snprintf(csv, sizeof csv, "activation,attention,batchnorm,dropout,seed,test_loss\n");
  for (size_t i = 0; i < ROWS; i++)
    used += (size_t)snprintf(csv + used, sizeof csv - used, "%s,%s,%s,%s,%zu,%zu\n", activations[i % 4],
                             i / 4 % 2 ? "spatial" : "none", i / 8 % 2 ? "on" : "off", i / 16 % 2 ? "on" : "off",
                             768 + i / CONFIGS, i);
  fovea_table *table = NULL;
  assert_int_equal(fovea_table_read(temp_file("experiment.csv", csv, used), &table), FOVEA_OK);
  return table;
}

/* Rejections of TRIALS. */
typedef struct count {
  int attention, activation, any_pair;
} count;

static size_t column_of(const fovea_design *d, const char *name) {
  size_t j = 0;
  while (strcmp(d->names[j], name) != 0) j++;
  return j;
}

/* One more experiment into `c`; of the blocked design also the joint test of activation and its differences. */
static void fit(fovea_design *d, const double *y, const char *attention, bool joint, double range, count *c) {
  fovea_ols *o = NULL;
  memcpy(d->y, y, ROWS * sizeof *y);
  assert_int_equal(fovea_ols_fit_design(d, NULL, &o), FOVEA_OK);
  c->attention += o->p_values[column_of(d, attention)] < 0.05;
  if (joint) {
    const size_t first = column_of(d, "activation_relu"), columns[] = {first, first + 1, first + 2};
    size_t rank = 0, activation = 0;
    double statistic = 0, largest = 0;
    fovea_means m = {0};
    assert_int_equal(fovea_wald(o, columns, 3, &statistic, &rank), FOVEA_OK);
    c->activation += fovea_f_sf(statistic / 3, 3, o->df_inference) < 0.05;
    while (strcmp(d->variables[activation].name, "activation") != 0) activation++;
    assert_int_equal(fovea_means_fill(d, o, &activation, 1, FOVEA_UNADJUSTED, NULL, &m), FOVEA_OK);
    for (size_t i = 0; i < m.difference_count; i++) largest = fmax(largest, fabs(m.differences[i].t_value));
    c->any_pair += largest * sqrt(2) > range;
    fovea_means_free(&m);
  }
  fovea_ols_destroy(o);
}

static double percent(int rejections) { return 100. * rejections / TRIALS; }

static void simulate(const fovea_table *table, double seed_deviation, double effect, count *blocked, count *plain) {
  fovea_design *with = NULL, *without = NULL;
  assert_int_equal(fovea_design_from_table(table, NULL, &with), FOVEA_OK);
  assert_int_equal(fovea_design_from_table(table, &(fovea_design_options){.all_levels = true}, &without), FOVEA_OK);
  const double range = fovea_studentized_range_isf(0.05, 4, ROWS - 9);
  *blocked = *plain = (count){0};
  for (int trial = 0; trial < TRIALS; trial++) {
    double y[ROWS], seeds[SEEDS];
    for (size_t s = 0; s < SEEDS; s++) seeds[s] = seed_deviation * normal();
    for (size_t i = 0; i < ROWS; i++) y[i] = 10 + seeds[i / CONFIGS] + normal() + (i / 4 % 2 ? effect : 0);
    fit(with, y, "attention_spatial", true, range, blocked);
    fit(without, y, "SpatialAttention", false, range, plain);
  }
  fovea_design_destroy(with);
  fovea_design_destroy(without);
  printf("| %g | %g | %.1f | %.1f | %.1f | %.1f |\n", seed_deviation, effect, percent(plain->attention),
         percent(blocked->attention), percent(blocked->activation), percent(blocked->any_pair));
}

static void assert_between(double value, double low, double high) {
  if (!(value >= low && value <= high)) fail_msg("%g%%, expected %g to %g", value, low, high);
}

static void test_experiments(void **state) {
  (void)state;
  fovea_table *table = experiment();
  puts(
      "| seeds' deviation | attention's effect | attention, no blocks | attention, blocks | activation, joint F | any "
      "of "
      "activation's 6 differences, Tukey |\n| --- | --- | --- | --- | --- | --- |");
  state_of_random = 768;
  for (int half = 0; half < 2; half++)
    for (int spread = 0; spread <= 2; spread += 2) {
      count blocked, plain;
      simulate(table, spread, 0.5 * half, &blocked, &plain);
      assert_between(percent(blocked.activation), 4, 6);
      assert_between(percent(blocked.any_pair), 4, 6);
      /* the power of this design by noncentral t: 0.5 over its error of 2 / sqrt(96), with 87 degrees of freedom */
      const double power = fovea_noncentral_t_two_sided(fovea_student_t_isf(0.025, 87), 87, 0.5 * sqrt(ROWS) / 2);
      if (half)
        assert_between(percent(blocked.attention), 100 * power - 2, 100 * power + 2);
      else
        assert_between(percent(blocked.attention), 4, 6);
      if (half && spread) assert_true(percent(plain.attention) < percent(blocked.attention) - 30);
    }
  fovea_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_experiments)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
