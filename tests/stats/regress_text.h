/* Comparing a printed summary with statsmodels' byte for byte, apart from when it was made. */
#ifndef FOVEA_TESTS_REGRESS_TEXT_H
#define FOVEA_TESTS_REGRESS_TEXT_H

#include <ctype.h>
#include <string.h>

#include "stats/regress_cases.h"

static inline void regress_blank(char *from, const char *to) {
  for (; from < to; from++)
    if (isalnum((unsigned char)*from)) *from = '#';
}

/* Blanks the values of Date: and Time:, and of what is rounding noise in a singular design. */
static inline void regress_blank_noise(char *text, regress_noise noise) {
  char *date = strstr(text, "\nDate:"), *clock = strstr(text, "\nTime:");
  if (date && strstr(date, "  Prob (F")) regress_blank(date + 6, strstr(date, "  Prob (F"));
  if (clock && strstr(clock, "  Log-L")) regress_blank(clock + 6, strstr(clock, "  Log-L"));
  char *condition = strstr(text, "Cond. No."), *eigenvalue = strstr(text, "smallest eigenvalue is ");
  if (noise != NOISY_CONDITION) return;
  if (condition) regress_blank(condition + 9, strchr(condition, '\n'));
  if (eigenvalue) regress_blank(eigenvalue + 23, strstr(eigenvalue, ". This"));
}

/* 0 when equal, else the number of the first line that is not; of an exact fit only the notes are compared. */
static inline int regress_first_difference(char *got, char *expected, regress_noise noise) {
  regress_blank_noise(got, noise);
  regress_blank_noise(expected, noise);
  if (noise == NOISY_RESIDUALS) {
    char *a = strstr(got, "\nNotes:"), *b = strstr(expected, "\nNotes:");
    if (!a || !b) return 1;
    if (strstr(a, "eigenvalue is ")) strstr(a, "eigenvalue is ")[14] = 0;
    if (strstr(b, "eigenvalue is ")) strstr(b, "eigenvalue is ")[14] = 0;
    return strcmp(a, b) ? 1 : 0;
  }
  int line = 1;
  for (; *got == *expected; got++, expected++) {
    if (!*got) return 0;
    line += *got == '\n';
  }
  return line;
}

#endif
