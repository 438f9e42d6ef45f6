/* Finding out what separates a table's fields. */
#include <string.h>

#include "stats/table.h"

enum { SAMPLE = 30 };

static const char *skip_blanks(const char *s) { return s + strspn(s, " \t"); }

/* After the field at s: at a separator or the line's end. */
static const char *skip_field(const char *s, char separator) {
  const char ends[] = {separator, '\n', separator == FOVEA_TABLE_BLANKS ? '\t' : separator, 0};
  if (separator != '\t') s = skip_blanks(s);
  if (*s != '"') return s + strcspn(s, ends);
  for (s++; *s; s++) {
    if (*s != '"') continue;
    if (s[1] != '"') break;
    s++;
  }
  return s + strcspn(s, ends);
}

static const char *line_after(const char *s, char separator, size_t *fields) {
  for (*fields = 1;; ++*fields) {
    s = skip_field(s, separator);
    if (separator == FOVEA_TABLE_BLANKS) s = skip_blanks(s);
    if (*s == '\r') s++;
    if (!*s || *s == '\n') break;
    s += separator != FOVEA_TABLE_BLANKS;
  }
  return *s ? s + 1 : s;
}

size_t fovea_table_count_fields(const char *text, char separator) {
  size_t fields;
  line_after(text, separator, &fields);
  return fields;
}

/* How many of the first lines, that are no comments, have as many fields as the first; 0 where that is 1, or where a
 * separator of blanks does not fit all of them. */
static size_t agreement(const char *text, char separator, size_t *lines) {
  size_t first = 0, same = 0;
  const char *s = text;
  for (*lines = 0; *s && *lines < SAMPLE;) {
    if (*s == '\n' || *s == '#' || (s[0] == '\r' && s[1] == '\n')) {
      s += strcspn(s, "\n");
      s += *s == '\n';
      continue;
    }
    size_t fields;
    s = line_after(s, separator, &fields);
    if (++*lines == 1) first = fields;
    same += fields == first || (first > 1 && fields == first + 1); /* row names, or a separator at the end */
  }
  if (first == 1 || (separator == FOVEA_TABLE_BLANKS && same < *lines)) return 0;
  return same;
}

char fovea_table_find_separator(const char *text) {
  /* a comma is often found in the numbers of a table that another separates, hardly ever the other way */
  static const char candidates[] = {'\t', ';', '|', ',', FOVEA_TABLE_BLANKS};
  size_t best = 0, lines;
  char separator = ',';
  for (size_t i = 0; i < sizeof candidates; i++) {
    const size_t same = agreement(text, candidates[i], &lines);
    if (same > best) best = same, separator = candidates[i];
  }
  return separator;
}
