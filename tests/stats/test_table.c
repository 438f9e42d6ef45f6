/* CSV files and the designs made from them, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

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
      {"CR", "a,b\r1,2\r3,4\r", "a|b|\n2:1|2|\n3:3|4|"},
      {"semicolons", "a;b\n1;2\n3;4\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"tabs", "a b\tc\n1\t2\n", "a b|c|\n2:1|2|"},
      {"bars", "a|b\n1|2\n", "a|b|\n2:1|2|"},
      {"blanks", "  a   b\n 1  -2.5 \n10 \t3\n", "a|b|\n2:1|-2.5|\n3:10|3|"},
      {"semicolons, decimal commas", "a;b\n1,5;2,25\n3;-,5e2\n", "a|b|\n2:1.5|2.25|\n3:3|-.5e2|"},
      {"decimal commas, thousands by points", "a;b\n1.234,5;u\n12;v\n", "a|b|\n2:1234.5|u|\n3:12|v|"},
      {"thousands", "a,b\n\"1,234\",2\n\"1,234,567.5\",3\n", "a|b|\n2:1234|2|\n3:1234567.5|3|"},
      {"thousands by apostrophes and blanks", "a;b\n1'234;1 234,5\n1;NA\n", "a|b|\n2:1234|1234.5|\n3:1|NA|"},
      {"a decimal comma in quotes", "a,b\n1,\"2,5\"\n", "a|b|\n2:1|2.5|"},
      {"open, settled by another column", "a;b\n1,234;0,5\n", "a|b|\n2:1.234|0.5|"},
      {"words with commas", "a,b\n\"1,5,x\",2\n\"1,23\",3\n", "a|b|\n2:1,5,x|2|\n3:1,23|3|"},
      {"no thousands", "a,b\n\"12,34,567\",2\n", "a|b|\n2:12,34,567|2|"},
      {"no thousands of four digits", "a,b\n\"1,2345\",2\n\"1,23\",3\n\"2,345,6789\",3\n",
       "a|b|\n2:1,2345|2|\n3:1,23|3|\n4:2,345,6789|3|"},
      {"no thousands behind four digits", "a,b\n\"1234,567,890\",2\n", "a|b|\n2:1234,567,890|2|"},
      {"comments", "# of today\na,b\n1,2\n  # half\n3,4\n", "a|b|\n3:1|2|\n5:3|4|"},
      {"a cell that begins with #", "colour,x\n#ff0000,1\nred,2\n# no more\n", "colour|x|\n2:#ff0000|1|\n3:red|2|"},
      {"years as names", "place,2001,2002\nu,1,2\n", "place|2001|2002|\n2:u|1|2|"},
      {"Excel's separator", "sep=;\r\na;b\r\n1;2\r\n", "a|b|\n3:1|2|"},
      {"a header in a comment", "# x y\n1 2\n3 4\n", "x|y|\n2:1|2|\n3:3|4|"},
      {"a separator at each end", "a,b,\n1,2,\n3,4,\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"a separator at the rows' ends", "a,b\n1,2,\n3,4,\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"pandas' index", ",a,b\n0,1,2\n1,3,4\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"both", ",a,b,\n0,1,2,\n1,3,4,\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"pandas' index read and written again", "Unnamed: 0,a\n0,1\n1,3\n", "a|\n2:1|\n3:3|"},
      {"R's row names", "\"a\" \"b\"\n\"1\" 1 2\n\"2\" 3 4\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"blanks around words", "a , b\n u, v w \n u ,\tx\n", "a|b|\n2:u|v w|\n3:u|x|"},
      {"blanks that do not break, and characters that are not seen, around words",
       "a,\xc2\xa0"
       "b\n\xe2\x80\x8eu\xc2\xa0,v\xe2\x80\x8b \n\xe3\x80\x80u,\xef\xbb\xbfv w\xe2\x81\xa0\n",
       "a|b|\n2:u|v|\n3:u|v w|"},
      {"characters that are seen", "a,b\n\xe2\x80\xa6,\xe2\x82\xac\n", "a|b|\n2:\xe2\x80\xa6|\xe2\x82\xac|"},
      {"blanks in quotes", "a,b\n\" u \",\" \"\nu,\"v\"\n", "a|b|\n2:u||\n3:u|v|"},
      {"thousands by blanks that do not break",
       "a;b\n1\xc2\xa0"
       "234;1\xe2\x80\xaf"
       "234,5\n2\xe2\x80\x89"
       "000\xc2\xa0"
       "000;-\n3;u\xc2\xa0v\n",
       "a|b|\n2:1234|1 234,5|\n3:2000000|-|\n4:3|u\xc2\xa0v|"},
      {"a minus",
       "a,b\n\xe2\x88\x92"
       "1.5,x\xe2\x88\x92"
       "1\n",
       "a|b|\n2:-1.5|x\xe2\x88\x92"
       "1|"},
      {"CRLF written as text", "a,b\r\r\n1,\"2\"\r\r\n3,4\r\r\n", "a|b|\n2:1|2|\n3:3|4|"},
      {"names of numbers in quotes", "\"1\",\"2\"\n1,2\n", "1|2|\n2:1|2|"},
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
      {"a,\xff\n1,2\n", "the name of column 2: not UTF-8, byte 0xff"},
      {"a,b\n1,gr\xfcn\n", "line 2, column b: not UTF-8, byte 0xfc; convert the file"},
      {"a,b\n1,\033[31mred\n", "line 2, column b: a control character, 0x1b"},
      {"a,b\n1,\xc2\x9b"
       "31m\n",
       "line 2, column b: a control character, 0x9b"},
      {"\xff\xfe"
       "a\0,\0",
       "the text is UTF-16; convert it"},
      {"1,2\n3,4\n", "line 1: the names of the columns are numbers (1, 2); --no-header"},
      {"# a b c\n1,2\n3,4\n", "line 2: the names of the columns are numbers"},
      {"a;b\n1,234;2\n", "line 2, column a: \"1,234\" may have a decimal comma or separate thousands; say which"},
      {"a;b\n1.234;0,5\n", "line 2, column a: \"1.234\" may have a decimal point or separate thousands"},
      {"0.5,g,1\n1.5,h,2\n", "line 1: the names of the columns are numbers (0.5, g)"},
      {"a,b\n1,2,3\n1,4,5\n", "line 2 has 3 fields, the header has 2; the first ones are no names of rows"},
      {"a;b\n1;2\n3;4;5\n", "line 3 has 3 fields, the header has 2"},
      {"a,b\n1,2,3\n4,5\n", "line 3 has 2 fields, the header has 2"},
      {"a,\xc0\xaf\n1,2\n", "not UTF-8"},
      {"a,\"b\nc\"\n1,2\n", "control character, 0x0a"},
      {"PK\3\4 xl/workbook.xml", "this is a zip archive, as .xlsx and .ods are: save the sheet as CSV"},
      {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "this is an Excel workbook: save its sheet as CSV"},
      {"PAR1", "this is a Parquet file"},
      {"BZh9", "this is compressed by bzip2"},
      {"\n<!DOCTYPE html>\n<html>\n", "this is an HTML page: the download went wrong"},
      {"[{\"a\": 1, \"y\": 2},\n{\"a\": 2, \"y\": 3}]\n", "this is JSON and no table"},
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

/* What is asked for, and what the reader says that it did. */
static void test_options(void **state) {
  (void)state;
  static const struct {
    const char *csv;
    fovea_table_options options;
    const char *expected, *notes;
  } cases[] = {
      {"1,2\n3,4\n", {.no_header = true}, "x1|x2|\n1:1|2|\n2:3|4|", NULL},
      {"a,b\n3,4\n", {.no_header = true}, "x1|x2|\n1:a|b|\n2:3|4|", NULL},
      {"a;b\n1;2\n", {.separator = ','}, "a;b|\n2:1;2|", NULL},
      {"a b,c\n1 2,3\n", {.separator = ' '}, "a|b,c|\n2:1|2.3|", "separated by blanks\n"},
      {"a;b\n1,234;2\n", {.decimal = ','}, "a|b|\n2:1.234|2|", "a decimal comma is read in 1 column: a\n"},
      {"a;b\n1,234;2\n", {.decimal = '.'}, "a|b|\n2:1234|2|", "thousands separators are left out in 1 column: a\n"},
      {"a;b\n1.234;2\n", {.decimal = ','}, "a|b|\n2:1234|2|", "thousands separators are left out in 1 column: a\n"},
      {"a;b;c\n1.234;u;10.500\n",
       {0},
       "a|b|c|\n2:1.234|u|10.500|",
       "points are taken as decimal points (--decimal , if they separate thousands) in 2 columns: a, c\n"},
      {"a\tb\n1.234\t7\n", {0}, "a|b|\n2:1.234|7|", "thousands) in 1 column: a\n"},
      {"a;b\n1.234;2\n", {.decimal = '.'}, "a|b|\n2:1.234|2|", "semicolons\n"},
      {"a;b\n1.234;0.500\n", {0}, "a|b|\n2:1.234|0.500|", "semicolons\n"},
      {"a,b\n1.234,2\n", {0}, "a|b|\n2:1.234|2|", NULL},
      {"a;b\n0,500;2\n", {0}, "a|b|\n2:0.500|2|", "a decimal comma is read in 1 column: a\n"},
      {"a;b\n1;2\n", {0}, "a|b|\n2:1|2|", "the columns are separated by semicolons\n"},
      {"#x\n#y\na,b\n u,2\n",
       {0},
       "a|b|\n4:u|2|",
       "2 lines that begin with # are each a comment and passed over\nthe blanks around 1 word are left out\n"},
      {",a\n0,1\n", {0}, "a|\n2:1|", "the first column has no name"},
      {"a,\n0,\n", {0}, "a|\n2:0|", "the separator at the end of each line is passed over\n"},
      {"#a,b\n1,2\n", {0}, "a|b|\n2:1|2|", "the names of the columns are those of the comment"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_table *t = NULL;
    char got[200] = "";
    if (fovea_table_read_as(file_of(cases[i].csv), &cases[i].options, &t))
      fail_msg("case %zu: %s", i, fovea_error_message());
    flatten(t, got, sizeof got);
    if (strcmp(got, cases[i].expected)) fail_msg("case %zu: got \"%s\", expected \"%s\"", i, got, cases[i].expected);
    if (cases[i].notes ? !t->notes || !strstr(t->notes, cases[i].notes) : t->notes != NULL)
      fail_msg("case %zu: notes \"%s\"", i, t->notes ? t->notes : "");
    const bool guessed = t->notes && strstr(t->notes, "points are taken as decimal points");
    if (guessed != (cases[i].notes && strstr(cases[i].notes, "thousands)"))) fail_msg("case %zu: %s", i, t->notes);
    fovea_table_destroy(t);
  }
  fovea_table *t = NULL;
  const char *path = file_of("a;b\n1.5;2\n");
  assert_int_equal(fovea_table_read_as(path, &(fovea_table_options){.decimal = ','}, &t), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "line 2, column a: \"1.5\" is no number with a decimal comma"));
  assert_int_equal(fovea_table_read_as(path, &(fovea_table_options){.decimal = '5'}, &t), FOVEA_INVALID);
  assert_int_equal(fovea_table_read_as(path, &(fovea_table_options){.separator = 'x'}, &t), FOVEA_INVALID);
}

/* A pipe, compressed or not, as standard input and by name; what is no file. */
static void test_sources(void **state) {
  (void)state;
  static const char csv[] = "a,b\n1,2\n";
  uint8_t packed[100];
  z_stream stream = {
      .next_in = (Bytef *)(uintptr_t)csv, .avail_in = sizeof csv - 1, .next_out = packed, .avail_out = sizeof packed};
  assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  deflateEnd(&stream);
  const size_t packed_size = stream.total_out;
  const int before = dup(0);
  for (int compressed = 0; compressed < 2; compressed++)
    for (int named = 0; named < 2; named++) {
      int ends[2];
      assert_int_equal(pipe(ends), 0);
      const size_t size = compressed ? packed_size : sizeof csv - 1;
      assert_int_equal(write(ends[1], compressed ? (const void *)packed : csv, size), (ssize_t)size);
      close(ends[1]);
      assert_int_equal(dup2(ends[0], 0), 0);
      close(ends[0]);
      fovea_table *t = NULL;
      char got[100] = "";
      if (fovea_table_read(named ? "/dev/stdin" : "-", &t)) fail_msg("%s", fovea_error_message());
      flatten(t, got, sizeof got);
      assert_string_equal(got, "a|b|\n2:1|2|");
      fovea_table_destroy(t);
    }
  dup2(before, 0);
  close(before);
  fovea_table *t = NULL;
  assert_int_equal(fovea_table_read(temp_path("."), &t), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "it is a folder"));
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
      {"a,y\n1,2\nnan,4\n", NULL, {0}, false, "line 3, column a: \"nan\" is a missing value; --missing drop"},
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
       "line 4, column y: \"-9007199254740992\" and line 2's \"-9007199254740993\" are the same number"},
      {"a,y\n0x10,2\n2,4\n3,5\n",
       NULL,
       {0},
       false,
       "line 2, column a: \"0x10\" is not a number, and \"2\" in line 3 is one"},
      {"a,y\n1,2\n0x10,4\n", NULL, {0}, false, "line 3, column a: \"0x10\" is not a number"},
      {"a,y\n1,2\n\"3,5,\",4\n", NULL, {0}, false, "line 3, column a: \"3,5,\" is not a number"},
      {"a,y\n1,2\n3,x\n", NULL, {0}, false, "the response y: line 3, column y: \"x\" is not a number"},
      {"a,y\n1,2\n3,NaN\n", NULL, {0}, false, "line 3, column y: \"NaN\" is a missing value"},
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

/* Of a program's columns: the cells as they are, and the same fit as of a file. */
static void test_of_memory(void **state) {
  (void)state;
  char text[256];
  const char *names[] = {"a", "b c"}, *cells[] = {"1,5", " x", "", "1.234", "3", "two\nlines"};
  fovea_table *t = NULL;
  assert_int_equal(fovea_table_create(names, 2, cells, 3, &t), FOVEA_OK);
  assert_ptr_not_equal(t->cells[0], cells[0]);
  flatten(t, text, sizeof text);
  assert_string_equal(text, "a|b c|\n1:1,5| x|\n2:|1.234|\n3:3|two\nlines|");
  assert_null(t->notes);
  fovea_table_destroy(t);

  const char *const numbers[] = {"1", "0.1", "2", "0.3", "3", "0.2", "4", "1e-1"};
  fovea_table *file = NULL;
  fovea_design *d = NULL, *of_file = NULL;
  assert_int_equal(fovea_table_create(names, 2, numbers, 4, &t), FOVEA_OK);
  assert_int_equal(fovea_table_read(file_of("a,b c\n1,0.1\n2,0.3\n3,0.2\n4,1e-1\n"), &file), FOVEA_OK);
  assert_int_equal(fovea_design_from_table(t, NULL, &d), FOVEA_OK);
  assert_int_equal(fovea_design_from_table(file, NULL, &of_file), FOVEA_OK);
  assert_int_equal(d->n, 4);
  assert_memory_equal(d->y, of_file->y, 4 * sizeof *d->y);
  assert_memory_equal(d->y_low, of_file->y_low, 4 * sizeof *d->y);
  assert_memory_equal(d->x, of_file->x, 4 * sizeof *d->x);
  fovea_design_destroy(d);
  fovea_design_destroy(of_file);
  fovea_table_destroy(t);
  fovea_table_destroy(file);
}

static void test_of_memory_refused(void **state) {
  (void)state;
  static const struct {
    const char *names[2], *cells[2];
    size_t columns, rows;
    const char *expected;
  } cases[] = {
      {{"a", "b"}, {"1", "2"}, 2, 0, "0 rows of 2 columns"},
      {{"a", "b"}, {"1", "2"}, 0, 1, "1 rows of 0 columns"},
      {{"a", "b"}, {"1", "2"}, 2, SIZE_MAX, "18446744073709551615 rows"},
      {{"a", ""}, {"1", "2"}, 2, 1, "column 2 has no name"},
      {{"a", "a"}, {"1", "2"}, 2, 1, "columns 1 and 2 are both called a"},
      {{"a", "b\n"}, {"1", "2"}, 2, 1, "the name of column 2: a control character, 0x0a"},
      {{"a", NULL}, {"1", "2"}, 2, 1, "the name of column 2 is NULL"},
      {{"a", "b"}, {"1", NULL}, 2, 1, "cell 2 is NULL"},
      {{"a", "b"}, {"1", "\xff"}, 2, 1, "row 1, column b: not UTF-8, byte 0xff"},
      {{"a"}, {"1", "\x01"}, 1, 2, "row 2, column a: a control character, 0x01"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_table *t = NULL;
    const fovea_status status = fovea_table_create(cases[i].names, cases[i].columns, cases[i].cells, cases[i].rows, &t);
    if (status != FOVEA_INVALID || t || !strstr(fovea_error_message(), cases[i].expected))
      fail_msg("case %zu: status %d, \"%s\", expected \"%s\"", i, status, fovea_error_message(), cases[i].expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads),   cmocka_unit_test(test_refuses),   cmocka_unit_test(test_options),
      cmocka_unit_test(test_sources), cmocka_unit_test(test_designs),   cmocka_unit_test(test_bad_designs),
      cmocka_unit_test(test_rounded), cmocka_unit_test(test_of_memory), cmocka_unit_test(test_of_memory_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
