/* Numbers in text, whatever the process's locale says about decimal commas. */
#ifndef FOVEA_STATS_NUMBERS_H
#define FOVEA_STATS_NUMBERS_H

#include <locale.h>
#include <stddef.h>

/* Between begin and end this thread formats and parses as in the C locale. */
typedef struct fovea_c_locale {
  locale_t c, before;
} fovea_c_locale;
fovea_c_locale fovea_c_locale_begin(void);
void fovea_c_locale_end(fovea_c_locale state);

typedef enum fovea_number_kind {
  FOVEA_NUMBER_NONE,       /* not a number */
  FOVEA_NUMBER_FINITE,     /* a decimal number within double's range, *value set */
  FOVEA_NUMBER_NOT_FINITE, /* nan, inf, or out of range */
  FOVEA_NUMBER_TINY        /* not 0, but a double would round it to 0 */
} fovea_number_kind;

/* Reads the whole of `text`, spaces around it aside; no hexadecimal. */
fovea_number_kind fovea_number_parse(const char *text, double *value);

/* What the rounding to `value` left of the decimal number in `text`, to some 106 bits of it; 0 for an integer, and for
 * numbers of more than 31 digits or a power of ten beyond 40. */
double fovea_number_rest(const char *text, double value);

/* "%.*f", but 0 has no sign, also where it is rounded to. */
void fovea_fixed(char *out, size_t size, int decimals, double value);

#endif
