#include "stats/table_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

fovea_status fovea_table_add_field(fovea_table_fields *l, char *item) {
  if (l->count == l->room) {
    size_t room = l->room ? 2 * l->room : 64;
    char **items = realloc(l->items, room * sizeof *items);
    if (!items) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory for %zu cells", room);
    l->items = items;
    l->room = room;
  }
  l->items[l->count++] = item;
  return FOVEA_OK;
}

/* Reads a field that starts with a quote; `in` stops after the closing one. */
static fovea_status read_quoted(fovea_table_reader *in, char **out) {
  size_t start = in->line;
  char *to = *out;
  for (in->at++; in->at < in->end; in->at++) {
    if (*in->at == '"' && !(in->at + 1 < in->end && in->at[1] == '"')) {
      in->at++;
      *out = to;
      return FOVEA_OK;
    }
    if (*in->at == '"') in->at++;
    if (*in->at == '\n') in->line++;
    *to++ = *in->at;
  }
  return fovea_fail(FOVEA_INVALID, "%s: line %zu: a quote is not closed before the end of the file", in->path, start);
}

static bool is_blank(const fovea_table_reader *in, char c) { return c == ' ' || (c == '\t' && in->separator != '\t'); }

static bool ends_field(const fovea_table_reader *in, char c) {
  return c == '\n' || c == in->separator || (c == '\t' && in->separator == FOVEA_TABLE_BLANKS);
}

static void skip_blanks(fovea_table_reader *in) {
  while (in->at < in->end && is_blank(in, *in->at)) in->at++;
}

/* An unquoted field, without the blanks around it; `in` stops at what ends it. */
static char *read_plain(fovea_table_reader *in, bool blanks_before) {
  char *from = in->at;
  while (in->at < in->end && !ends_field(in, *in->at) && *in->at != '"') in->at++;
  char *to = in->at;
  if (to > from && to[-1] == '\r' && (to == in->end || *to == '\n')) to--;
  const char *end = to;
  while (to > from && is_blank(in, to[-1])) to--;
  const bool number = strchr("0123456789+-.", *from) != NULL;
  in->trimmed += (blanks_before || to < end) && to > from && !number;
  return to;
}

/* Reads one field and what ends it; *last says whether that was the line's end. */
static fovea_status read_field(fovea_table_reader *in, char **field, bool *quoted, bool *last) {
  const char *before = in->at;
  skip_blanks(in);
  char *to = in->at;
  *field = to;
  *quoted = in->at < in->end && *in->at == '"';
  if (*quoted) {
    fovea_status status = read_quoted(in, &to);
    if (status) return status;
    if (in->separator != FOVEA_TABLE_BLANKS) skip_blanks(in);
  } else {
    to = read_plain(in, before < in->at && in->separator != FOVEA_TABLE_BLANKS);
  }
  const char *stop = in->at;
  if (in->separator == FOVEA_TABLE_BLANKS) skip_blanks(in); /* those before the next field, or the line's end */
  if (in->at < in->end && *in->at == '\r' && (in->at + 1 == in->end || in->at[1] == '\n')) in->at++;
  *last = in->at == in->end || *in->at == '\n';
  const bool separated = in->separator == FOVEA_TABLE_BLANKS ? in->at > stop : !*last && *in->at == in->separator;
  if (!*last && !separated)
    return fovea_fail(FOVEA_INVALID, "%s: line %zu: a quote in the middle of a field; quote the whole field", in->path,
                      in->line);
  if (in->at < in->end && (*last || in->separator != FOVEA_TABLE_BLANKS)) in->line += *in->at++ == '\n';
  *to = 0; /* the file has a zero byte after its end */
  return FOVEA_OK;
}

/* Passes over an empty line or a comment. */
static bool skip_line(fovea_table_reader *in) {
  char *s = in->at;
  while (s < in->end && (*s == ' ' || *s == '\r' || (*s == '\t' && in->separator == FOVEA_TABLE_BLANKS))) s++;
  const bool comment =
      s < in->end && *s == '#' && (in->fields < 2 || fovea_table_count_fields(in->at, in->separator) != in->fields);
  if (s < in->end && *s != '\n' && !comment) return false;
  in->comments += comment;
  while (s < in->end && *s != '\n') s++;
  in->at = s < in->end ? s + 1 : s;
  in->line++;
  return true;
}

/* Adds the next line's fields to `fields`; *count is 0 for a line that is passed over. */
fovea_status fovea_table_read_line(fovea_table_reader *in, fovea_table_fields *fields, size_t *count) {
  *count = 0;
  if (skip_line(in)) return FOVEA_OK;
  for (bool last = false, quoted; !last; ++*count) {
    char *field;
    fovea_status status = read_field(in, &field, &quoted, &last);
    if (!status) status = fovea_table_add_field(fields, field);
    if (status) return status;
    fields->quoted = fields->quoted || quoted;
  }
  return FOVEA_OK;
}
