/* What a table's reader has to say, and the words for nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/table.h"

fovea_status fovea_table_note(fovea_table *t, const char *format, ...) {
  char note[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(note, sizeof note, format, arguments);
  va_end(arguments);
  const size_t used = t->notes ? strlen(t->notes) : 0, more = strlen(note);
  char *notes = realloc(t->notes, used + more + 2);
  if (!notes) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory for a note");
  memcpy(notes + used, note, more);
  memcpy(notes + used + more, "\n", 2);
  t->notes = notes;
  return FOVEA_OK;
}

bool fovea_table_is_missing(const char *cell) {
  static const char *const words[] = {"",     "NA",   "N/A",  "n/a",  "<NA>", "#N/A", "NaN", "nan", "NAN",
                                      "-nan", "-NaN", "null", "NULL", "Null", "None", "?",   ".",   "-"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(cell, words[i]) == 0) return true;
  return false;
}
