/* CSV files and the designs made from them, good and bad. */
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

static const char *file_of(const char *text) { return temp_file("table.csv", text, strlen(text)); }

/* The table as one text: fields ended by |, lines by their number and a newline. */
static void flatten(const fovea_table *t, char *out, size_t size) {
  size_t used = 0;
  for (size_t j = 0; j < t->columns; j++) used += (size_t)snprintf(out + used, size - used, "%s|", t->names[j]);
  for (size_t i = 0; i < t->rows; i++) {
    used += (size_t)snprintf(out + used, size - used, "\n%zu:", t->lines[i]);
    for (size_t j = 0; j < t->columns; j++)
      used += (size_t)snprintf(out + used, size - used, "%s|", t->cells[i * t->columns + j]);
  }
}

static void test_reads(void **state) {
  (void)state;
  static const struct {
    const char *name, *csv, *expected;
  } cases[] = {
      {"plain", "a,b\n1,2\n3,4\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"no newline at the end", "a,b\n1,2", "a|b|\n2:1|2|"},
      {"CRLF", "a,b\r\n1,2\r\n3,4\r\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"CRLF, none at the end", "a,b\r\n1,2", "a|b|\n2:1|2|"},
      {"quotes", "\"a\",\"b, c\"\n\"1\",\"say \"\"hi\"\"\"\n", "a|b, c|\n2:1|say \"hi\"|"},
      {"quotes and CRLF", "\"a\",\"b\"\r\n\"1\",\"2\"\r\n", "a|b|\n2:1|2|"},
      {"a line break in quotes", "a,b\n\"x\ny\",2\n3,4\n", "a|b|\n2:x\ny|2|\n4:3|4|"},
      {"empty fields", "a,b\n,\n\"\",2\n", "a|b|\n2:||\n3:|2|"},
      {"empty lines", "\na,b\n\n1,2\n\r\n3,4\n\n", "a|b|\n4:1|2|\n6:3|4|"},
      {"byte order mark",
       "\xef\xbb\xbf"
       "a,b\n1,2\n",
       "a|b|\n2:1|2|"},
      {"one column", "a\n1\n2\n", "a|\n2:1|\n3:2|"},
      {"UTF-8",
       "gr\xc3\xb6\xc3\x9f"
       "e,b\n1,2\n",
       "gr\xc3\xb6\xc3\x9f"
       "e|b|\n2:1|2|"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_table *t = NULL;
    char got[200] = "";
    if (fovea_table_read(file_of(cases[i].csv), &t)) fail_msg("%s: %s", cases[i].name, fovea_error_message());
    flatten(t, got, sizeof got);
    fovea_table_destroy(t);
    if (strcmp(got, cases[i].expected))
      fail_msg("%s: got \"%s\", expected \"%s\"", cases[i].name, got, cases[i].expected);
  }
}

static void test_refuses(void **state) {
  (void)state;
  static const struct {
    const char *csv, *message;
  } cases[] = {
      {"", "empty"},
      {"\n\n", "empty"},
      {"a,b\n", "a header and no rows"},
      {"a,b\n1,2\n3\n4,5\n", "line 3 has 1 field, the header has 2"},
      {"a,b\n1,2\n3,4,5\n", "line 3 has 3 fields, the header has 2"},
      {"a,b,c\n1,2,3\n4,5", "line 3 has 2 fields, the header has 3; the last line may be torn"},
      {"a,b\n1,\"2\n3,4\n", "line 2: a quote is not closed"},
      {"a,b\n1,2\"3\n", "line 2: a quote in the middle"},
      {"a,b\n1,\"2\"3\n", "line 2: a quote in the middle"},
      {"a,\n1,2\n", "column 2 has no name"},
      {"a,b,a\n1,2,3\n", "columns 1 and 3 are both called a"},
      {"a,\xff\n1,2\n", "the name of column 2 is not UTF-8"},
      {"a,\xc0\xaf\n1,2\n", "not UTF-8"},
      {"a,\"b\nc\"\n1,2\n", "has a line break"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_table *t = NULL;
    fovea_status status = fovea_table_read(file_of(cases[i].csv), &t);
    if (status != FOVEA_INVALID || t || !strstr(fovea_error_message(), cases[i].message) ||
        !strstr(fovea_error_message(), "table.csv"))
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\"", i, status, fovea_error_message(), cases[i].message);
  }
  fovea_table *t = NULL;
  assert_int_equal(fovea_table_read(temp_path("none.csv"), &t), FOVEA_IO);
  assert_non_null(strstr(fovea_error_message(), "none.csv"));
  assert_int_equal(fovea_table_read(temp_file("zero.csv", "a,b\n1,\0\n", 9), &t), FOVEA_INVALID);
  assert_null(t);
}

static void flatten_design(const fovea_design *d, char *out, size_t size) {
  size_t used = (size_t)snprintf(out, size, "%s~", d->response);
  for (size_t j = 0; j < d->k; j++) used += (size_t)snprintf(out + used, size - used, "%s|", d->names[j]);
  for (size_t i = 0; i < d->n; i++) {
    used += (size_t)snprintf(out + used, size - used, "\n%g~", d->y[i]);
    for (size_t j = 0; j < d->k; j++) used += (size_t)snprintf(out + used, size - used, "%g|", d->x[i * d->k + j]);
  }
}

#define SWEEP "activation,attention,batchnorm,dropout,test_loss,seconds\n"

typedef struct design_case {
  const char *csv, *response, *columns[3];
  bool constant;
  const char *expected; /* the design, or a part of the message */
} design_case;

static fovea_status make_design(const design_case *c, fovea_design **d) {
  fovea_table *t = NULL;
  if (fovea_table_read(file_of(c->csv), &t)) fail_msg("%s", fovea_error_message());
  fovea_design_options o = {.response = c->response,
                            .columns = c->columns[0] ? c->columns : NULL,
                            .constant = c->constant,
                            .all_levels = true};
  while (o.column_count < 3 && c->columns[o.column_count]) o.column_count++;
  fovea_status status = fovea_design_from_table(t, &o, d);
  fovea_table_destroy(t);
  return status;
}

static void test_designs(void **state) {
  (void)state;
  static const design_case cases[] = {
      {"a,y\n1,2\n3,4\n", NULL, {0}, false, "y~a|\n2~1|\n4~3|"},
      {"a,y\n1,2\n3,4\n", "a", {0}, false, "a~y|\n1~2|\n3~4|"},
      {"a,b,y\n1,2,5\n3,4,6\n", NULL, {"b", "a"}, false, "y~b|a|\n5~2|1|\n6~4|3|"},
      {"a,y\n1,2\n3,4\n", NULL, {0}, true, "y~const|a|\n2~1|1|\n4~1|3|"},
      {"a,y\n7,2\n7,4\n", NULL, {0}, true, "y~a|\n2~7|\n4~7|"},
      {"a,y\n0,2\n0,4\n", NULL, {0}, true, "y~const|a|\n2~1|0|\n4~1|0|"},
      {"a,y\non,2\noff,4\n", NULL, {0}, false, "y~a|\n2~1|\n4~0|"},
      {"a,y\ntrue,2\nfalse,4\n", NULL, {0}, false, "y~a|\n2~1|\n4~0|"},
      {"a,y\nz,1\nB,2\nz,3\nu,4\n", NULL, {0}, false, "y~a_B|a_u|a_z|\n1~0|0|1|\n2~1|0|0|\n3~0|0|1|\n4~0|1|0|"},
      {"a,y\n0e-999,-0.0e-400\n5e-324,3\n", NULL, {0}, false, "y~a|\n-0~0|\n3~4.94066e-324|"},
      {"a,y\n 1.5e2 ,-2\n+3.,.4\n", NULL, {0}, false, "y~a|\n-2~150|\n0.4~3|"},
      /* a sweep in the original experiment's order */
      {SWEEP "selu,none,on,off,1,9\nelu,spatial,off,on,2,9\n",
       NULL,
       {0},
       false,
       "test_loss~BatchNorm|Dropout|SpatialAttention|Activation_elu|Activation_selu|\n1~1|0|0|0|1|\n2~0|1|1|1|0|"},
      {SWEEP "selu,cbam,on,off,1,9\nelu,none,on,off,2,9\nelu,channel,on,off,3,9\n",
       NULL,
       {0},
       false,
       "test_loss~ChannelAttention|CBAM|Activation_elu|Activation_selu|\n1~0|1|0|1|\n2~0|0|1|0|\n3~1|0|1|0|"},
      {SWEEP "elu,spatial,on,off,1,9\nrelu,cbam,on,off,2,9\n",
       NULL,
       {0},
       false,
       "test_loss~CBAM|Activation_elu|Activation_relu|\n1~0|1|0|\n2~1|0|1|"},
      {SWEEP "tanh,none,on,off,1,9\nleaky_relu,none,on,off,2,9\nelu,none,on,off,3,9\n",
       NULL,
       {0},
       false,
       "test_loss~Activation_elu|Activation_tanh|Activation_leaky_relu|\n1~0|1|0|\n2~0|0|1|\n3~1|0|0|"},
      {SWEEP "relu,none,on,off,1,9\nrelu,none,off,off,2,9\n",
       NULL,
       {0},
       false,
       "test_loss~BatchNorm|const|\n1~1|1|\n2~0|1|"},
      {SWEEP "relu,none,on,off,1,9\nrelu,none,off,off,2,8\n",
       "seconds",
       {0},
       false,
       "seconds~BatchNorm|const|\n9~1|1|\n8~0|1|"},
      /* --columns names the predictors alone */
      {SWEEP "relu,none,on,off,1,9\nelu,none,off,off,2,8\n",
       NULL,
       {"batchnorm"},
       false,
       "test_loss~batchnorm|\n1~1|\n2~0|"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_design *d = NULL;
    char got[400] = "";
    if (make_design(&cases[i], &d)) fail_msg("case %zu: %s", i, fovea_error_message());
    flatten_design(d, got, sizeof got);
    fovea_design_destroy(d);
    if (strcmp(got, cases[i].expected)) fail_msg("case %zu: got \"%s\", expected \"%s\"", i, got, cases[i].expected);
  }
}

/* Integers that a double rounds, and keeps apart, are good, and the first is named. */
static void test_rounded(void **state) {
  (void)state;
  static const struct {
    const char *csv, *rounded;
  } cases[] = {
      {"a,y\n9007199254740992,2\n9007199254740994,4\n", NULL},
      {"a,y\n100000000000000000000000,2\n1,4\n", "line 2, column a: \"100000000000000000000000\""}, /* not 10^23 */
      {"a,y\n10000000000000000000000,2\n0010000000000000000000000,4\n", NULL},
      {"a,y\n1,2\n12345678901234567891,4\n012345678901234567891,5\n", "line 3, column a: \"12345678901234567891\""},
      {"a,y\n1,2\n3,-9007199254740993\n", "line 3, column y: \"-9007199254740993\""},
      {"a,y\n0.1234567890123456789,2\n3,1.2345678901234567891e19\n", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_design *d = NULL;
    const design_case c = {.csv = cases[i].csv};
    if (make_design(&c, &d)) fail_msg("case %zu: %s", i, fovea_error_message());
    const bool same =
        d->rounded && cases[i].rounded ? strcmp(d->rounded, cases[i].rounded) == 0 : d->rounded == cases[i].rounded;
    if (!same) fail_msg("case %zu: \"%s\"", i, d->rounded ? d->rounded : "");
    fovea_design_destroy(d);
  }
}

static void test_bad_designs(void **state) {
  (void)state;
  static const design_case cases[] = {
      {"a,y\n1,2\n3,4\n", "z", {0}, false, "there is no column z; the columns are a, y"},
      {"a,y\n1,2\n3,4\n", NULL, {"b"}, false, "there is no column b"},
      {"a,y\n1,2\n3,4\n", NULL, {"a", "a"}, false, "a is named twice"},
      {"a,y\n1,2\n3,4\n", NULL, {"y"}, false, "the response y is among the predictors"},
      {"y\n1\n2\n", NULL, {0}, true, "no column to predict y from"},
      {"a,y\n1,2\nx,4\n", NULL, {0}, false, "line 3, column a: \"x\" is not a number, and \"1\" in line 2 is one"},
      {"a,y\nx,2\n1,4\n", NULL, {0}, false, "line 2, column a: \"x\" is not a number, and \"1\" in line 3 is one"},
      {"a,y\n1,2\n,4\n", NULL, {0}, false, "line 3, column a: \"\" is a missing value"},
      {"a,y\n1,2\nnan,4\n", NULL, {0}, false, "line 3, column a: \"nan\" is not a finite number"},
      {"a,y\n1,2\n-Inf,4\n", NULL, {0}, false, "line 3, column a: \"-Inf\" is not a finite number"},
      {"a,y\n1,2\n1e999,4\n", NULL, {0}, false, "line 3, column a: \"1e999\" is not a finite number"},
      {"a,y\n1,2\n-1e999,4\n", NULL, {0}, false, "\"-1e999\" is not a finite number, or too large"},
      {"a,y\n1,2\n1e-400,4\n", NULL, {0}, false, "line 3, column a: \"1e-400\" is not 0, and nearer to it"},
      {"a,y\n1,2\n3,-0.01e-330\n", NULL, {0}, false, "line 3, column y: \"-0.01e-330\" is not 0, and nearer to it"},
      {"a,y\n12345678901234567890,2\n12345678901234567891,4\n12345678901234567892,5\n",
       NULL,
       {0},
       false,
       "line 3, column a: \"12345678901234567891\" and line 2's \"12345678901234567890\" are the same number"},
      {"a,y\n1,-9007199254740993\n2,9007199254740993\n3, -9007199254740992\n",
       NULL,
       {0},
       false,
       "line 4, column y: \" -9007199254740992\" and line 2's \"-9007199254740993\" are the same number"},
      {"a,y\n0x10,2\n2,4\n3,5\n",
       NULL,
       {0},
       false,
       "line 2, column a: \"0x10\" is not a number, and \"2\" in line 3 is one"},
      {"a,y\n1,2\n0x10,4\n", NULL, {0}, false, "line 3, column a: \"0x10\" is not a number"},
      {"a,y\n1,2\n\"3,5\",4\n", NULL, {0}, false, "line 3, column a: \"3,5\" is not a number"},
      {"a,y\n1,2\n3,x\n", NULL, {0}, false, "the response y: line 3, column y: \"x\" is not a number"},
      {"a,y\n1,2\n3,NaN\n", NULL, {0}, false, "line 3, column y: \"NaN\" is not a finite number"},
      {"a,y\n1,2.50\n3,2.5\n", NULL, {0}, false, "the response y is 2.50 in every row"},
      {SWEEP "softmax,none,on,off,1,9\nrelu,none,on,off,2,9\n",
       NULL,
       {0},
       false,
       "line 2, column activation: \"softmax\""},
      {SWEEP "relu,none,0.2,off,1,9\nrelu,none,on,off,2,9\n", NULL, {0}, false, "line 2, column batchnorm: \"0.2\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_design *d = NULL;
    fovea_status status = make_design(&cases[i], &d);
    if (status != FOVEA_INVALID || d || !strstr(fovea_error_message(), cases[i].expected))
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\"", i, status, fovea_error_message(), cases[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads), cmocka_unit_test(test_refuses),
                                     cmocka_unit_test(test_designs), cmocka_unit_test(test_bad_designs),
                                     cmocka_unit_test(test_rounded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
