#include "stats/integers.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

/* Its digits, less zeros in front; where the values are equal, so are the signs. */
typedef struct integer {
  double value;
  const char *digits;
  size_t length, row;
} integer;

static const char *cell(const fovea_table *t, size_t row, size_t column) { return t->cells[row * t->columns + column]; }

static bool read_integer(const char *text, integer *i) {
  text += strspn(text, " \t");
  text += *text == '+' || *text == '-';
  i->digits = text + strspn(text, "0");
  i->length = strspn(i->digits, "0123456789");
  const char *end = i->digits + i->length;
  return end[strspn(end, " \t")] == 0;
}

static bool is_rounded(const integer *i) {
  char exact[DBL_MAX_10_EXP + 3];
  if (i->length <= DBL_DIG) return false;
  const int length = snprintf(exact, sizeof exact, "%.0f", fabs(i->value));
  return (size_t)length != i->length || memcmp(exact, i->digits, i->length) != 0;
}

static int by_value(const void *a, const void *b) {
  const integer *x = a, *y = b;
  if (x->value < y->value || x->value > y->value) return x->value > y->value ? 1 : -1;
  return (x->row > y->row) - (x->row < y->row);
}

static fovea_status check_different(const fovea_table *t, size_t column, integer *integers, size_t count) {
  qsort(integers, count, sizeof *integers, by_value);
  for (size_t i = 1; i < count; i++) {
    const integer *a = &integers[i - 1], *b = &integers[i];
    if (a->value < b->value || (a->length == b->length && memcmp(a->digits, b->digits, a->length) == 0)) continue;
    return fovea_fail(
        FOVEA_INVALID,
        "line %zu, column %s: \"%s\" and line %zu's \"%s\" are the same number in double precision, which "
        "keeps %d digits of any number; subtract a constant from the column",
        t->lines[b->row], t->names[column], cell(t, b->row, column), t->lines[a->row], cell(t, a->row, column),
        DBL_DIG);
  }
  return FOVEA_OK;
}

fovea_status fovea_integers_check(const fovea_table *t, size_t column, const double *values, size_t *rounded) {
  size_t count = 0;
  *rounded = SIZE_MAX;
  integer *integers = malloc(t->rows * sizeof *integers);
  if (!integers) return fovea_fail(FOVEA_NO_MEMORY, "design: no memory");
  for (size_t row = 0; row < t->rows; row++) {
    integer *i = &integers[count];
    *i = (integer){.value = values[row], .row = row};
    if (!read_integer(cell(t, row, column), i)) continue;
    count++;
    if (*rounded == SIZE_MAX && is_rounded(i)) *rounded = row;
  }
  fovea_status status = *rounded == SIZE_MAX ? FOVEA_OK : check_different(t, column, integers, count);
  free(integers);
  return status;
}
