/* Rows with missing values, what a design remarks on, and the numbers that a sweep varies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fovea/stats.h"
#include "support/tempdir.h"

static fovea_status make(const char *csv, const fovea_design_options *o, fovea_design **d) {
  fovea_table *t = NULL;
  if (fovea_table_read(temp_file("missing.csv", csv, strlen(csv)), &t)) fail_msg("%s", fovea_error_message());
  fovea_status status = fovea_design_from_table(t, o, d);
  fovea_table_destroy(t);
  return status;
}

/* "y: a b; 1 0; 0 1", then the remarks. */
static void check(const char *csv, const fovea_design_options *o, const char *expected) {
  fovea_design *d = NULL;
  char got[600];
  if (make(csv, o, &d)) fail_msg("%s: %s", csv, fovea_error_message());
  size_t used = (size_t)snprintf(got, sizeof got, "%s:", d->response);
  for (size_t j = 0; j < d->k; j++) used += (size_t)snprintf(got + used, sizeof got - used, " %s", d->names[j]);
  for (size_t i = 0; i < d->n; i++) {
    used += (size_t)snprintf(got + used, sizeof got - used, ";");
    for (size_t j = 0; j < d->k; j++)
      used += (size_t)snprintf(got + used, sizeof got - used, " %.6g", d->x[i * d->k + j]);
  }
  if (d->remarks) snprintf(got + used, sizeof got - used, "|%s", d->remarks);
  fovea_design_destroy(d);
  if (strcmp(got, expected)) fail_msg("%s: got \"%s\", expected \"%s\"", csv, got, expected);
}

static void check_refused(const char *csv, const fovea_design_options *o, const char *message) {
  fovea_design *d = NULL;
  fovea_status status = make(csv, o, &d);
  if (status != FOVEA_INVALID || d || !strstr(fovea_error_message(), message))
    fail_msg("%s: status %d, \"%s\", expected \"%s\"", csv, status, fovea_error_message(), message);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__})

static void test_words(void **state) {
  (void)state;
  static const char *const words[] = {"",  "NA", "N/A", "n/a",  "NaN", "nan", "null", "NULL",     "None",   "?",
                                      ".", "-",  "NaT", "n.a.", "--",  "#NA", "<NA>", "#N/A N/A", "1.#IND", "-1.#QNAN"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    char csv[80], message[80];
    snprintf(csv, sizeof csv, "a,w,y\n1,u,2\n3,%s,4\n5,v,6\n%s,u,8\n", words[i], words[i]);
    snprintf(message, sizeof message, "line 5, column a: \"%s\" is a missing value; --missing drop", words[i]);
    check_refused(csv, NULL, message);
    check(csv, &(fovea_design_options){.missing = FOVEA_MISSING_DROP},
          "y: a w_u w_v; 1 1 0; 5 0 1|2 of 4 rows have a missing value and are left out: 1 in a, 1 in w\n");
  }
}

/* Only the columns of the design count. */
static void test_drop(void **state) {
  (void)state;
  static const char csv[] =
      "a,b,c,\"d:e\",y\n1,2,3,4,5\nNA,7,8,9,10\n11,NA,13,14,15\n16,17,NA,19,20\n21,22,23,NA,25\n26,27,28,29,?\n"
      "31,32,33,34,36\n";
  fovea_design_options o = {.missing = FOVEA_MISSING_DROP};
  check(csv, &o,
        "y: a b c d:e; 1 2 3 4; 31 32 33 34|5 of 7 rows have a missing value and are left out: 1 in a, 1 in b, 1 in c, "
        "1 in d:e, 1 in y\n");
  o.columns = LIST("a"), o.column_count = 1;
  check(csv, &o, "y: a; 1; 11; 16; 21; 31|2 of 7 rows have a missing value and are left out: 1 in a, 1 in y\n");
  o.terms = LIST("b*c"), o.term_count = 1, o.columns = NULL, o.column_count = 0;
  check(csv, &o,
        "y: b c b:c; 2 3 6; 7 8 56; 22 23 506; 32 33 1056|3 of 7 rows have a missing value and are left out: 1 in b, 1 "
        "in c, 1 in y\n");
  o.terms = LIST("\"d:e\":a");
  check(csv, &o,
        "y: d:e:a; 4; 154; 304; 1054|3 of 7 rows have a missing value and are left out: 1 in a, 1 in d:e, 1 in y\n");
  o.terms = NULL, o.term_count = 0, o.columns = LIST("b"), o.column_count = 1, o.powers = LIST("c:2"),
  o.power_count = 1;
  check(csv, &o,
        "y: b c c^2; 2 3 9; 7 8 64; 22 23 529; 32 33 1089|3 of 7 rows have a missing value and are left out: 1 in b, 1 "
        "in c, 1 in y\n");
  o.powers = NULL, o.power_count = 0, o.response = "a", o.cluster = "c";
  check(csv, &o, "a: b; 2; 22; 27; 32|3 of 7 rows have a missing value and are left out: 1 in a, 1 in b, 1 in c\n");
  o.cluster = "q";
  check_refused(csv, &o, "there is no column q");
  o = (fovea_design_options){.missing = FOVEA_MISSING_DROP};
  check("a,y\n1,2\n3,4\n", &o, "y: a; 1; 3");
  check_refused("a,b,y\n1,NA,2\n3,,4\n", &o, "the column b has no value in any row");
  check_refused("a,b,y\n1,NA,2\nNA,2,4\n", &o, "every row has a missing value: 1 in a, 1 in b");
}

static void test_remarks(void **state) {
  (void)state;
  static const char dates[] =
      "when,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-04,4\n2024-01-05,5\n2024-01-06,6\n2024-01-07,7\n"
      "2024-01-08,9\n";
  fovea_design *d = NULL;
  assert_int_equal(make(dates, NULL, &d), FOVEA_OK);
  assert_string_equal(
      d->remarks, "the column when has 8 different words in 8 rows, such as 2024-01-01, a date: each gets a column\n");
  fovea_design_destroy(d);
  assert_int_equal(make("who,y\na,1\nb,2\nc,3\nd,4\ne,5\nf,6\ng,7\nh,9\n", NULL, &d), FOVEA_OK);
  assert_non_null(d->remarks);
  assert_null(strstr(d->remarks, "date"));
  fovea_design_destroy(d);
  check("a,zip,y\n0.5,00123,1\n0,10000,2\n1,20000,3\n", NULL,
        "y: a zip; 0.5 123; 0 10000; 1 20000|the column zip has numbers that begin with 0, such as 00123: they are "
        "amounts here, and names by --categorical zip\n");
  check(
      "t,y\n1:30,1\n2:00,2\n3:45,2\n", NULL,
      "y: t_1:30 t_2:00 t_3:45; 1 0 0; 0 1 0; 0 0 1|the column t has words that look like numbers, such as 1:30: they "
      "are names here\n");
  check_refused("a~y\n1~2\n3~4\n", NULL, "no column to predict a~y from; --separator says what stands between");
  check("who,y\na,1\nb,2\nc,3\n", NULL, "y: who_a who_b who_c; 1 0 0; 0 1 0; 0 0 1");
  check_refused("w,y\n\"a\nb\",1\nu,2\n", NULL, "line 2, column w: a word with a tab or a line break");
  check_refused("w,y\n1,3\n\"u\n\tv\",1\n", NULL, "line 3, column w: \"u\\n\\tv\" is not a number");
}

/* What an option changes besides, or does not change, is said. */
static void test_options_said(void **state) {
  (void)state;
  static const char csv[] = "a,c,one,w,y\n1,3,1,u,1\n2,3,1,u,3\n4,5,1,u,2\n";
  fovea_design_options o = {.constant = true, .columns = LIST("a", "one"), .column_count = 2};
  check(csv, &o,
        "y: a one; 1 1; 2 1; 4 1|no column of ones is added: one is the same in every row, and is the constant\n");
  o.columns = LIST("w"), o.all_levels = true, o.column_count = 1;
  check(csv, &o, "y: w_u; 1; 1; 1|no column of ones is added: w is the same in every row, and is the constant\n");
  o = (fovea_design_options){.cluster = "c"};
  check(csv, &o,
        "y: a one; 1 1; 2 1; 4 1|c tells the clusters, and is no predictor unless it is named as one\n"
        "the same in every row, and left out: w\n");
  o.columns = LIST("c"), o.column_count = 1;
  check(csv, &o, "y: c; 3; 3; 5");
  o = (fovea_design_options){.log = true};
  check("a,log_y\n1,2\n3,4\n", &o,
        "log(log_y): a; 1; 3|log_y is called a logarithm, and is taken the logarithm of once more\n");
  check("a,LN y\n1,2\n3,4\n", &o,
        "log(LN y): a; 1; 3|LN y is called a logarithm, and is taken the logarithm of once more\n");
  check("a,login\n1,2\n3,4\n", &o, "log(login): a; 1; 3");
}

/* Names with signs of ours in them stand in quotes. */
static void test_quoted_options(void **state) {
  (void)state;
  static const char csv[] = "\"a:b\",\"w=x, \"\"z\"\"\",y\n2,u,1\n3,\"v=1\",2\n4,u,5\n";
  fovea_design_options o = {.powers = LIST("\"a:b\":2"), .power_count = 1};
  check(csv, &o, "y: a:b a:b^2 w=x, \"z\"_u w=x, \"z\"_v=1; 2 4 1 0; 3 9 0 1; 4 16 1 0");
  o.powers = LIST("a:b:2"), o.missing = FOVEA_MISSING_DROP;
  check(csv, &o, "y: a:b a:b^2 w=x, \"z\"_u w=x, \"z\"_v=1; 2 4 1 0; 3 9 0 1; 4 16 1 0");
  o.powers = LIST("\"a:b:2");
  check_refused(csv, &o, "is no column and degree");
  o.powers = LIST("\"a:b\"");
  check_refused(csv, &o, "is no column and degree");
  o.powers = LIST(":2");
  check_refused(csv, &o, "is no column and degree");
  o = (fovea_design_options){.constant = true,
                             .columns = LIST("w=x, \"z\""),
                             .column_count = 1,
                             .baselines = LIST("\"w=x, \"\"z\"\"\"=\"v=1\""),
                             .baseline_count = 1};
  check(csv, &o, "y: const w=x, \"z\"_u; 1 1; 1 0; 1 1");
  o.baselines = LIST("w=x, \"z\"=v=1");
  check(csv, &o, "y: const w=x, \"z\"_u; 1 1; 1 0; 1 1");
  o.baselines = LIST("\"w=x, \"\"z\"\"\"=q");
  check_refused(csv, &o, "has no level q to be its baseline; it has u, v=1");
  o.baselines = LIST("\"w\"=u");
  check_refused(csv, &o, "is of no predictor");
}

#define FOUR "activation,attention,batchnorm,dropout,"

static void test_sweep(void **state) {
  (void)state;
  check(
      FOUR
      "latent,arch,seed,test_loss\nelu,none,on,0,2,35-5,7,1\nelu,none,on,0.2,8,12-4,7,2\nelu,none,on,0.5,2,12-4,7,3\n",
      NULL, "test_loss: const dropout latent arch_35-5; 1 0 2 1; 1 0.2 8 0; 1 0.5 2 0");
  check(FOUR "lr,kl,test_loss\nelu,none,on,off,1,0,1\nelu,none,on,off,0.1,0,2\nelu,none,on,off,0.01,0.5,3\n", NULL,
        "test_loss: const log(lr) kl; 1 0 0; 1 -2.30259 0; 1 -4.60517 0.5");
  check(FOUR "lr,test_loss\nelu,none,on,off,1,1\nelu,none,on,off,0,2\n", NULL, "test_loss: const lr; 1 1; 1 0");
  check(FOUR "kl,test_loss\nelu,none,on,off,1,1\nelu,none,on,off,0.1,2\n", NULL,
        "test_loss: const log(kl); 1 0; 1 -2.30259");
  check_refused(FOUR "test_loss\nelu,none,on,low,1\nelu,none,on,high,2\n", NULL, "is not one of this factor's words");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_words),        cmocka_unit_test(test_drop),
                                     cmocka_unit_test(test_remarks),      cmocka_unit_test(test_sweep),
                                     cmocka_unit_test(test_options_said), cmocka_unit_test(test_quoted_options)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
