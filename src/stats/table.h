/* Between the files that read a table. */
#ifndef FOVEA_STATS_TABLE_H
#define FOVEA_STATS_TABLE_H

#include <stdarg.h>

#include "fovea/stats.h"

/* --- table_text.c ------------------------------------------------------------------------------------------------ */

/* The text of the file at `path`, of standard input for "-", uncompressed: *size bytes of the caller's and a zero byte,
 * lines ended by \n or \r\n. *start is where it begins, after a byte order mark. */
fovea_status fovea_table_load(const char *path, char **text, char **start, size_t *size);

/* FOVEA_INVALID, saying so, for text that is not UTF-8 or has a control character other than, where `breaks`, tab and
 * line break. `what`: "line 3, column a". */
fovea_status fovea_table_check_text(const char *path, const char *what, const char *text, bool breaks);

/* --- table_separator.c ------------------------------------------------------------------------------------------- */

/* Blanks: any number of blanks and tabs. */
enum { FOVEA_TABLE_BLANKS = ' ' };

/* What separates the fields of the lines from `text` on: a comma, semicolon, tab, bar, or blanks. */
char fovea_table_find_separator(const char *text);
/* How many fields the line at `text` has. */
size_t fovea_table_count_fields(const char *text, char separator);

/* --- table_numbers.c --------------------------------------------------------------------------------------------- */

/* Rewrites numbers with a decimal comma or with thousands separators as C has them, column by column. `ascii`: the text
 * has no other character. */
fovea_status fovea_table_normalize_numbers(const char *path, fovea_table *t, char separator, char decimal, bool ascii);

/* --- table_notes.c ----------------------------------------------------------------------------------------------- */

/* Adds a sentence to t->notes. */
fovea_status fovea_table_note(fovea_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a sentence, and a newline, to *notes, which may be NULL. */
fovea_status fovea_add_note(char **notes, const char *format, va_list arguments);

/* One of the words that stand for a missing value. */
bool fovea_table_is_missing(const char *cell);

#endif
