/* The summary's text against statsmodels 0.13.5's, byte for byte but for date and time (and noise: regress_cases.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fovea/stats.h"
#include "stats/regress_text.h"
#include "support/tempdir.h"

static char *summary_of(const regress_case *c) {
  char path[512], *text = NULL;
  regress_path(c->name, "csv", path);
  fovea_table *table = NULL;
  fovea_design *d = NULL;
  fovea_ols *ols = NULL;
  fovea_design_options options = {.constant = c->constant, .all_levels = true};
  fovea_status status = fovea_table_read(path, &table);
  if (!status) status = fovea_design_from_table(table, &options, &d);
  if (!status) status = fovea_ols_fit(d->y, d->x, d->n, d->k, d->response, (const char *const *)d->names, &ols);
  if (!status) status = fovea_ols_summary(ols, &text);
  if (status) fail_msg("%s: %s", c->name, fovea_error_message());
  fovea_ols_destroy(ols);
  fovea_design_destroy(d);
  fovea_table_destroy(table);
  return text;
}

static void check_all(void) {
  int bad = 0;
  for (size_t i = 0; i < REGRESS_CASES; i++) {
    char path[512];
    uint8_t *golden = NULL;
    size_t size;
    regress_path(regress_cases[i].name, "txt", path);
    assert_int_equal(fovea_file_read(path, 1 << 20, &golden, &size), FOVEA_OK);
    char *text = summary_of(&regress_cases[i]);
    int line = regress_first_difference(text, (char *)golden, regress_cases[i].noise);
    if (line)
      print_error("%s: line %d differs:\n%s\nexpected\n%s\n", regress_cases[i].name, line, text, (char *)golden);
    bad += line != 0;
    fovea_free(text);
    free(golden);
  }
  assert_int_equal(bad, 0);
}

/* The summary of a table beside the golden at `path`; false where it differs. */
static bool is_golden(const char *csv, const char *golden, const fovea_design_options *options,
                      const fovea_ols_options *how) {
  fovea_table *table = NULL;
  fovea_design *design = NULL;
  fovea_ols *ols = NULL;
  char *text = NULL;
  uint8_t *expected = NULL;
  size_t size;
  if (fovea_table_read(csv, &table) || fovea_design_from_table(table, options, &design) ||
      fovea_ols_fit_design(design, how, &ols) || fovea_ols_summary(ols, &text) ||
      fovea_file_read(golden, 1 << 20, &expected, &size))
    fail_msg("%s: %s", golden, fovea_error_message());
  const int line = regress_first_difference(text, (char *)expected, NO_NOISE);
  if (line) print_error("%s: line %d differs:\n%s\nexpected\n%s\n", golden, line, text, (char *)expected);
  free(expected);
  fovea_free(text);
  fovea_ols_destroy(ols);
  fovea_design_destroy(design);
  fovea_table_destroy(table);
  return line == 0;
}

/* With errors of other kinds, and other intervals. */
static void test_robust(void **state) {
  (void)state;
  static const struct {
    const char *name;
    fovea_ols_options how;
  } cases[] = {{"hc0", {.covariance = FOVEA_HC0}},
               {"hc1", {.covariance = FOVEA_HC1}},
               {"hc3", {.covariance = FOVEA_HC3}},
               {"cluster", {.covariance = FOVEA_CLUSTER}},
               {"alpha", {.alpha = 0.01}}};
  const char *const columns[] = {"g", "h", "x"};
  const fovea_design_options options = {.columns = columns, .column_count = 3, .constant = true, .cluster = "c"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[512];
    snprintf(path, sizeof path, FOVEA_SOURCE_DIR "/tests/golden/robust/%s.txt", cases[i].name);
    assert_true(is_golden(FOVEA_SOURCE_DIR "/tests/golden/inference/two_way.csv", path, &options, &cases[i].how));
  }
}

/* Forty tables of statsmodels' own data sets: SET-RESPONSE.txt is of SET.csv. */
static void test_datasets(void **state) {
  (void)state;
  static const char folder[] = FOVEA_SOURCE_DIR "/tests/golden/datasets";
  size_t tables = 0;
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
    char csv[512], golden[512], response[256];
    const char *dash = strchr(entry->d_name, '-'), *dot = strrchr(entry->d_name, '.');
    if (!dash || !dot) continue;
    snprintf(csv, sizeof csv, "%s/%.*s.csv", folder, (int)(dash - entry->d_name), entry->d_name);
    snprintf(golden, sizeof golden, "%s/%s", folder, entry->d_name);
    snprintf(response, sizeof response, "%.*s", (int)(dot - dash - 1), dash + 1);
    assert_true(is_golden(csv, golden, &(fovea_design_options){.response = response, .constant = true}, NULL));
    tables++;
  }
  closedir(dir);
  assert_int_equal(tables, 40);
}

static void test_goldens(void **state) {
  (void)state;
  check_all();
}

static void test_decimal_comma(void **state) {
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
  const char *set = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !set; i++) set = setlocale(LC_ALL, names[i]);
  if (!set) skip();
  check_all();
  setlocale(LC_ALL, "C");
}

static char *summary_of_columns(const double *y, const double *x, size_t n, size_t k, const char *const *names) {
  fovea_ols *ols = NULL;
  char *text = NULL;
  assert_int_equal(fovea_ols_fit(y, x, n, k, "y", names, &ols), FOVEA_OK);
  assert_int_equal(fovea_ols_summary(ols, &text), FOVEA_OK);
  fovea_ols_destroy(ols);
  return text;
}

/* In units of 1e-20 a column is nothing to statsmodels beside a constant, and far from 0 it is the constant. */
static void test_other_rank(void **state) {
  (void)state;
  static const char *const names[] = {"const", "x"};
  const double y[] = {1, 2, 4, 4}, tiny[] = {1, 1e-20, 1, 2e-20, 1, 3e-20, 1, 4e-20}, far[] = {1e18, 2e18, 3e18, 5e18};
  char *text = summary_of_columns(y, tiny, 4, 2, names);
  assert_non_null(strstr(text,
                         "The rank is 2, with a constant, in any units of the columns. statsmodels 0.13.5, whose\n"
                         "tolerance depends on them, takes rank 1, with a constant, and prints other numbers.\n"));
  fovea_free(text);
  text = summary_of_columns(y, far, 4, 1, names);
  assert_non_null(strstr(text, "The rank is 1, without a constant, in any units"));
  assert_non_null(strstr(text, "takes rank 1, with a constant, and prints"));
  fovea_free(text);
}

/* Eight are written of a list, and of a name 40 bytes at most, whole characters. */
static void test_many_aliases(void **state) {
  (void)state;
  enum { N = 3, K = 11 };
  static const char name[] = "xäääääääääääääääääääääääääääääääääääääää";
  const char *names[K];
  double y[] = {1, 2, 4}, x[N * K];
  for (size_t j = 0; j < K; j++) {
    names[j] = j == 1 ? name : "short";
    for (size_t i = 0; i < N; i++) x[i * K + j] = j == 0 ? 1 : (double)j;
  }
  char *text = summary_of_columns(y, x, N, K, names);
  assert_non_null(strstr(text, "have no estimate:\nxäääääääääääääääääää... (of short), short (of short), "));
  assert_non_null(strstr(text, "short (of short) and 2 more.\n"));
  fovea_free(text);
}

static void test_source_date_epoch(void **state) {
  (void)state;
  setenv("SOURCE_DATE_EPOCH", "951827696", 1);
  char *text = summary_of(&regress_cases[0]);
  assert_non_null(strstr(text, "\nDate:                Tue, 29 Feb 2000   Prob (F-statistic):"));
  assert_non_null(strstr(text, "\nTime:                        12:34:56   Log-Likelihood:"));
  fovea_free(text);
  unsetenv("SOURCE_DATE_EPOCH");
}

static bool has_note(const double *y, const double *x, size_t n, size_t k, const char *note) {
  static const char *const names[] = {"a", "b"};
  fovea_ols *ols = NULL;
  char *text = NULL;
  if (fovea_ols_fit(y, x, n, k, "y", names, &ols) || fovea_ols_summary(ols, &text))
    fail_msg("%s", fovea_error_message());
  const bool has = strstr(text, note) != NULL;
  fovea_ols_destroy(ols);
  fovea_free(text);
  return has;
}

/* Coefficients near 1e310 and 1e-400, and the same in other units. */
static void test_overflow(void **state) {
  (void)state;
  const double y[] = {1.1, 1.9, 3.2, 3.8, 5.1, 5.9}, large[] = {1e305, 2e305, 3e305, 4e305, 5e305, 6e305};
  double tiny_y[6], huge_y[6], tiny_x[6], one[6];
  for (size_t i = 0; i < 6; i++) {
    tiny_y[i] = y[i] * 1e-200;
    huge_y[i] = y[i] * 1e300;
    tiny_x[i] = (double)(i + 1) * 1e-10;
    one[i] = (double)(i + 1);
  }
  static const char note[] =
      "Numbers beyond double precision are printed as inf or 0; other units of the columns avoid it:\na.";
  assert_true(has_note(huge_y, tiny_x, 6, 1, note));
  assert_true(has_note(tiny_y, large, 6, 1, note));
  assert_false(has_note(huge_y, one, 6, 1, "beyond double"));
  assert_false(has_note(y, large, 6, 1, "beyond double"));
  assert_false(has_note(y, (const double[]){1, 0, 0, 1}, 2, 2, "beyond double")); /* saturated: errors are infinite */
}

/* Within clusters that are the levels of a predictor the residuals add up to 0: nothing tells its levels' errors. */
static void test_clusters_of_a_predictor(void **state) {
  (void)state;
  static const char csv[] = "g,x,y\na,1,1\na,2,3\na,3,2\nb,1,4\nb,2,6\nb,3,9\nc,1,4\nc,2,2\nc,4,3\n";
  fovea_table *table = NULL;
  fovea_design *design = NULL;
  fovea_ols *ols = NULL;
  char *text = NULL;
  const char *const columns[] = {"g", "x"};
  const fovea_design_options options = {.columns = columns, .column_count = 2, .constant = true, .cluster = "g"};
  assert_int_equal(fovea_table_read(temp_file("clusters.csv", csv, sizeof csv - 1), &table), FOVEA_OK);
  assert_int_equal(fovea_design_from_table(table, &options, &design), FOVEA_OK);
  assert_int_equal(fovea_ols_fit_design(design, &(fovea_ols_options){.covariance = FOVEA_CLUSTER}, &ols), FOVEA_OK);
  assert_int_equal(fovea_ols_summary(ols, &text), FOVEA_OK);
  assert_true(isnan(ols->std_errors[1]) && isnan(ols->p_values[1]) && isnan(ols->low[1]));
  assert_true(ols->std_errors[3] > 0);
  assert_non_null(strstr(text, "The clusters do not tell the errors of these, which compare whole clusters:\ng_b."));
  fovea_free(text);
  fovea_ols_destroy(ols);
  fovea_design_destroy(design);
  fovea_table_destroy(table);
}

/* Of a perfect fit the coefficients are printed, and nothing that is made of its residuals. */
static void test_noise(void **state) {
  (void)state;
  static const char *const names[] = {"const", "x"};
  const double y[] = {0.3, 0.5, 0.7, 0.9, 1.1}, x[] = {1, 1, 1, 2, 1, 3, 1, 4, 1, 5};
  fovea_ols *ols = NULL;
  char *text = NULL;
  assert_int_equal(fovea_ols_fit(y, x, 5, 2, "y", names, &ols), FOVEA_OK);
  assert_true(ols->exact);
  assert_int_equal(fovea_ols_summary(ols, &text), FOVEA_OK);
  assert_non_null(strstr(text, "\nx              0.2000          -          -          -           -           -\n"));
  assert_non_null(strstr(text, "F-statistic:                         -\n"));
  assert_non_null(strstr(text, "The fit is exact"));
  fovea_free(text);
  assert_int_equal(fovea_ols_json(ols, &text), FOVEA_OK);
  assert_non_null(strstr(text, "\"durbin_watson\": null"));
  assert_null(strstr(text, "e-1"));
  fovea_free(text);
  fovea_ols_destroy(ols);
}

static void test_nearly_constant(void **state) {
  (void)state;
  const double y[] = {1.1, 1.9, 3.2, 3.8, 5.1, 5.9};
  double x[6];
  static const char note[] =
      "a varies by less than the tolerance of the rank, some 1.3e-15 of its size, and is taken\nas the constant;";
  for (size_t i = 0; i < 6; i++) x[i] = 1e16 + 2. * (double)i;
  assert_true(has_note(y, x, 6, 1, note));
  for (size_t i = 0; i < 6; i++) x[i] = 1e12 + (double)i;
  assert_false(has_note(y, x, 6, 1, "varies by less"));
  for (size_t i = 0; i < 6; i++) x[i] = 7;
  assert_false(has_note(y, x, 6, 1, "varies by less"));
  const double words[] = {1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1};
  assert_false(has_note(y, words, 6, 2, "varies by less"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_robust),
                                     cmocka_unit_test(test_datasets),
                                     cmocka_unit_test(test_goldens),
                                     cmocka_unit_test(test_decimal_comma),
                                     cmocka_unit_test(test_source_date_epoch),
                                     cmocka_unit_test(test_other_rank),
                                     cmocka_unit_test(test_many_aliases),
                                     cmocka_unit_test(test_overflow),
                                     cmocka_unit_test(test_nearly_constant),
                                     cmocka_unit_test(test_clusters_of_a_predictor),
                                     cmocka_unit_test(test_noise)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
