#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

/* --- values -------------------------------------------------------------------------------------------------- */

/* As a whole number: 2^53 + 1 as a double would be 2^53, and pass where that is the largest. */
static long long whole_bound(double bound) {
  const double largest = 9.2e18;
  return bound >= largest ? LLONG_MAX : bound <= -largest ? LLONG_MIN : (long long)bound;
}

bool options_read_int(const char *text, double min, double max, long long *value) {
  const char *digits = text + (*text == '-' || *text == '+');
  if (!*digits || digits[strspn(digits, "0123456789")]) return false;
  errno = 0;
  long long v = strtoll(text, NULL, 10);
  if (errno || v < whole_bound(min) || v > whole_bound(max)) return false;
  *value = v;
  return true;
}

bool options_read_float(const char *text, double min, double max, double *value) {
  /* No hexadecimal, no "nan", no "inf", no spaces. */
  if (!*text || text[strspn(text, "+-.0123456789eE")]) return false;
  locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
  if (c_locale == (locale_t)0) return false;
  locale_t before = uselocale(c_locale);
  char *end = NULL;
  double v = strtod(text, &end);
  uselocale(before);
  freelocale(c_locale);
  if (end == text || *end || !isfinite(v) || v < min || v > max) return false;
  *value = v;
  return true;
}

int options_find_choice(const char *choices, const char *text, size_t length) {
  for (int i = 0; *choices; i++) {
    size_t n = strcspn(choices, "|");
    if (n == length && memcmp(choices, text, n) == 0) return i;
    choices += n + (choices[n] == '|');
  }
  return -1;
}

const char *options_choice(const char *choices, int index, char *out, size_t size) {
  for (; index > 0 && choices[strcspn(choices, "|")]; index--) choices += strcspn(choices, "|") + 1;
  snprintf(out, size, "%.*s", (int)strcspn(choices, "|"), choices);
  return out;
}

static bool read_ints(const char *text, double min, double max, option_ints *ints) {
  option_ints read = {.count = 0};
  for (;;) {
    char number[24];
    long long v = 0;
    size_t n = strcspn(text, ",");
    if (n >= sizeof number || read.count == OPTION_MAX_INTS) return false;
    memcpy(number, text, n);
    number[n] = '\0';
    if (!options_read_int(number, min, max, &v)) return false;
    read.values[read.count++] = (int)v;
    if (!text[n]) break;
    text += n + 1;
  }
  *ints = read;
  return true;
}

static void ints_range(const option *o, double *min, double *max) {
  bool own = o->max > 0;
  *min = own ? o->min : 1;
  *max = own ? o->max : INT_MAX;
}

fovea_status options_set(const option *o, const char *text) {
  double min, max;
  switch (o->kind) {
    case OPTION_FLAG:
      *(bool *)o->value = true;
      return FOVEA_OK;
    case OPTION_STRING:
      if (!*text) return fovea_fail(FOVEA_INVALID, "--%s: an empty %s", o->name, o->argument ? o->argument : "value");
      *(const char **)o->value = text;
      return FOVEA_OK;
    case OPTION_WORD:
      if (*text && strlen(text) < OPTION_WORD_SIZE) {
        strcpy(o->value, text);
        return FOVEA_OK;
      }
      return fovea_fail(FOVEA_INVALID, "--%s: '%.80s' is not a word of 1 to %d letters", o->name, text,
                        OPTION_WORD_SIZE - 1);
    case OPTION_INT:
      if (options_read_int(text, o->min, o->max, o->value)) return FOVEA_OK;
      return fovea_fail(FOVEA_INVALID, "--%s: '%.200s' is not a whole number from %.0f to %.0f", o->name, text, o->min,
                        o->max);
    case OPTION_FLOAT:
      if (options_read_float(text, o->min, o->max, o->value)) return FOVEA_OK;
      return fovea_fail(FOVEA_INVALID, "--%s: '%.200s' is not a number from %g to %g", o->name, text, o->min, o->max);
    case OPTION_ONOFF: {
      int i = options_find_choice("off|on", text, strlen(text));
      if (i < 0) return fovea_fail(FOVEA_INVALID, "--%s: '%.200s' is not on or off", o->name, text);
      *(bool *)o->value = i == 1;
      return FOVEA_OK;
    }
    case OPTION_CHOICE: {
      int i = options_find_choice(o->choices, text, strlen(text));
      if (i < 0) return fovea_fail(FOVEA_INVALID, "--%s: '%.200s' is not one of %s", o->name, text, o->choices);
      *(int *)o->value = i;
      return FOVEA_OK;
    }
    case OPTION_INTS:
      ints_range(o, &min, &max);
      if (read_ints(text, min, max, o->value)) return FOVEA_OK;
      return fovea_fail(FOVEA_INVALID,
                        "--%s: '%.200s' is not a list of at most %d whole numbers from %.0f to %.0f, such as 35,25,15",
                        o->name, text, OPTION_MAX_INTS, min, max);
  }
  return fovea_fail(FOVEA_INVALID, "--%s: an option of no kind", o->name);
}

/* --- names --------------------------------------------------------------------------------------------------- */

static size_t distance_between(const char *a, const char *b) {
  enum { MOST = 40 };
  size_t row[MOST + 1], n = strlen(b);
  if (n > MOST || strlen(a) > MOST) return SIZE_MAX;
  for (size_t j = 0; j <= n; j++) row[j] = j;
  for (size_t i = 0; a[i]; i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 1; j <= n; j++) {
      size_t change = diagonal + (a[i] != b[j - 1]);
      diagonal = row[j];
      size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      row[j] = change < step ? change : step;
    }
  }
  return row[n];
}

const char *options_closest(const char *word, options_candidate *candidate, const void *of, size_t *distance) {
  const char *closest = NULL, *c;
  *distance = SIZE_MAX;
  for (size_t i = 0; (c = candidate(of, i)); i++) {
    const size_t d = distance_between(word, c);
    if (d < *distance) *distance = d, closest = c;
  }
  return closest;
}

/* What every command has besides. */
static const char *const own_names[] = {"help", "version"};
enum { OWN_NAMES = sizeof own_names / sizeof *own_names };

/* Of the own names, after those of the table. */
static const char *name_of(const option *options, size_t count, size_t i) {
  return i < count ? options[i].name : own_names[i - count];
}

typedef struct table {
  const option *options;
  size_t count;
} table;

static const char *candidate(const void *of, size_t i) {
  const table *t = of;
  return i < t->count + OWN_NAMES ? name_of(t->options, t->count, i) : NULL;
}

static fovea_status unknown_option(const char *name, const option *options, size_t count) {
  enum { ALIKE = 3 };
  size_t least;
  const char *closest = options_closest(name, candidate, &(table){options, count}, &least);
  if (!closest) closest = "help";                                            /* too long a word to have one */
  if (least < strlen(name) && (least <= 1 || least <= strlen(name) / ALIKE)) /* two thirds of it are right */
    return fovea_fail(FOVEA_INVALID, "unknown option --%.100s; did you mean --%s?", name, closest);
  return fovea_fail(FOVEA_INVALID, "unknown option --%.100s; the closest is --%s, see --help", name, closest);
}

/* `word` begins with "--", and is no name and not the beginning of one alone. */
static fovea_status refuse_name(const char *word, const option *options, size_t count) {
  char name[128], several[512] = "";
  const size_t length = strcspn(word + 2, "=");
  size_t found = 0, used = 0;
  if (length >= sizeof name) return fovea_fail(FOVEA_INVALID, "unknown option %.100s...", word);
  memcpy(name, word + 2, length);
  name[length] = '\0';
  for (size_t i = 0; i < count + OWN_NAMES && length > 0; i++) {
    const char *known = name_of(options, count, i);
    if (strncmp(known, name, length) != 0 || used >= sizeof several) continue;
    used += (size_t)snprintf(several + used, sizeof several - used, "%s--%s", found++ ? " or " : "", known);
  }
  if (found == 0) return unknown_option(name, options, count);
  return fovea_fail(FOVEA_INVALID, "option --%s is ambiguous: it may be %s", name, several);
}

/* --- the command line ------------------------------------------------------------------------------------------ */

/* What getopt_long returns for the first option of a table; those with a letter return the letter. */
enum { FIRST = 256 };

static struct option *long_options(const option *options, size_t count) {
  struct option *all = calloc(count + OWN_NAMES + 1, sizeof *all);
  for (size_t i = 0; all && i < count; i++)
    all[i] = (struct option){options[i].name, options[i].kind == OPTION_FLAG ? no_argument : required_argument, NULL,
                             FIRST + (int)i};
  for (size_t i = 0; all && i < OWN_NAMES; i++)
    all[count + i] = (struct option){own_names[i], no_argument, NULL, own_names[i][0]};
  return all;
}

/* What getopt_long does not take, in our words: what it returned, '?' or ':'. */
static fovea_status refuse(int what, char **argv, const option *options, size_t count) {
  const char *word = argv[optind - 1];
  if (optopt >= FIRST && what == ':')
    return fovea_fail(FOVEA_INVALID, "--%s: its argument is missing", options[optopt - FIRST].name);
  if (optopt == 0) return refuse_name(word, options, count);
  if (strncmp(word, "--", 2) == 0)
    return fovea_fail(FOVEA_INVALID, "--%s takes no argument, but was given '%.200s'",
                      optopt >= FIRST ? options[optopt - FIRST].name : own_names[optopt == 'v'],
                      word + strcspn(word, "=") + 1);
  if (word[0] != '-' || (unsigned char)word[1] != optopt) word = argv[optind]; /* it has more letters */
  const size_t length = strcspn(word + 1, "=");
  for (size_t i = 0; i < count + OWN_NAMES; i++) {
    const char *known = name_of(options, count, i);
    if (strlen(known) == length && strncmp(word + 1, known, length) == 0)
      return fovea_fail(FOVEA_INVALID, "unknown option %.100s; did you mean --%s?", word, known);
  }
  return fovea_fail(FOVEA_INVALID, "unknown option %.100s; options begin with --, see --help", word);
}

/* Walks over argv with getopt_long. With `wish`, which then ends the walk, no value is read; without, all are. *operand
 * is the place of the first operand; those after it are operands, too. */
static fovea_status walk(int argc, char **argv, const char *letters, option *options, size_t count, options_wish *wish,
                         int *operand) {
  fovea_status status = FOVEA_OK;
  struct option *all = long_options(options, count);
  if (!all) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu options", count);
  optind = 0; /* from the beginning, in glibc and musl */
  opterr = 0;
  for (int found; !status && (found = getopt_long(argc, argv, letters, all, NULL)) != -1;) {
    if (found == '?' || found == ':') {
      status = refuse(found, argv, options, count);
    } else if (found < FIRST) {
      if (!wish) continue;
      *wish = found == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
      break;
    } else if (!wish) {
      option *o = &options[found - FIRST];
      status = options_set(o, optarg);
      if (!status) o->given = true;
    }
  }
  free(all);
  *operand = optind;
  return status;
}

fovea_status options_look(int argc, char **argv, option *options, size_t count, options_wish *wish) {
  int operand = 0;
  *wish = OPTIONS_RUN;
  return walk(argc, argv, ":h", options, count, wish, &operand);
}

fovea_status options_lead(int argc, char **argv, options_wish *wish, int *operand) {
  *wish = OPTIONS_RUN;
  return walk(argc, argv, "+:h", NULL, 0, wish, operand);
}

static bool is_excused(const option *o, const option *options, size_t count) {
  for (size_t i = 0; i < count && o->unless; i++)
    if (strcmp(options[i].name, o->unless) == 0) return options[i].given;
  return false;
}

static fovea_status check_required(const option *options, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const option *o = &options[i];
    if (o->required && !o->given && !is_excused(o, options, count))
      return fovea_fail(FOVEA_INVALID, "--%s%s%s is required", o->name, o->argument ? " " : "",
                        o->argument ? o->argument : "");
  }
  return FOVEA_OK;
}

fovea_status options_parse(int argc, char **argv, option *options, size_t count, const char **positionals,
                           size_t max_positionals, size_t *positional_count) {
  int operand = argc;
  for (size_t i = 0; i < count; i++) options[i].given = false;
  fovea_status status = walk(argc, argv, ":h", options, count, NULL, &operand);
  if (status) return status;
  const size_t operands = (size_t)(argc - operand);
  if (operands > max_positionals)
    return fovea_fail(FOVEA_INVALID, "unexpected argument '%.200s'; see --help", argv[operand + (int)max_positionals]);
  for (size_t i = 0; i < operands; i++) positionals[i] = argv[operand + (int)i];
  if (positional_count) *positional_count = operands;
  return check_required(options, count);
}

/* --- help ---------------------------------------------------------------------------------------------------- */

static const char *argument_name(const option *o) {
  switch (o->kind) {
    case OPTION_FLAG:
      return "";
    case OPTION_ONOFF:
      return "on|off";
    case OPTION_CHOICE:
      return o->argument ? o->argument : o->choices;
    case OPTION_INTS:
      return o->argument ? o->argument : "N,N,...";
    case OPTION_STRING:
    case OPTION_WORD:
      return o->argument ? o->argument : "TEXT";
    default:
      return o->argument ? o->argument : "N";
  }
}

static void default_text(const option *o, char *text, size_t size) {
  text[0] = '\0';
  switch (o->kind) {
    case OPTION_FLAG:
      break;
    case OPTION_STRING: {
      const char *value = *(const char **)o->value;
      if (value) snprintf(text, size, "%s", value);
      break;
    }
    case OPTION_WORD:
      snprintf(text, size, "%s", (const char *)o->value);
      break;
    case OPTION_INT:
      snprintf(text, size, "%lld", *(long long *)o->value);
      break;
    case OPTION_FLOAT:
      snprintf(text, size, "%g", *(double *)o->value);
      break;
    case OPTION_ONOFF:
      snprintf(text, size, "%s", *(bool *)o->value ? "on" : "off");
      break;
    case OPTION_CHOICE:
      options_choice(o->choices, *(int *)o->value, text, size);
      break;
    case OPTION_INTS: {
      const option_ints *ints = o->value;
      size_t used = 0;
      for (int i = 0; i < ints->count && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%d", i ? "," : "", ints->values[i]);
      }
      break;
    }
  }
}

void options_print_help(const char *usage, const char *summary, const option *options, size_t count) {
  size_t width = strlen("-h, --help");
  for (size_t i = 0; i < count; i++) {
    size_t n = strlen(options[i].name) + strlen(argument_name(&options[i])) + 3;
    if (n > width && n <= 36) width = n; /* a longer one has its help on the next line */
  }
  printf("usage: %s\n\n%s\n\noptions:\n", usage, summary);
  for (size_t i = 0; i < count; i++) {
    char left[256], value[256];
    const option *o = &options[i];
    const char *argument = argument_name(o);
    snprintf(left, sizeof left, "--%s%s%s", o->name, *argument ? " " : "", argument);
    default_text(o, value, sizeof value);
    if (strlen(left) > width) {
      printf("  %s\n  %-*s", left, (int)width, "");
    } else {
      printf("  %-*s", (int)width, left);
    }
    printf("  %s", o->help);
    if (o->required) printf(" (required%s%s)", o->unless ? " without --" : "", o->unless ? o->unless : "");
    if (!o->required && *value) printf(" [%s]", value);
    printf("\n");
  }
  printf("  %-*s  this text\n", (int)width, "-h, --help");
  printf("  %-*s  the version of fovea\n", (int)width, "--version");
}
