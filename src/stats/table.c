#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "fovea/stats.h"

static const size_t max_file_size = (size_t)1 << 30;

/* Where the reader stands. Fields are unquoted in place: what is written never passes what is read. */
typedef struct reader {
  const char *path;
  char *at, *end;
  size_t line;
} reader;

typedef struct list {
  char **items;
  size_t count, room;
} list;

static fovea_status list_add(list *l, char *item) {
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
static fovea_status read_quoted(reader *in, char **out) {
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

/* Reads one field and what ends it; *last says whether that was the line's end. */
static fovea_status read_field(reader *in, char **field, bool *last) {
  char *to = in->at;
  *field = to;
  if (in->at < in->end && *in->at == '"') {
    fovea_status status = read_quoted(in, &to);
    if (status) return status;
  } else {
    while (in->at < in->end && *in->at != ',' && *in->at != '\n' && *in->at != '"') in->at++;
    to = in->at;
    if (to < in->end && *to == '\n' && to > *field && to[-1] == '\r') to--;
    if (to == in->end && to > *field && to[-1] == '\r') to--;
  }
  if (in->at < in->end && *in->at == '\r' && in->at + 1 < in->end && in->at[1] == '\n') in->at++;
  *last = in->at == in->end || *in->at == '\n';
  if (!*last && *in->at != ',')
    return fovea_fail(FOVEA_INVALID, "%s: line %zu: a quote in the middle of a field; quote the whole field", in->path,
                      in->line);
  if (in->at < in->end) in->line += *in->at++ == '\n';
  *to = 0; /* the file has a zero byte after its end */
  return FOVEA_OK;
}

/* Adds the next line's fields to `fields`; *count is 0 for an empty line. */
static fovea_status read_line(reader *in, list *fields, size_t *count) {
  *count = 0;
  if (*in->at == '\n' || (*in->at == '\r' && in->at + 1 < in->end && in->at[1] == '\n')) {
    in->at += *in->at == '\r' ? 2 : 1;
    in->line++;
    return FOVEA_OK;
  }
  for (bool last = false; !last; ++*count) {
    char *field;
    fovea_status status = read_field(in, &field, &last);
    if (!status) status = list_add(fields, field);
    if (status) return status;
  }
  return FOVEA_OK;
}

/* RFC 3629, overlong forms and surrogates refused. */
static bool is_utf8(const char *text) {
  for (const unsigned char *s = (const unsigned char *)text; *s;) {
    unsigned more = *s < 0x80                 ? 0
                    : *s >= 0xc2 && *s < 0xe0 ? 1
                    : *s >= 0xe0 && *s < 0xf0 ? 2
                    : *s >= 0xf0 && *s < 0xf5 ? 3
                                              : 4;
    if (more == 4) return false;
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f)) return false;
    if ((*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f)) return false;
    for (s++; more; more--, s++)
      if ((*s & 0xc0) != 0x80) return false;
  }
  return true;
}

static fovea_status check_header(const char *path, const list *header) {
  for (size_t i = 0; i < header->count; i++) {
    const char *name = header->items[i];
    if (!*name) return fovea_fail(FOVEA_INVALID, "%s: line 1: column %zu has no name", path, i + 1);
    if (!is_utf8(name))
      return fovea_fail(FOVEA_INVALID, "%s: line 1: the name of column %zu is not UTF-8", path, i + 1);
    if (strpbrk(name, "\r\n"))
      return fovea_fail(FOVEA_INVALID, "%s: line 1: the name of column %zu has a line break in it", path, i + 1);
    for (size_t j = 0; j < i; j++)
      if (strcmp(name, header->items[j]) == 0)
        return fovea_fail(FOVEA_INVALID, "%s: line 1: columns %zu and %zu are both called %s", path, j + 1, i + 1,
                          name);
  }
  return FOVEA_OK;
}

static fovea_status add_line_number(fovea_table *t, size_t *room, size_t line) {
  if (t->rows == *room) {
    size_t more = *room ? 2 * *room : 64;
    size_t *lines = realloc(t->lines, more * sizeof *lines);
    if (!lines) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory for %zu rows", more);
    t->lines = lines;
    *room = more;
  }
  t->lines[t->rows++] = line;
  return FOVEA_OK;
}

static fovea_status read_rows(reader *in, list *cells, fovea_table *t) {
  size_t room = 0;
  while (in->at < in->end) {
    size_t count, line = in->line;
    fovea_status status = read_line(in, cells, &count);
    if (status) return status;
    if (count == 0) continue;
    if (count != t->columns)
      return fovea_fail(FOVEA_INVALID, "%s: line %zu has %zu field%s, the header has %zu%s", in->path, line, count,
                        count == 1 ? "" : "s", t->columns,
                        in->at == in->end && count < t->columns ? "; the last line may be torn: delete it" : "");
    status = add_line_number(t, &room, line);
    if (status) return status;
  }
  if (t->rows == 0) return fovea_fail(FOVEA_INVALID, "%s: a header and no rows", in->path);
  return FOVEA_OK;
}

static fovea_status read_table(reader *in, fovea_table *t) {
  list header = {0}, cells = {0};
  fovea_status status = FOVEA_OK;
  size_t count = 0;
  while (!status && count == 0 && in->at < in->end) status = read_line(in, &header, &count);
  if (!status && count == 0) status = fovea_fail(FOVEA_INVALID, "%s: the file is empty", in->path);
  if (!status) status = check_header(in->path, &header);
  t->names = header.items;
  t->columns = count;
  if (!status) status = read_rows(in, &cells, t);
  t->cells = cells.items;
  return status;
}

fovea_status fovea_table_read(const char *path, fovea_table **table) {
  if (!path || !table) return fovea_fail_null(path ? "table" : "path");
  fovea_table *t = calloc(1, sizeof *t);
  if (!t) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory");
  uint8_t *data = NULL;
  size_t size = 0;
  fovea_status status = fovea_file_read(path, max_file_size, &data, &size);
  if (!status) {
    t->text = (char *)data;
    reader in = {.path = path, .at = t->text, .end = t->text + size, .line = 1};
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) in.at += 3;
    status = memchr(data, 0, size) ? fovea_fail(FOVEA_INVALID, "%s: a zero byte in it; this is no CSV file", path)
                                   : read_table(&in, t);
  }
  if (status) {
    fovea_table_destroy(t);
    return status;
  }
  *table = t;
  return FOVEA_OK;
}

void fovea_table_destroy(fovea_table *table) {
  if (!table) return;
  free(table->names);
  free(table->cells);
  free(table->lines);
  free(table->text);
  free(table);
}
