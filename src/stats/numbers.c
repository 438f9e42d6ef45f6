#include "stats/numbers.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stats/dd.h"

fovea_c_locale fovea_c_locale_begin(void) {
  fovea_c_locale state;
  state.c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  state.before = uselocale(state.c); /* of 0 it is a query, and nothing changes */
  return state;
}

void fovea_c_locale_end(fovea_c_locale state) {
  uselocale(state.before);
  if (state.c) freelocale(state.c);
}

static int names_no_finite_number(const char *text, size_t length) {
  static const char *const words[] = {"nan", "inf", "infinity"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == length && strncasecmp(text, words[i], length) == 0) return 1;
  return 0;
}

/* Whether all digits before the exponent are 0. */
static int names_zero(const char *word) {
  const size_t zeros = strspn(word, "0.");
  return word[zeros] < '1' || word[zeros] > '9';
}

fovea_number_kind fovea_number_parse(const char *text, double *value) {
  const char *start = text + strspn(text, " \t");
  const char *word = start + (*start == '+' || *start == '-');
  size_t length = strcspn(word, " \t");
  if (word[length + strspn(word + length, " \t")]) return FOVEA_NUMBER_NONE;
  if (names_no_finite_number(word, length)) return FOVEA_NUMBER_NOT_FINITE;
  if (length == 0 || strspn(word, "0123456789.eE+-") != length) return FOVEA_NUMBER_NONE;
  fovea_c_locale state = fovea_c_locale_begin();
  char *end;
  double number = strtod(start, &end);
  fovea_c_locale_end(state);
  if (end != word + length) return FOVEA_NUMBER_NONE;
  if (!isfinite(number)) return FOVEA_NUMBER_NOT_FINITE;
  if (fpclassify(number) == FP_ZERO && !names_zero(word)) return FOVEA_NUMBER_TINY;
  *value = number;
  return FOVEA_NUMBER_FINITE;
}

/* 10^exponent of 0 to 40, within 2^-100 of it. */
static dd power_of_ten(int exponent) {
  dd power = {1, 0};
  for (int i = 0; i < exponent; i++) power = dd_multiply(power, (dd){10, 0});
  return power;
}

double fovea_number_rest(const char *text, double value) {
  enum { DIGITS = 31, EXPONENT = 40 };
  const char *s = text + strspn(text, " \t+-");
  dd number = {0};
  int digits = 0, exponent = 0;
  bool fraction = false;
  for (; (*s >= '0' && *s <= '9') || *s == '.'; s++) {
    if (*s == '.') {
      fraction = true;
      continue;
    }
    number = dd_add(dd_multiply(number, (dd){10, 0}), (dd){*s - '0', 0});
    digits += digits > 0 || *s > '0';
    exponent -= fraction;
  }
  if (*s == 'e' || *s == 'E') exponent += (int)strtol(s + 1, NULL, 10);
  if (exponent >= 0 || digits > DIGITS || exponent < -EXPONENT) return 0;
  const dd rest = dd_subtract(dd_divide(number, power_of_ten(-exponent)), (dd){fabs(value), 0});
  return signbit(value) ? -dd_value(rest) : dd_value(rest);
}

void fovea_fixed(char *out, size_t size, int decimals, double value) {
  snprintf(out, size, "%.*f", decimals, value);
  if (*out == '-' && strspn(out + 1, "0.") == strlen(out + 1)) memmove(out, out + 1, strlen(out));
}
