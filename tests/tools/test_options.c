/* The option parser: what it takes, what it refuses and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <locale.h>

#include "cli/options.h"

enum { MAX_ARGS = 20, MAX_POSITIONALS = 2 };

typedef struct parsed {
  bool walk, batchnorm, help;
  const char *data;
  long long epochs;
  double lr;
  int attention;
  option_ints arch;
  const char *positionals[MAX_POSITIONALS];
  size_t positional_count;
  bool lr_given;
} parsed;

/* `line` is split at spaces, after the subcommand's name. */
static fovea_status parse(const char *line, parsed *p) {
  static char text[512];
  char *argv[MAX_ARGS] = {(char *)"train"};
  int argc = 1;
  strncpy(text, line, sizeof text - 1);
  for (char *word = strtok(text, " "); word && argc < MAX_ARGS; word = strtok(NULL, " ")) argv[argc++] = word;
  *p = (parsed){.batchnorm = true, .epochs = 25, .lr = 0.005, .arch = {{35, 25}, 2}};
  option options[] = {
      {.name = "data", .kind = OPTION_STRING, .value = &p->data, .argument = "DIR", .required = true},
      {.name = "epochs", .kind = OPTION_INT, .value = &p->epochs, .min = 1, .max = 100000},
      {.name = "lr", .kind = OPTION_FLOAT, .value = &p->lr, .min = 0, .max = 10},
      {.name = "walk", .kind = OPTION_FLAG, .value = &p->walk},
      {.name = "batchnorm", .kind = OPTION_ONOFF, .value = &p->batchnorm},
      {.name = "attention", .kind = OPTION_CHOICE, .value = &p->attention, .choices = "none|spatial|channel|cbam"},
      {.name = "arch", .kind = OPTION_INTS, .value = &p->arch},
  };
  fovea_status status = options_parse(argc, argv, options, sizeof options / sizeof *options, p->positionals,
                                      MAX_POSITIONALS, &p->positional_count, &p->help);
  p->lr_given = options[2].given;
  return status;
}

static void good(void **state) {
  (void)state;
  parsed p;
  assert_int_equal(parse("--data d --epochs=7 --lr 1e-3 --walk --batchnorm off --attention cbam --arch 35,25,15,5", &p),
                   FOVEA_OK);
  assert_string_equal(p.data, "d");
  assert_int_equal(p.epochs, 7);
  assert_true(p.lr == 1e-3 && p.lr_given);
  assert_true(p.walk && !p.batchnorm && !p.help);
  assert_int_equal(p.attention, 3);
  assert_int_equal(p.arch.count, 4);
  assert_int_equal(p.arch.values[3], 5);
  assert_int_equal(parse("a --data=x=y -- --lr", &p), FOVEA_OK);
  assert_string_equal(p.data, "x=y");
  assert_int_equal(p.positional_count, 2);
  assert_string_equal(p.positionals[1], "--lr");
  assert_true(p.lr == 0.005 && !p.lr_given && p.epochs == 25);
  assert_int_equal(parse("--help", &p), FOVEA_OK); /* though --data is missing */
  assert_true(p.help);
}

/* A double cannot tell 2^53 + 1 from 2^53. */
static void largest_numbers(void **state) {
  (void)state;
  const double largest = 9007199254740992.0;
  long long v = 0;
  assert_true(options_read_int("9007199254740992", 0, largest, &v));
  assert_true(v == 9007199254740992LL);
  assert_false(options_read_int("9007199254740993", 0, largest, &v));
  assert_false(options_read_int("-9007199254740993", -largest, largest, &v));
  assert_true(options_read_int("9223372036854775807", -1e30, 1e30, &v));
  assert_false(options_read_int("9223372036854775808", -1e30, 1e30, &v));
}

static void bad(void **state) {
  (void)state;
  static const struct {
    const char *line, *message;
  } cases[] = {
      {"", "--data DIR is required"},
      {"--epochs abc", "--epochs: 'abc' is not a whole number from 1 to 100000"},
      {"--epochs 0", "'0' is not"},
      {"--epochs 100001", "'100001' is not"},
      {"--epochs 7x", "'7x' is not"},
      {"--epochs= ", "'' is not"},
      {"--epochs 1.5", "'1.5' is not"},
      {"--epochs 99999999999999999999", "is not a whole number"},
      {"--epochs", "--epochs: its argument is missing"},
      {"--lr nan", "--lr: 'nan' is not a number from 0 to 10"},
      {"--lr inf", "'inf' is not"},
      {"--lr 1e999", "'1e999' is not"},
      {"--lr 0x1", "'0x1' is not"},
      {"--lr 0,5", "'0,5' is not"},
      {"--lr -1", "'-1' is not"},
      {"--lr 1e", "'1e' is not"},
      {"--walk=yes", "--walk takes no argument"},
      {"--batchnorm maybe", "--batchnorm: 'maybe' is not on or off"},
      {"--attention spatia", "--attention: 'spatia' is not one of none|spatial|channel|cbam"},
      {"--arch 35,,5", "--arch: '35,,5' is not a list"},
      {"--arch 35,0", "is not a list"},
      {"--arch 35,", "is not a list"},
      {"--arch 1,2147483648", "is not a list"},
      {"--data=", "--data: an empty DIR"},
      {"--epoch 3", "unknown option --epoch; did you mean --epochs?"},
      {"--atention cbam", "did you mean --attention?"},
      {"-e 3", "unknown option -e"},
      {"--data d a b c", "unexpected argument 'c'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    parsed p;
    assert_int_equal(parse(cases[i].line, &p), FOVEA_INVALID);
    if (!strstr(fovea_error_message(), cases[i].message)) {
      fail_msg("'%s' gave: %s", cases[i].line, fovea_error_message());
    }
  }
}

static void too_many_ints(void **state) {
  (void)state;
  parsed p;
  char line[256] = "--arch 1";
  for (int i = 1; i < OPTION_MAX_INTS; i++) strcat(line, ",1");
  strcat(line, " --data d");
  assert_int_equal(parse(line, &p), FOVEA_OK);
  assert_int_equal(p.arch.count, OPTION_MAX_INTS);
  *strstr(line, " --data") = '\0';
  strcat(line, ",1");
  assert_int_equal(parse(line, &p), FOVEA_INVALID);
}

static void decimal_comma(void **state) {
  (void)state;
  parsed p;
  /* Where no such locale is installed, the process stays in C and this shows nothing more. */
  if (!setlocale(LC_ALL, "de_DE.UTF-8")) setlocale(LC_ALL, "fr_FR.UTF-8");
  assert_int_equal(parse("--data d --lr 0.25", &p), FOVEA_OK);
  assert_true(p.lr == 0.25);
  assert_int_equal(parse("--data d --lr 0,25", &p), FOVEA_INVALID);
  setlocale(LC_ALL, "C");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad), cmocka_unit_test(largest_numbers),
                                     cmocka_unit_test(too_many_ints), cmocka_unit_test(decimal_comma)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
