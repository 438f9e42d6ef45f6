/* fovea regress from outside: what it prints, where, and its exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "stats/regress_text.h"
#include "support/picture.h"
#include "support/tempdir.h"

/* Runs `fovea regress ARGUMENTS` in a shell; *out and *err are the caller's to free. */
static int run(const char *environment, const char *arguments, char **out, char **err) {
  char command[4096], out_path[1024], err_path[1024];
  size_t size;
  snprintf(out_path, sizeof out_path, "%s", temp_file("out", "", 0));
  snprintf(err_path, sizeof err_path, "%s", temp_file("err", "", 0));
  snprintf(command, sizeof command, "%s '%s' regress %s >'%s' 2>'%s'", environment, FOVEA_COMMAND, arguments, out_path,
           err_path);
  int code = system(command);
  assert_true(WIFEXITED(code));
  assert_int_equal(fovea_file_read(out_path, 1 << 20, (uint8_t **)out, &size), FOVEA_OK);
  assert_int_equal(fovea_file_read(err_path, 1 << 20, (uint8_t **)err, &size), FOVEA_OK);
  return WEXITSTATUS(code);
}

static void check_summaries(const char *environment) {
  for (size_t i = 0; i < REGRESS_CASES; i++) {
    const regress_case *c = &regress_cases[i];
    char path[512], arguments[600], *out, *err;
    uint8_t *golden;
    size_t size;
    regress_path(c->name, "csv", path);
    snprintf(arguments, sizeof arguments, "'%s' --all-levels%s", path, c->constant ? " --constant" : "");
    int code = run(environment, arguments, &out, &err);
    regress_path(c->name, "txt", path);
    assert_int_equal(fovea_file_read(path, 1 << 20, &golden, &size), FOVEA_OK);
    bool aliases = strstr((char *)golden, "Aliased columns") != NULL;
    const char *said = strstr(err, "; --response names another\n");
    const char *end = said ? strchr(said, '\n') + 1 : "?";
    if (code || (strstr(end, "aliased and without an estimate: ") != NULL) != aliases || (*end && !aliases))
      fail_msg("%s: exit code %d, %s", c->name, code, err);
    int line = regress_first_difference(out, (char *)golden, c->noise);
    if (line) fail_msg("%s: line %d differs:\n%s\nexpected\n%s", c->name, line, out, (char *)golden);
    free(golden);
    free(out);
    free(err);
  }
}

static void test_summaries(void **state) {
  (void)state;
  check_summaries("");
}

static void test_german(void **state) {
  (void)state;
  check_summaries("LC_ALL=de_DE.UTF-8");
}

static void test_json_and_plot(void **state) {
  (void)state;
  char arguments[1600], png[1024], *out, *err;
  snprintf(png, sizeof png, "%s", temp_path("coefficients.png"));
  snprintf(arguments, sizeof arguments, "--json --plot '%s' '%s/tests/golden/regress/seed.csv'", png, FOVEA_SOURCE_DIR);
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  json_t *json = json_loads(out, 0, NULL);
  assert_non_null(json);
  assert_int_equal(json_array_size(json_object_get(json, "names")), 7);
  assert_int_equal(json_integer_value(json_object_get(json, "nobs")), 32);
  json_decref(json);
  picture p = {0};
  assert_int_equal(picture_read(png, &p), 0);
  assert_true(p.width > 100 && p.height > 100);
  picture_free(&p);
  free(out);
  free(err);
}

/* A word column beside a constant: its last level is named, on stderr, in the text and in JSON, and has no number. */
static void test_aliases(void **state) {
  (void)state;
  const char csv[] = "word,zero,y\na,0,1\nb,0,2\na,0,2\nb,0,5\n";
  char path[1024], arguments[2200], png[1024], *out, *err;
  snprintf(path, sizeof path, "%s", temp_file("aliases.csv", csv, sizeof csv - 1));
  snprintf(png, sizeof png, "%s", temp_path("aliases.png"));
  snprintf(arguments, sizeof arguments, "--constant --all-levels --response y --plot '%s' '%s'", png, path);
  assert_int_equal(run("", arguments, &out, &err), 0);
  assert_non_null(strstr(err,
                         "aliases.csv: 2 of 4 columns are aliased and without an estimate: "
                         "word_b (of const, word_a), zero (zero in every row)\n"));
  assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
  assert_non_null(strstr(out, "\nword_b        aliased                                                         \n"));
  assert_non_null(strstr(out, "\nword_b (of const, word_a), zero (zero in every row).\n"));
  picture p = {0};
  assert_int_equal(picture_read(png, &p), 0);
  picture_free(&p);
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--constant --all-levels --json '%s'", path);
  assert_int_equal(run("", arguments, &out, &err), 0);
  json_t *json = json_loads(out, 0, NULL), *aliases = json_object_get(json, "aliases");
  static const char *const numbers[] = {"coefficients", "std_errors", "t_values", "p_values"};
  for (size_t i = 0; i < 4; i++)
    for (size_t j = 0; j < 4; j++)
      assert_int_equal(json_is_null(json_array_get(json_object_get(json, numbers[i]), j)), j >= 2);
  assert_true(json_is_false(json_array_get(json_object_get(json, "aliased"), 1)));
  assert_true(json_is_true(json_array_get(json_object_get(json, "aliased"), 2)));
  assert_string_equal(json_string_value(json_object_get(json_array_get(aliases, 0), "name")), "word_b");
  assert_int_equal(json_array_size(json_object_get(json_array_get(aliases, 0), "of")), 2);
  assert_int_equal(json_array_size(json_object_get(json_array_get(aliases, 1), "of")), 0);
  json_decref(json);
  free(out);
  free(err);
}

static void test_columns(void **state) {
  (void)state;
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments, "--json --columns=x2,x1 --response x3 '%s/tests/golden/regress/outlier.csv'",
           FOVEA_SOURCE_DIR);
  assert_int_equal(run("", arguments, &out, &err), 2);
  assert_non_null(strstr(err, "there is no column x3; the columns are x1, x2, y"));
  assert_string_equal(out, "");
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--json --columns=y,x1 --response x2 '%s/tests/golden/regress/outlier.csv'",
           FOVEA_SOURCE_DIR);
  assert_int_equal(run("", arguments, &out, &err), 0);
  json_t *json = json_loads(out, 0, NULL);
  assert_string_equal(json_string_value(json_object_get(json, "response")), "x2");
  assert_string_equal(json_string_value(json_array_get(json_object_get(json, "names"), 0)), "y");
  json_decref(json);
  free(out);
  free(err);
}

/* Which column is explained where none was named, and what is rounded, is said. */
static void test_said(void **state) {
  (void)state;
  static const struct {
    const char *csv, *options, *said;
  } cases[] = {
      {"a,y,z\n1,2,3\n3,4,5\n5,5,5\n", "--columns a", "table.csv: the response is z; --response names another\n"},
      {"a,y,z\n1,2,3\n3,4,5\n5,5,5\n", "--columns a --response y", ""},
      {"activation,attention,batchnorm,dropout,test_loss,run\nelu,none,on,on,1,ab\nrelu,none,on,on,2,cd\n"
       "elu,none,on,on,3,ef\n",
       "--columns activation", "table.csv: the response is test_loss; --response names another\n"},
      {"a,y\n1,2\n12345678901234567891,4\n3,5\n", "--response y",
       "table.csv: line 3, column a: \"12345678901234567891\" is rounded, as any integer with more digits than double "
       "precision has\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[1024], arguments[1200], *out, *err;
    snprintf(path, sizeof path, "%s", temp_file("table.csv", cases[i].csv, strlen(cases[i].csv)));
    snprintf(arguments, sizeof arguments, "%s '%s'", cases[i].options, path);
    const int code = run("", arguments, &out, &err);
    const char *said = strstr(err, cases[i].said);
    if (code || !said || strcmp(said, cases[i].said)) fail_msg("case %zu: exit code %d, \"%s\"", i, code, err);
    free(out);
    free(err);
  }
}

static void test_failures(void **state) {
  (void)state;
  static const struct {
    const char *csv; /* NULL: no such file */
    const char *options;
    int code;
    const char *message;
  } cases[] = {
      {NULL, "", 5, "table.csv"},
      {"", "", 2, "table.csv: the file is empty"},
      {"a,y\n", "", 2, "table.csv: a header and no rows"},
      {"a,y\n1,2\n3\n", "", 2, "table.csv: line 3 has 1 field"},
      {"a,y\n1,2\nx,3\n", "", 2, "table.csv: line 3, column a: \"x\" is not a number"},
      {"a,y\n1,2\n3,2\n", "", 2, "the response y is 2 in every row"},
      {"a,y\n1,2\n3,4\n", "--response z", 2, "there is no column z; the columns are a, y"},
      {"a,y\n1,2\n3,4\n", "--columns a,q", 2, "there is no column q"},
      {"a,y\n1,2\n3,4\n5,7\n", "--plot /nonexistent/x.png", 5, "/nonexistent/x.png"},
      {"a,y\n1,2\n3,4\n", "--nonsense", 2, "nonsense"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[1024], arguments[1200], *out, *err;
    snprintf(path, sizeof path, "%s", temp_path("table.csv"));
    remove(path);
    if (cases[i].csv) temp_file("table.csv", cases[i].csv, strlen(cases[i].csv));
    snprintf(arguments, sizeof arguments, "%s '%s'", cases[i].options, path);
    int code = run("", arguments, &out, &err);
    if (code != cases[i].code || !strstr(err, cases[i].message) || *out)
      fail_msg("case %zu: exit code %d, stderr \"%s\", stdout \"%s\"", i, code, err, out);
    free(out);
    free(err);
  }
  char *out, *err, itself[2048];
  snprintf(itself, sizeof itself, "--plot '%s' '%s'", temp_path("table.csv"), temp_path("table.csv"));
  temp_file("table.csv", "a,y\n1,2\n3,4\n5,7\n", 16);
  assert_int_equal(run("", itself, &out, &err), 2);
  assert_non_null(strstr(err, "is no PNG and would be lost"));
  free(out);
  free(err);
  assert_int_equal(run("", "", &out, &err), 2);
  free(out);
  free(err);
  assert_int_equal(run("", "--help", &out, &err), 0);
  assert_non_null(strstr(out, "--constant"));
  free(out);
  free(err);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_summaries),     cmocka_unit_test(test_german),
                                     cmocka_unit_test(test_json_and_plot), cmocka_unit_test(test_aliases),
                                     cmocka_unit_test(test_columns),       cmocka_unit_test(test_said),
                                     cmocka_unit_test(test_failures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
