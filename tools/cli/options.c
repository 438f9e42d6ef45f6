#include "cli/options.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

int command_fail(fovea_status status) {
  fflush(stdout);
  fprintf(stderr, "fovea: %s\n", fovea_error_message());
  return (int)status;
}

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

static fovea_status read_value(const option *o, const char *text) {
  double min, max;
  switch (o->kind) {
    case OPTION_FLAG:
      *(bool *)o->value = true;
      return FOVEA_OK;
    case OPTION_STRING:
      if (!*text) return fovea_fail(FOVEA_INVALID, "--%s: an empty %s", o->name, o->argument ? o->argument : "value");
      *(const char **)o->value = text;
      return FOVEA_OK;
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

size_t options_distance(const char *a, const char *b) {
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

static fovea_status unknown_option(const char *name, const option *options, size_t count) {
  const char *closest = "help";
  size_t least = options_distance(name, closest);
  for (size_t i = 0; i < count; i++) {
    size_t d = options_distance(name, options[i].name);
    if (d < least) {
      least = d;
      closest = options[i].name;
    }
  }
  if (least <= 3) return fovea_fail(FOVEA_INVALID, "unknown option --%.100s; did you mean --%s?", name, closest);
  return fovea_fail(FOVEA_INVALID, "unknown option --%.100s; the closest is --%s, see --help", name, closest);
}

/* One option at argv[*at], which is moved past its argument. */
static fovea_status parse_option(int argc, char **argv, int *at, option *options, size_t count, bool *help) {
  char name[128];
  const char *text = argv[*at] + 2, *equals = strchr(text, '=');
  size_t length = equals ? (size_t)(equals - text) : strlen(text);
  if (length >= sizeof name) return fovea_fail(FOVEA_INVALID, "unknown option --%.100s...", text);
  memcpy(name, text, length);
  name[length] = '\0';
  option *o = NULL;
  for (size_t i = 0; i < count && !o; i++) {
    if (strcmp(options[i].name, name) == 0) o = &options[i];
  }
  if (!o && strcmp(name, "help") == 0 && !equals) {
    *help = true;
    return FOVEA_OK;
  }
  if (!o) return unknown_option(name, options, count);
  const char *value = equals ? equals + 1 : NULL;
  if (o->kind == OPTION_FLAG) {
    if (equals) return fovea_fail(FOVEA_INVALID, "--%s takes no argument, but was given '%.200s'", o->name, value);
  } else if (!value) {
    if (*at + 1 >= argc) return fovea_fail(FOVEA_INVALID, "--%s: its argument is missing", o->name);
    value = argv[++*at];
  }
  fovea_status status = read_value(o, value);
  if (!status) o->given = true;
  return status;
}

fovea_status options_parse(int argc, char **argv, option *options, size_t count, const char **positionals,
                           size_t max_positionals, size_t *positional_count, bool *help) {
  size_t positional = 0;
  bool ended = false, help_wanted = false;
  for (size_t i = 0; i < count; i++) options[i].given = false;
  for (int i = 1; i < argc; i++) {
    const char *text = argv[i];
    if (!ended && strcmp(text, "--") == 0) {
      ended = true;
    } else if (!ended && text[0] == '-' && text[1] == '-') {
      fovea_status status = parse_option(argc, argv, &i, options, count, &help_wanted);
      if (status) return status;
    } else if (!ended && strcmp(text, "-h") == 0) {
      help_wanted = true;
    } else if (!ended && text[0] == '-' && text[1]) {
      return fovea_fail(FOVEA_INVALID, "unknown option %.100s; options begin with --, see --help", text);
    } else if (positional == max_positionals) {
      return fovea_fail(FOVEA_INVALID, "unexpected argument '%.200s'; see --help", text);
    } else {
      positionals[positional++] = text;
    }
  }
  for (size_t i = 0; i < count && !help_wanted; i++) {
    if (options[i].required && !options[i].given) {
      return fovea_fail(FOVEA_INVALID, "--%s%s%s is required", options[i].name, options[i].argument ? " " : "",
                        options[i].argument ? options[i].argument : "");
    }
  }
  if (positional_count) *positional_count = positional;
  if (help) *help = help_wanted;
  return FOVEA_OK;
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
  size_t width = strlen("--help");
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
    if (o->required) printf(" (required)");
    if (!o->required && *value) printf(" [%s]", value);
    printf("\n");
  }
  printf("  %-*s  this text\n", (int)width, "--help");
}
