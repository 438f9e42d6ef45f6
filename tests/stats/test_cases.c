/* Tables on which `fovea regress` was once wrong, by the design that it makes of them itself; figures are R 4.2.2's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fovea/stats.h"

typedef struct fitted {
  fovea_design *design;
  fovea_ols *ols;
} fitted;

static fitted fit(const char *name, bool constant) {
  char path[512];
  fovea_table *table = NULL;
  fitted f = {0};
  snprintf(path, sizeof path, "%s/tests/golden/%s.csv", FOVEA_SOURCE_DIR, name);
  if (fovea_table_read(path, &table) ||
      fovea_design_from_table(table, &(fovea_design_options){.constant = constant}, &f.design) ||
      fovea_ols_fit_design(f.design, NULL, &f.ols))
    fail_msg("%s: %s", name, fovea_error_message());
  fovea_table_destroy(table);
  return f;
}

static void done(fitted *f) {
  fovea_ols_destroy(f->ols);
  fovea_design_destroy(f->design);
}

static void assert_near(double got, double expected) {
  if (!(fabs(got - expected) <= 1e-12 * fabs(expected))) fail_msg("%.17g, expected %.17g", got, expected);
}

static void test_word_beside_constant(void **state) {
  (void)state;
  fitted f = fit("rank/dummy_trap", true);
  assert_int_equal(f.ols->rank, 2);
  assert_near(f.ols->coefficients[0], 5.5);
  assert_near(f.ols->coefficients[1], -1);
  assert_near(f.ols->r_squared, 0.0107913669064747);
  done(&f);
}

static void test_two_words(void **state) {
  (void)state;
  static const double b[] = {-0.105045707691648, 0.984395587138687, 2.151579658306767,
                             0.400016989955831,  0.839090631113924, 1.427769413373703};
  fitted f = fit("rank/two_words", false);
  assert_int_equal(f.ols->rank, 6);
  assert_int_equal(f.ols->k, 6);
  assert_true(f.ols->constant);
  for (size_t j = 0; j < 6; j++) assert_near(f.ols->coefficients[j], b[j]);
  assert_near(f.ols->r_squared, 0.569285131915356);
  done(&f);
}

/* Stored powers leave 7 digits of NIST's. */
static void test_filip(void **state) {
  (void)state;
  fitted f = fit("cases/filip", true);
  assert_int_equal(f.ols->rank, 11);
  assert_true(fabs(f.ols->coefficients[0] / -1467.48961422980 - 1) < 1e-7);
  assert_true(fabs(f.ols->coefficients[10] / -0.402962525080404e-4 - 1) < 1e-7);
  done(&f);
}

/* What a sweep varies beside the original's factors is a factor, too. */
static void test_latent_column(void **state) {
  (void)state;
  fitted f = fit("cases/with_latent", false);
  assert_null(f.design->remarks);
  bool found = false;
  for (size_t i = 0; i < f.design->k; i++) found = found || strcmp(f.design->names[i], "latent") == 0;
  assert_true(found);
  done(&f);
}

static void test_names(void **state) {
  (void)state;
  fitted f = fit("cases/name_of_a_word", true);
  assert_string_equal(f.ols->names[1], "w_v");
  assert_string_equal(f.ols->names[2], "w_u");
  done(&f);
}

/* No activation is starred for a loss that is not 0: none differs from another. */
static void test_activations(void **state) {
  (void)state;
  fitted f = fit("cases/activation_stars", false);
  fovea_analysis *a = NULL;
  assert_int_equal(fovea_analyze(f.design, f.ols, NULL, &a), FOVEA_OK);
  assert_int_equal(a->effect_count, 3);
  assert_string_equal(a->effects[1].name, "activation");
  assert_true(fabs(a->effects[1].p_value - 0.36430) < 5e-6);
  assert_true(fabs(a->effects[0].p_value - 0.72231) < 5e-6);
  assert_true(a->effects[2].is_block);
  for (size_t i = 0; i < a->factors[1].difference_count; i++) assert_true(a->factors[1].differences[i].p_value > 0.3);
  assert_non_null(strstr(a->factors[1].sentence, "makes no difference that can be told from noise"));
  fovea_analysis_destroy(a);
  done(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_word_beside_constant),
                                     cmocka_unit_test(test_two_words),
                                     cmocka_unit_test(test_filip),
                                     cmocka_unit_test(test_latent_column),
                                     cmocka_unit_test(test_names),
                                     cmocka_unit_test(test_activations)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
