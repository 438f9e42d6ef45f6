/* The command line of a subcommand: a table of options, parsed, checked and printed.
 *
 * getopt_long walks over it, so its habits are those of the GNU tools: --name value and --name=value, an abbreviation
 * that only one name begins with, "--" after which all are operands, operands before options (but not with
 * POSIXLY_CORRECT in the environment); an option given twice has its last value. argp would be the alternative: it is
 * glibc's alone, and what it does beyond getopt_long, help and messages, is done here from the table, which knows
 * defaults and ranges. */
#ifndef FOVEA_TOOLS_CLI_OPTIONS_H
#define FOVEA_TOOLS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

/* The type of an option's *value. */
typedef enum option_kind {
  OPTION_FLAG,   /* bool: true when given; takes no argument */
  OPTION_STRING, /* const char *: borrowed from argv */
  OPTION_WORD,   /* char[OPTION_WORD_SIZE]: a copy, of at most that less one */
  OPTION_INT,    /* long long */
  OPTION_FLOAT,  /* double */
  OPTION_ONOFF,  /* bool: "on" or "off" */
  OPTION_CHOICE, /* int: the index in choices */
  OPTION_INTS    /* option_ints: "35,25,15,5", each from 1 to INT_MAX, or from min to max where max is not 0 */
} option_kind;

enum { OPTION_MAX_INTS = 32, OPTION_WORD_SIZE = 64 };

typedef struct option_ints {
  int values[OPTION_MAX_INTS];
  int count;
} option_ints;

typedef struct command_option {
  const char *name; /* "epochs" for --epochs */
  option_kind kind;
  void *value;          /* holds the default before parsing */
  double min, max;      /* of a number: inclusive */
  const char *choices;  /* of a choice: "none|spatial|channel|cbam" */
  const char *argument; /* what help calls the argument: "DIR" */
  const char *help;
  bool given; /* set by the parser */
  bool required;
  const char *unless; /* the flag without which it is required; NULL: any */
} option;

/* Name number i of a list; NULL after its last. */
typedef const char *options_candidate(const void *of, size_t i);

/* The first of the list's names that are closest to `word`, by how many letters have to be inserted, deleted or changed
 * (Levenshtein): *distance. NULL and SIZE_MAX where none is, of a word or of names longer than 40. */
const char *options_closest(const char *word, options_candidate *candidate, const void *of, size_t *distance);

/* What a command line asks for: the first of --help, -h and --version on it, or else that the command runs. */
typedef enum options_wish { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION } options_wish;

/* Looks at argv[1] to argv[argc - 1] and reads no value. FOVEA_INVALID, with a message that names it, when before a
 * wish there is an unknown or ambiguous option, or one with an argument too few or too many. May reorder argv, operands
 * last; not thread-safe, as is getopt_long. */
fovea_status options_look(int argc, char **argv, option *options, size_t count, options_wish *wish);

/* The same of the options before the first operand, where there are no others than these; *operand is its place, argc
 * if there is none. */
fovea_status options_lead(int argc, char **argv, options_wish *wish, int *operand);

/* Sets the values. positionals has room for max_positionals (it may be NULL when that is 0) and borrows from argv, as
 * strings do. FOVEA_INVALID also for a value that may not be, with the option, the value and what it may be, for a
 * required option that is missing and for too many positionals; values before the bad one are then set already. */
fovea_status options_parse(int argc, char **argv, option *options, size_t count, const char **positionals,
                           size_t max_positionals, size_t *positional_count);

/* Sets one option's value from its text, as the command line would. FOVEA_INVALID. */
fovea_status options_set(const option *o, const char *text);

/* To stdout, aligned; the defaults are *value as it is now, so call it before parsing.
 * usage: "fovea train --data DIR --out RUN [options]". */
void options_print_help(const char *usage, const char *summary, const option *options, size_t count);

/* Numbers in the C locale whatever the process's: the whole string, finite, within [min, max]. */
bool options_read_int(const char *text, double min, double max, long long *value);
bool options_read_float(const char *text, double min, double max, double *value);

/* The index of the word text[length] in "a|b|c", or -1. */
int options_find_choice(const char *choices, const char *text, size_t length);

/* Word `index` of "a|b|c", the last one if there are fewer; returns out. */
const char *options_choice(const char *choices, int index, char *out, size_t size);

#endif
