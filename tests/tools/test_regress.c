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
#include "tools/regress_run.h"

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
  json_t *failed = json_loads(out, 0, NULL), *error = json_object_get(failed, "error");
  assert_non_null(strstr(json_string_value(json_object_get(error, "message")), "there is no column x3"));
  assert_int_equal(json_integer_value(json_object_get(error, "exit_code")), 2);
  assert_null(json_object_get(failed, "coefficients"));
  json_decref(failed);
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
      {"a,y\n10 kg,1\n9 g,2\n10 kg,4\n", "--response y",
       "table.csv: the column a has words that look like numbers, such as 10 kg: they are names here\n"},
      {"a,y\n1.5kg,1\n2kg,2\n2kg,4\n", "--response y",
       "table.csv: the column a has words that look like numbers, such as 1.5kg: they are names here\n"},
      {"a;y\n1,23,456;1\n2,34,567;2\n1,23,456;4\n", "--response y",
       "the column a has words that look like numbers, such as 1,23,456: they are names here\n"},
      {"const,y\n1,1\n2,2\n2,4\n", "--response y --constant",
       "table.csv: the column of ones is called const_2, since the table has a column const\n"},
      {"a;y\n1.234.567;1\n2.345.678;2\n1.000.000;4\n", "--response y",
       "table.csv: thousands separators are left out in 1 column: a\n"},
      {"t,a,y\nu,1.5,1\nv,2,2\nu,3,4\nv,1.5,3\nu,1.5,7\n", "--response y --columns t --block a",
       "table.csv: the block a has numbers, which are names here: each of its 3 gets a column\n"},
      {"t,a,y\nu,1,1\nv,2,2\nu,3,4\nv,1,3\nu,2,7\nv,4,5\n", "--response y --columns a --block t --cluster t", ""},
      {"t,a,y\nu,1,1\nv,2,2\nu,3,4\nv,1,3\nu,2,7\nv,4,5\n", "--response y --block t --cluster t", ""},
      {"a,y\n1st,1\n2nd,2\n2nd,4\n", "--response y", ""},
      {"a,y\n1,1\n2,2\n2,4\n", "--response y --power 0.9", "table.csv: --power changes nothing without --anova\n"},
      {"a,y\n1000001,1\n1000002,2\n1000003,4\n1000004,4\n1000005,6\n1000006,7\n", "--response y --constant --poly a:5",
       "of a tell them apart: subtract its mean from it for higher ones\n"},
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

static bool in_order(const char *text, const char *const *parts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    text = strstr(text, parts[i]);
    if (!text) print_error("no \"%s\"\n", parts[i]);
    if (!text) return false;
  }
  return true;
}

/* A sweep's table: sentences, tests, means, parts, seeds, the summary, and the original experiment's table; the same as
 * JSON; and two pictures. */
static void test_sweep_report(void **state) {
  (void)state;
  static const char *const parts[] = {
      "batch normalization lowers the test loss by 0.0192, 95% interval 0.0161 to 0.0223.\n",
      "dropout makes no difference to the test loss that can be told from noise: 0.0008, 95% interval -0.0023 to "
      "0.0039",
      "activation matters to the test loss (F(3, 87) = 82.67, p < 0.001): lowest with elu (relu and selu cannot be "
      "told "
      "from it), 0.0303 above it with sigmoid, 95% interval 0.0245 to 0.0361 (Tukey's).\n",
      "\nAnalysis of variance, type 2\n",
      "\n  seed                           2    0.096957      818.41     < 0.001  block\n",
      "\nPairs of factors, each in the model or added to it alone\n",
      "\n  sigmoid - selu      0.0287",
      "\n  (differences: Tukey's)\n",
      "\nParts of the variance of the configurations' means, in percent\n",
      "\n  (of these 100, errors in the means make some ",
      "\nactivation: with 3 seeds a difference of 0.0063 is seen with probability 0.8; to see one of 0.005 takes 5 of "
      "them.\n",
      "\nactivation_sigmoid     0.0303",
      "\nThe original experiment's table (--all-levels)\n",
      "\nActivation_sigmoid     0.3321"};
  char arguments[3000], factors[1024], pairs[1024], *out, *err;
  snprintf(factors, sizeof factors, "%s", temp_path("factors.png"));
  snprintf(pairs, sizeof pairs, "%s", temp_path("pairs.png"));
  snprintf(arguments, sizeof arguments,
           "'%s/tests/golden/inference/sweep_blocks.csv' --detect 0.005 --plot '%s' --plot-pairs '%s'",
           FOVEA_SOURCE_DIR, factors, pairs);
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_true(in_order(out, parts, sizeof parts / sizeof *parts));
  assert_null(strstr(err, "failed.csv"));
  picture p = {0};
  assert_int_equal(picture_read(factors, &p), 0);
  picture_free(&p);
  assert_int_equal(picture_read(pairs, &p), 0);
  picture_free(&p);
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "'%s/tests/golden/inference/sweep_blocks.csv' --json --adjust holm",
           FOVEA_SOURCE_DIR);
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  json_t *json = json_loads(out, 0, NULL), *analysis = json_object_get(json, "analysis");
  assert_int_equal(json_array_size(json_object_get(json, "covariance")), 9);
  assert_true(json_real_value(json_object_get(json, "residual_deviation")) > 0);
  assert_int_equal(json_array_size(json_object_get(json_object_get(json, "all_levels"), "names")), 7);
  assert_int_equal(json_array_size(json_object_get(analysis, "effects")), 5);
  assert_int_equal(json_array_size(json_object_get(analysis, "pairs")), 6);
  assert_int_equal(json_object_size(json_object_get(analysis, "shares")), 12);
  assert_string_equal(json_string_value(json_object_get(analysis, "adjustment")), "holm");
  json_decref(json);
  free(out);
  free(err);
}

/* Of any table, --anova adds a constant and says the same. */
static void test_anova(void **state) {
  (void)state;
  static const char *const parts[] = {"h v instead of u makes no difference to y that can be told from noise: ",
                                      "\nAnalysis of variance, type 3, HC3 errors\n", "\n  g:h ", "\n  c - a ",
                                      "\nCovariance Type:                  HC3"};
  char arguments[2400], *out, *err;
  snprintf(arguments, sizeof arguments,
           "'%s/tests/golden/inference/two_way.csv' --response y --terms 'g*h,x' --anova 3 --robust hc3",
           FOVEA_SOURCE_DIR);
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_true(in_order(out, parts, sizeof parts / sizeof *parts));
  assert_null(strstr(out, "original"));
  free(out);
  free(err);
}

/* A number that is no straight line, beside a factor whose difference is rounded to no negative 0; R's F of it. And
 * what changes nothing is said. */
static void test_numbers(void **state) {
  (void)state;
  static const char csv[] = "g,x,y\na,1,1.02\nb,1,0.97\na,2,3.98\nb,2,4.03\na,3,9.01\nb,3,8.98\na,4,15.99\nb,4,16.01\n";
  static const char *const parts[] = {
      "Remarks\n- the response is y; --response names another.\n- --adjust changes nothing: ",
      "g b instead of a makes no difference to y that can be told from noise: 0.0, 95% interval -2.3 to 2.3.\n",
      ("raising x by 1 raises y by 5.0, 95% interval 4.0 to 6.0; but the means at its 4 values do not lie on a "
       "straight "
       "line (lack of fit, F(2, 3) = 3815.20, p < 0.001): what each does, below, says more.\n"),
      "\nLack of fit: ",
      "\n  x, 1 more ",
      "\n  4 - 3            7.005",
      "\nThe parts of the variance are not given: ",
      "\ng: with these 8 rows a difference of "};
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments, "--anova 2 '%s' --adjust tukey", temp_file("curved.csv", csv, sizeof csv - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_true(in_order(out, parts + 1, sizeof parts / sizeof *parts - 1));
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--anova 2 --columns g '%s' --adjust holm", temp_path("curved.csv"));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_true(in_order(out, parts, 1));
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--detect 1 --json '%s' --adjust holm", temp_path("curved.csv"));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  json_t *json = json_loads(out, 0, NULL), *remarks = json_object_get(json, "remarks");
  assert_int_equal(json_array_size(remarks), 3);
  assert_string_equal(json_string_value(json_array_get(remarks, 1)), "--detect changes nothing without --anova");
  assert_string_equal(json_string_value(json_array_get(remarks, 2)), "--adjust changes nothing without --anova");
  assert_non_null(strstr(err, "--adjust changes nothing without --anova\n"));
  json_decref(json);
  free(out);
  free(err);
}

/* A number whose slope depends on another number, or on a factor, is said to: of a rate by its name. */
static void test_products(void **state) {
  (void)state;
  static const char rates[] =
      "activation,attention,batchnorm,dropout,lr,test_loss\nelu,none,on,on,1,1\nelu,none,on,on,2,2\nelu,none,on,on,4,3."
      "1\n"
      "relu,none,on,on,1,3\nrelu,none,on,on,2,2.1\nrelu,none,on,on,4,1\n";
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments,
           "--anova 2 --terms 'g,z*x' --response y '%s/tests/golden/inference/product.csv'", FOVEA_SOURCE_DIR);
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(
      strstr(out, "\nBut z and x matter together: what one does depends on the other (F = 11.43, p = 0.002)"));
  assert_null(strstr(out, "But g and"));
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--anova 2 --terms 'lr*activation' '%s'",
           temp_file("rates.csv", rates, sizeof rates - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, "\nBut activation and lr matter together: what one does depends on the other (F = "));
  free(out);
  free(err);
}

/* Two factors that each do nothing on average, and everything together. */
static void test_crossover(void **state) {
  (void)state;
  static const char csv[] = "a,b,y\nu,s,1.01\nu,t,2\nv,s,2.01\nv,t,1\nu,s,0.99\nu,t,2.02\nv,s,1.98\nv,t,1.01\n";
  static const char *const parts[] = {"a v instead of u makes no difference", "b t instead of s makes no difference",
                                      "But a and b matter together: what one does depends on the other (F = "};
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments, "--anova 2 --constant '%s'", temp_file("crossover.csv", csv, sizeof csv - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_true(in_order(out, parts, sizeof parts / sizeof *parts));
  free(out);
  free(err);
}

static double f_in(const json_t *effects, const char *term) {
  for (size_t i = 0; i < json_array_size(effects); i++) {
    const json_t *one = json_array_get(effects, i);
    if (strcmp(json_string_value(json_object_get(one, "term")), term) == 0)
      return json_real_value(json_object_get(one, "f_value"));
  }
  return -1;
}

/* A pair that interacts with a number is tested as in the analysis of variance, by type 2, in both kinds of errors. */
static void test_marginal_pairs(void **state) {
  (void)state;
  static const char *const errors[] = {"no", "hc1"};
  char arguments[1200], *out, *err;
  for (size_t i = 0; i < 2; i++) {
    snprintf(arguments, sizeof arguments,
             "'%s/tests/golden/inference/two_way.csv' --response y --terms 'g*h*x' --anova 2 --robust %s --json",
             FOVEA_SOURCE_DIR, errors[i]);
    if (run("", arguments, &out, &err)) fail_msg("%s", err);
    json_t *json = json_loads(out, 0, NULL), *analysis = json_object_get(json, "analysis");
    const double whole = f_in(json_object_get(analysis, "effects"), "g:h");
    assert_true(whole > 0);
    const double pair = f_in(json_object_get(analysis, "interactions"), "g:h");
    if (!(pair > whole * (1 - 1e-9) && pair < whole * (1 + 1e-9))) fail_msg("%.17g is not %.17g", pair, whole);
    json_decref(json);
    free(out);
    free(err);
  }
}

/* Half of a factorial, d = abc, with an interaction of a and b that may as well be one of c and d; d is a factor, or a
 * number of two values. */
static void test_alike_pairs(void **state) {
  (void)state;
  char csv[] =
      "a,b,c,d,y\nl,l,l,l,1.01\nl,l,h,h,1.02\nl,h,l,h,2\nl,h,h,l,2.01\nh,l,l,h,1.98\nh,l,h,l,2\nh,h,l,l,1\nh,h,h,h,0."
      "99\n"
      "l,l,l,l,1\nl,h,l,h,1.99\nh,l,l,h,2.02\nh,h,h,h,1.01\n";
  char arguments[1200], *out, *err;
  for (int numbers = 0; numbers < 2; numbers++) {
    for (char *line = strchr(csv, '\n'); numbers && line[1]; line = strchr(line + 1, '\n'))
      line[7] = line[7] == 'l' ? '3' : '8';
    snprintf(arguments, sizeof arguments, "--anova 2 '%s'", temp_file("half.csv", csv, sizeof csv - 1));
    if (run("", arguments, &out, &err)) fail_msg("%s", err);
    const char *sentence = strstr(out, "But a and b matter together: ");
    if (!sentence || !strstr(sentence, "), or c x d, which these rows cannot tell from it, does so; the sentences"))
      fail_msg("%s", out);
    free(out);
    free(err);
  }
}

/* Rows of which every pair adds the same column, one factor of three levels: each is told with the others. And pairs
 * that happen to explain as much, of a whole factorial, are two things. */
static void test_confounded_pairs(void **state) {
  (void)state;
  static const char few[] =
      "a,b,c,y\nu,s,l,1\nv,s,l,2\nu,t,l,2.1\nu,s,h,2.9\nw,s,l,1.4\nv,t,h,9\nu,s,l,1.1\nv,s,l,2.1\nu,t,l,2\nu,s,h,3\n"
      "w,s,l,1.5\nv,t,h,9.1\n",
                    whole[] =
                        "a,b,c,y\nl,l,l,4\nl,l,h,2\nl,h,l,2\nl,h,h,1\nh,l,l,2\nh,l,h,2\nh,h,l,2\nh,h,h,3\nl,l,l,4.1\nl,"
                        "h,h,1.1\nh,h,h,3.1\n"
                        "l,l,h,2.1\nl,h,l,2.1\nh,l,l,2.1\nh,l,h,2.1\nh,h,l,2.1\n";
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments, "--anova 2 '%s'", temp_file("few.csv", few, sizeof few - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, "But a and b matter together: "));
  assert_non_null(strstr(out, ", or a x c or b x c, which these rows cannot tell from it, does so"));
  assert_non_null(strstr(out, ", or a x b or a x c, which these rows cannot tell from it, does so"));
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--anova 2 '%s'", temp_file("whole.csv", whole, sizeof whole - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, "But a and b matter together: "));
  assert_null(strstr(out, "cannot tell from it"));
  free(out);
  free(err);
}

/* A cell of one row has no HC3 error: the reason stands in its line, and no line is drawn. Pairs with numbers are said
 * to be untested. */
static void test_unknown_pairs(void **state) {
  (void)state;
  static const char csv[] =
      "a,b,x,y\nu,s,1,1\nu,s,2,1.2\nu,s,4,0.9\nu,t,3,2.1\nv,s,5,3.2\nv,s,1,2.9\nv,t,2,4\nv,t,7,4.3\nv,t,3,4.1\n";
  char arguments[2400], *out, *err;
  snprintf(arguments, sizeof arguments, "--anova 2 --robust hc3 --json '%s'",
           temp_file("leverage.csv", csv, sizeof csv - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  json_t *json = json_loads(out, 0, NULL), *analysis = json_object_get(json, "analysis");
  const json_t *pair = json_array_get(json_object_get(analysis, "interactions"), 0);
  assert_non_null(
      strstr(json_string_value(json_object_get(pair, "unknown")), "hc3: observation 4 is fitted whatever its value"));
  json_decref(json);
  assert_non_null(strstr(err, "pairs with numbers are tested only as terms, such as --terms 'a*b'; --categorical x "));
  free(out);
  free(err);
  char table[1024];
  snprintf(table, sizeof table, "%s", temp_path("leverage.csv"));
  snprintf(arguments, sizeof arguments, "--anova 2 --robust hc3 --plot-pairs '%s' '%s'", temp_path("none.png"), table);
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, "  not estimable: hc3: observation 4 "));
  assert_non_null(strstr(err, "--plot-pairs: there is no pair of factors to draw; "));
  free(out);
  free(err);
}

/* As many coefficients as rows: beside an analysis no table of 1, inf and nan; alone as statsmodels has it. */
static void test_saturated(void **state) {
  (void)state;
  static const char csv[] = "a,b,y\nu,s,1\nu,t,2\nv,s,4\nv,t,3\n";
  static const char sentence[] = "\nThe fit is saturated: 4 observations for a rank of 4 leave nothing to tell errors ";
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments, "--anova 2 --terms 'a*b' '%s'",
           temp_file("saturated.csv", csv, sizeof csv - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, sentence));
  assert_true(!strstr(out, "inf") && !strstr(out, "nan") && !strstr(out, "R-squared"));
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--constant --terms 'a*b' '%s'", temp_path("saturated.csv"));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  assert_non_null(strstr(out, "R-squared:                       1.000"));
  assert_true(!strstr(out, "inf") && !strstr(out, "nan")); /* nothing that is made of residuals, which are noise */
  assert_non_null(strstr(out, "Log-Likelihood:                      -\n"));
  free(out);
  free(err);
  snprintf(arguments, sizeof arguments, "--json --constant --terms 'a*b' '%s'", temp_path("saturated.csv"));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  json_t *json = json_loads(out, 0, NULL);
  assert_true(json_is_null(json_object_get(json, "durbin_watson")) && json_is_null(json_object_get(json, "aic")));
  json_decref(json);
  free(out);
  free(err);
}

/* A column whose name has a comma is quoted, twice where it has a quote. */
/* Nothing is told where two columns are one, of a saturated fit too, and where no factor varies. */
static void test_untold(void **state) {
  (void)state;
  static const struct {
    const char *csv, *options, *told;
  } cases[] = {
      {"a,b,y\nu,1,1\nv,2,3\n", "--anova 2", "\nb: the table does not tell what it does to y.\n"},
      {"a,b,y\nu,1,1\nv,3,3\nw,5,4\n", "--anova 2 --columns a", "\na: the fit leaves nothing to tell errors from.\n"},
      {"activation,attention,batchnorm,dropout,seed,test_loss\nelu,none,on,on,1,1\nelu,none,on,on,2,3\n", "",
       "No factor varies, and there is nothing to compare.\n"},
      {"a,x,y\nu,1,1\nv,2,3\nu,3,4\nv,4,4\nu,5,7\nv,6,5\n", "--terms 'a*x' --anova 2",
       "(a term is tested in the model without its own products;"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char arguments[1200], *out, *err;
    snprintf(arguments, sizeof arguments, "%s '%s'", cases[i].options,
             temp_file("table.csv", cases[i].csv, strlen(cases[i].csv)));
    const int code = run("", arguments, &out, &err);
    if (code || !strstr(out, cases[i].told)) fail_msg("case %zu: exit code %d, \"%s\", \"%s\"", i, code, out, err);
    free(out);
    free(err);
  }
}

static void test_quoted_names(void **state) {
  (void)state;
  static const char csv[] = "\"a,b\",\"c\"\"d\",y\n1,5,3\n2,4,5\n3,1,4\n4,4,9\n";
  char arguments[1200], *out, *err;
  snprintf(arguments, sizeof arguments, "--json --columns ' \"a,b\" , \"c\"\"d\"' '%s'",
           temp_file("quoted.csv", csv, sizeof csv - 1));
  if (run("", arguments, &out, &err)) fail_msg("%s", err);
  json_t *json = json_loads(out, 0, NULL), *names = json_object_get(json, "names");
  assert_string_equal(json_string_value(json_array_get(names, 0)), "a,b");
  assert_string_equal(json_string_value(json_array_get(names, 1)), "c\"d");
  json_decref(json);
  free(out);
  free(err);
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
      {"a,y\n1,2\n3,4\n4,4\n", "--columns '\"a'", 2, "--columns: a quote is not closed in \"a"},
      {"a,y\n1,2\n3,4\n4,4\n", "--poly b:2", 2, "there is no column b"},
      {"a,y\n1,2\n3,4\n4,4\n", "--log --cluster a --robust hc1", 2, "give one"},
      {"a,y\n1,2\n3,-4\n4,4\n", "--log", 2, "table.csv: the response y: line 3, column y: \"-4\" has no logarithm"},
      {"a,y\n1,2\n3,4\n4,4\n", "--plot-pairs x.png", 2, "needs --anova"},
      {"a,y\n1,2\n3,4\n4,4\n", "--anova 2 --plot x.png", 2, "no factors to draw"},
      {"a,y\n1,2\n3,4\n4,4\n", "--anova 1", 2, "--anova"},
      {"title\na,b,y\n1,2,3\n", "", 2, "the header has 1; a title above the names is to be deleted"},
      {"title\na,y\n1,2\n", "", 2, "a title above their names is to be deleted"},
      {"a,y\n1,2\n3,4\n4,4\n", "--terms a:a", 2, "a is there twice; powers of a number are made by --poly a:2"},
      {"a,y\n1,2\n3,4\n4,4\n", "--terms 'a*a'", 2, "a is there twice"},
      {"a,b,y\n1,1,2\n3,2,4\n4,2,4\n", "--terms 'a*b:a'", 2, "a is there twice"},
      {"a,y\n1,2\n3,4\n4,4\n", "--poly a:2,a:3", 2, "the column a has two degrees; give one"},
      {"a,y\nu,2\nv,4\nv,5\n", "--baseline a=u,a=v", 2, "the column a has two baselines; give one"},
      {"a,y\n1,2\n3,4\n4,4\n", "--anova 2 --plot x.png --plot-pairs ./x.png", 2, "are the same file, x.png"},
      {"a,y\n1,2\n3,4\n4,4\n", "--plot x.svg", 2, "this is a PNG, and no svg; choose a name that ends in .png"},
      {"a,y\n1,2\n3,4\n4,4\n", "--constant --baseline a=3", 2, "no baseline; --categorical a takes them as names"},
      {"a,b,y\nu,1,2\nv,3,4\nv,2,1\nv,3,5\n", "--constant --robust hc3", 2, "observation 1 is fitted whatever"},
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
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_summaries),       cmocka_unit_test(test_german),      cmocka_unit_test(test_json_and_plot),
      cmocka_unit_test(test_aliases),         cmocka_unit_test(test_columns),     cmocka_unit_test(test_said),
      cmocka_unit_test(test_marginal_pairs),  cmocka_unit_test(test_alike_pairs), cmocka_unit_test(test_saturated),
      cmocka_unit_test(test_unknown_pairs),   cmocka_unit_test(test_failures),    cmocka_unit_test(test_sweep_report),
      cmocka_unit_test(test_anova),           cmocka_unit_test(test_crossover),   cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_quoted_names),    cmocka_unit_test(test_products),    cmocka_unit_test(test_untold),
      cmocka_unit_test(test_confounded_pairs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
