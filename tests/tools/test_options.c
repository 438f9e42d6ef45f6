/* The option parser: what it takes, what it refuses and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <locale.h>

#include "cli/options.h"

enum { MAX_ARGS = 20, MAX_POSITIONALS = 2 };

typedef struct parsed {
  bool walk, batchnorm;
  options_wish wish;
  const char *data;
  long long epochs, seed, seeds;
  double lr;
  int attention;
  option_ints arch;
  const char *positionals[MAX_POSITIONALS];
  size_t positional_count;
  bool lr_given;
} parsed;

/* `line` is split at spaces, after the subcommand's name; as command_begin does it. */
static fovea_status parse(const char *line, parsed *p) {
  static char text[512];
  char *argv[MAX_ARGS] = {(char *)"train"};
  int argc = 1;
  snprintf(text, sizeof text, "%s", line);
  for (char *word = strtok(text, " "); word && argc < MAX_ARGS; word = strtok(NULL, " ")) argv[argc++] = word;
  *p = (parsed){.batchnorm = true, .epochs = 25, .lr = 0.005, .arch = {{35, 25}, 2}, .seed = 768, .seeds = 1};
  option options[] = {
      {.name = "data", .kind = OPTION_STRING, .value = &p->data, .argument = "DIR", .required = true},
      {.name = "epochs", .kind = OPTION_INT, .value = &p->epochs, .min = 1, .max = 100000},
      {.name = "lr", .kind = OPTION_FLOAT, .value = &p->lr, .min = 0, .max = 10},
      {.name = "walk", .kind = OPTION_FLAG, .value = &p->walk},
      {.name = "batchnorm", .kind = OPTION_ONOFF, .value = &p->batchnorm},
      {.name = "attention", .kind = OPTION_CHOICE, .value = &p->attention, .choices = "none|spatial|channel|cbam"},
      {.name = "arch", .kind = OPTION_INTS, .value = &p->arch},
      {.name = "seeds", .kind = OPTION_INT, .value = &p->seeds, .min = 1, .max = 1000},
      {.name = "seed", .kind = OPTION_INT, .value = &p->seed, .min = 0, .max = 1e9},
  };
  const size_t count = sizeof options / sizeof *options;
  fovea_status status = options_look(argc, argv, options, count, &p->wish);
  if (status || p->wish != OPTIONS_RUN) return status;
  status = options_parse(argc, argv, options, count, p->positionals, MAX_POSITIONALS, &p->positional_count);
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
  assert_true(p.walk && !p.batchnorm);
  assert_int_equal(p.attention, 3);
  assert_int_equal(p.arch.count, 4);
  assert_int_equal(p.arch.values[3], 5);
  assert_int_equal(parse("a --data=x=y -- --lr", &p), FOVEA_OK);
  assert_string_equal(p.data, "x=y");
  assert_int_equal(p.positional_count, 2);
  assert_string_equal(p.positionals[1], "--lr");
  assert_true(p.lr == 0.005 && !p.lr_given && p.epochs == 25);
}

/* --- the habits of the GNU tools --------------------------------------------------------------------------------- */

static void abbreviations(void **state) {
  (void)state;
  parsed p;
  assert_int_equal(parse("--d d --ep 7 --att=cbam --w --l 1 --ar 9,8", &p), FOVEA_OK);
  assert_string_equal(p.data, "d");
  assert_int_equal(p.epochs, 7);
  assert_int_equal(p.attention, 3);
  assert_true(p.walk && p.lr == 1);
  assert_int_equal(p.arch.values[1], 8);
  /* A whole name is that name, though another begins with it. */
  assert_int_equal(parse("--data d --seed 5 --seeds=6", &p), FOVEA_OK);
  assert_int_equal(p.seed, 5);
  assert_int_equal(p.seeds, 6);
}

static void operands_anywhere(void **state) {
  (void)state;
  parsed p;
  assert_int_equal(parse("a --data d b", &p), FOVEA_OK);
  assert_int_equal(p.positional_count, 2);
  assert_string_equal(p.positionals[0], "a");
  assert_string_equal(p.positionals[1], "b");
  assert_int_equal(parse("--data d -", &p), FOVEA_OK); /* what other tools read stdin for */
  assert_string_equal(p.positionals[0], "-");
  assert_int_equal(parse("--data d -- --help -h", &p), FOVEA_OK);
  assert_int_equal(p.positional_count, 2);
  assert_string_equal(p.positionals[1], "-h");
  assert_int_equal(parse("--data -- --epochs --", &p), FOVEA_INVALID); /* the argument of an option is no end */
  assert_non_null(strstr(fovea_error_message(), "--epochs: '--' is not"));
  setenv("POSIXLY_CORRECT", "1", 1);
  assert_int_equal(parse("--data d a --walk", &p), FOVEA_OK);
  unsetenv("POSIXLY_CORRECT");
  assert_int_equal(p.positional_count, 2);
  assert_false(p.walk);
}

/* An argument may look like an option. */
static void arguments(void **state) {
  (void)state;
  parsed p;
  assert_int_equal(parse("--data --lr --epochs=1", &p), FOVEA_OK);
  assert_string_equal(p.data, "--lr");
  assert_false(p.lr_given);
  assert_int_equal(parse("--data=--help", &p), FOVEA_OK);
  assert_int_equal(p.wish, OPTIONS_RUN);
  assert_string_equal(p.data, "--help");
}

static void the_last_one_holds(void **state) {
  (void)state;
  parsed p;
  assert_int_equal(parse("--data a --arch 9,8,7 --epochs 3 --data b --epochs 4 --arch 6", &p), FOVEA_OK);
  assert_string_equal(p.data, "b");
  assert_int_equal(p.epochs, 4);
  assert_int_equal(p.arch.count, 1);
  assert_int_equal(parse("--data a --epochs 0 --epochs 4", &p), FOVEA_INVALID); /* but each is read */
}

static void help_and_version(void **state) {
  (void)state;
  static const struct {
    const char *line;
    options_wish wish;
  } cases[] = {
      {"--help", OPTIONS_HELP}, /* though --data is missing */
      {"-h", OPTIONS_HELP},
      {"--he", OPTIONS_HELP},
      {"--version", OPTIONS_VERSION},
      {"--vers", OPTIONS_VERSION},
      {"--version --help", OPTIONS_VERSION}, /* the first one */
      {"a b c d --help", OPTIONS_HELP},
      {"--epochs abc --help", OPTIONS_HELP}, /* no value is read, so that help has the defaults */
      {"--help --bogus", OPTIONS_HELP},
      {"-hx", OPTIONS_HELP},
      {"--data d -- --help", OPTIONS_RUN},
      {"--data --help", OPTIONS_RUN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    parsed p;
    const fovea_status status = parse(cases[i].line, &p);
    if (status || p.wish != cases[i].wish)
      fail_msg("'%s': %s", cases[i].line, status ? fovea_error_message() : "another wish");
    assert_int_equal(p.epochs, 25);
  }
}

static void options_that_lead(void **state) {
  (void)state;
  static const struct {
    const char *words[3];
    options_wish wish;
    int operand; /* or, below 0, FOVEA_INVALID */
  } cases[] = {
      {{"train", "--help"}, OPTIONS_RUN, 1},  {{"--", "train"}, OPTIONS_RUN, 2},
      {{"--help", "train"}, OPTIONS_HELP, 2}, {{"--ver", "train"}, OPTIONS_VERSION, 2},
      {{"--data", "d"}, OPTIONS_RUN, -1},     {{"-x", "train"}, OPTIONS_RUN, -1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char first[16], second[16], *argv[] = {(char *)"fovea", first, second, NULL};
    int operand = 0;
    options_wish wish;
    snprintf(first, sizeof first, "%s", cases[i].words[0]);
    snprintf(second, sizeof second, "%s", cases[i].words[1]);
    assert_int_equal(options_lead(3, argv, &wish, &operand), cases[i].operand < 0 ? FOVEA_INVALID : FOVEA_OK);
    assert_int_equal(wish, cases[i].wish);
    if (cases[i].operand >= 0) assert_int_equal(operand, cases[i].operand);
  }
}

/* --- values ------------------------------------------------------------------------------------------------------ */

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
      {"--epoch 3", "--data DIR is required"}, /* an abbreviation */
      {"--epochz 3", "unknown option --epochz; did you mean --epochs?"},
      {"--epochs7", "unknown option --epochs7; did you mean --epochs?"},
      {"--halp", "unknown option --halp; did you mean --help?"},
      {"--=3", "unknown option --; the closest is --"},
      {"--xy", "unknown option --xy; the closest is --"},
      {"--se 3", "option --se is ambiguous: it may be --seeds or --seed"},
      {"--se=3", "option --se is ambiguous: it may be --seeds or --seed"},
      {"--a 3", "option --a is ambiguous: it may be --attention or --arch"},
      {"--wal=no", "--walk takes no argument, but was given 'no'"},
      {"--help=train", "--help takes no argument, but was given 'train'"},
      {"--version=2", "--version takes no argument, but was given '2'"},
      {"--ep", "--epochs: its argument is missing"},
      {"-xh", "unknown option -xh"},
      {"-e -ex", "unknown option -e;"},
      {"-walk", "unknown option -walk; did you mean --walk?"},
      {"-epochs=3", "unknown option -epochs=3; did you mean --epochs?"},
      {"-wal", "unknown option -wal; options begin with --"},
      {"--walnut", "unknown option --walnut; the closest is --walk, see --help"},
      {"--epohcs 3", "unknown option --epohcs; did you mean --epochs?"},
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(good),
                                     cmocka_unit_test(abbreviations),
                                     cmocka_unit_test(operands_anywhere),
                                     cmocka_unit_test(arguments),
                                     cmocka_unit_test(the_last_one_holds),
                                     cmocka_unit_test(help_and_version),
                                     cmocka_unit_test(options_that_lead),
                                     cmocka_unit_test(bad),
                                     cmocka_unit_test(largest_numbers),
                                     cmocka_unit_test(too_many_ints),
                                     cmocka_unit_test(decimal_comma)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
