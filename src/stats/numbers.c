#include "stats/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

void fovea_fixed(char *out, size_t size, int decimals, double value) {
  snprintf(out, size, "%.*f", decimals, value);
  if (*out == '-' && strspn(out + 1, "0.") == strlen(out + 1)) memmove(out, out + 1, strlen(out));
}
