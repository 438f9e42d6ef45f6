/* What the reader of a table and the maker of a design have to say, and the words for nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/predictors.h"
#include "stats/table.h"

fovea_status fovea_add_note(char **notes, const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  const int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  const size_t used = *notes ? strlen(*notes) : 0, more = length > 0 ? (size_t)length : 0;
  char *longer = realloc(*notes, used + more + 2);
  if (!longer) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory for a note");
  vsnprintf(longer + used, more + 1, format, arguments);
  memcpy(longer + used + more, "\n", 2);
  *notes = longer;
  return FOVEA_OK;
}

fovea_status fovea_table_note(fovea_table *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fovea_status status = fovea_add_note(&t->notes, format, arguments);
  va_end(arguments);
  return status;
}

fovea_status fovea_design_remark(fovea_design *d, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fovea_status status = fovea_add_note(&d->remarks, format, arguments);
  va_end(arguments);
  return status;
}

bool fovea_table_is_missing(const char *cell) {
  static const char *const words[] = {"",         "NA",   "N/A", "n/a",  "<NA>",   "#N/A",    "NaN",
                                      "nan",      "NAN",  "NaT", "-nan", "-NaN",   "null",    "NULL",
                                      "Null",     "None", "#NA", "?",    "1.#IND", "-1.#IND", "1.#QNAN",
                                      "-1.#QNAN", ".",    "-",   "n.a.", "--",     "#N/A N/A"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(cell, words[i]) == 0) return true;
  return false;
}
