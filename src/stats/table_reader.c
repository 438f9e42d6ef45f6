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

/* Whether the three bytes are a blank, or a character that is not seen: U+2000 to U+200F, U+2028 to U+202F, U+205F to
 * U+206F, U+3000, U+FEFF. */
static bool is_unseen(const char *bytes) {
  const unsigned char *s = (const unsigned char *)bytes, last = s[2];
  if (s[0] == 0xe2 && s[1] == 0x80) return last <= 0x8f || (last >= 0xa8 && last <= 0xaf);
  if (s[0] == 0xe2 && s[1] == 0x81) return last >= 0x9f && last <= 0xaf;
  return memcmp(bytes, "\xe3\x80\x80", 3) == 0 || memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
}

static bool is_hard_blank(const char *bytes) { return memcmp(bytes, "\xc2\xa0", 2) == 0; }

/* How many bytes the blank at the front of a field has, and the one at its end; 0: there is none. */
static size_t blank_at(const fovea_table_reader *in, const char *from, const char *to) {
  if (to > from && is_blank(in, *from)) return 1;
  if (to - from >= 2 && is_hard_blank(from)) return 2;
  return to - from >= 3 && is_unseen(from) ? 3 : 0;
}

static size_t blank_before(const fovea_table_reader *in, const char *from, const char *to) {
  if (to > from && is_blank(in, to[-1])) return 1;
  if (to - from >= 2 && is_hard_blank(to - 2)) return 2;
  return to - from >= 3 && is_unseen(to - 3) ? 3 : 0;
}

/* Leaves out the blanks around a field's text from *from to *to, and counts words that had any. */
static void trim(fovea_table_reader *in, char **from, char **to, bool had_blanks) {
  const char *end = *to;
  for (size_t n; (n = blank_before(in, *from, *to)) > 0;) *to -= n;
  for (size_t n; (n = blank_at(in, *from, *to)) > 0; had_blanks = true) *from += n;
  const bool number = strchr("0123456789+-.", **from) != NULL;
  in->trimmed += (had_blanks || *to < end) && *to > *from && !number;
}

/* An unquoted field; `in` stops at what ends it. */
static char *read_plain(fovea_table_reader *in) {
  const char *from = in->at;
  while (in->at < in->end && !ends_field(in, *in->at) && *in->at != '"') in->at++;
  char *to = in->at;
  if (to == in->end || *to == '\n')
    while (to > from && to[-1] == '\r') to--;
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
    to = read_plain(in);
  }
  trim(in, field, &to, !*quoted && before < *field && in->separator != FOVEA_TABLE_BLANKS);
  const char *stop = in->at;
  if (in->separator == FOVEA_TABLE_BLANKS) skip_blanks(in); /* those before the next field, or the line's end */
  const size_t returns = strspn(in->at, "\r");              /* two where a program wrote \r\n as text on Windows */
  if (in->at + returns == in->end || in->at[returns] == '\n') in->at += returns;
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
