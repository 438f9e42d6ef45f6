/* Images as lines of numbers, as Kaggle's digits: label,pixel0,...,pixel783. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "data/foreign.h"
#include "data/source.h"

enum { BUFFER = 65536, FIRST_LINE = 1 << 22, LOOK = 1 << 16, FEW = 4, WIDE = 10, MOST_LABEL = 65535 };

/* ---- characters ------------------------------------------------------------------------------------------------- */

typedef struct csv {
  const char *path; /* borrowed */
  fovea_stream stream;
  uint8_t buffer[BUFFER];
  size_t at, end;
  size_t line;  /* from 1 on */
  char between; /* what is between numbers */
  bool header;
  size_t columns, label, id; /* places of the columns; `columns` for none */
  fovea_shape shape;
  uint8_t *row; /* the pixels of a line */
} csv;

/* The next character, or -1 at the end. */
static fovea_status peek(csv *c, int *character) {
  fovea_status status = FOVEA_OK;
  if (c->at == c->end) {
    status = c->stream.read(c->stream.of, c->buffer, BUFFER, &c->end);
    c->at = 0;
  }
  *character = status == FOVEA_OK && c->at < c->end ? c->buffer[c->at] : -1;
  return status;
}

static void csv_close(void *of) {
  csv *c = of;
  if (c->stream.close != NULL) c->stream.close(c->stream.of);
  free(c->row);
  free(c);
}

static fovea_status rewind_to_data(csv *c) {
  if (c->stream.close != NULL) c->stream.close(c->stream.of);
  c->stream.close = NULL;
  c->at = c->end = 0;
  c->line = 1;
  fovea_status status = fovea_stream_open(c->path, &c->stream);
  int character = 0;
  for (bool skipping = c->header; status == FOVEA_OK && skipping && character >= 0;) {
    status = peek(c, &character);
    skipping = character != '\n';
    c->at++;
  }
  c->line += c->header;
  return status;
}

/* ---- a line ----------------------------------------------------------------------------------------------------- */

static fovea_status bad_number(const csv *c, size_t column, const char *text) {
  if (column == c->label)
    return fovea_fail(FOVEA_INVALID,
                      "'%s', line %zu, column %zu: '%.20s' is no label; labels are whole numbers from 0 to %d: number "
                      "the classes",
                      c->path, c->line, column + 1, text, MOST_LABEL);
  return fovea_fail(FOVEA_INVALID,
                    "'%s', line %zu, column %zu: '%.20s' is no pixel; expected are whole numbers from 0 to "
                    "255 (multiply numbers from 0 to 1 by 255)",
                    c->path, c->line, column + 1, text);
}

/* A field: a number of digits, perhaps in quotes, perhaps with a fraction of zeros. */
static fovea_status read_field(csv *c, size_t column, uint32_t *value, int *after) {
  char text[24];
  size_t n = 0;
  for (;;) {
    const fovea_status status = peek(c, after);
    if (status != FOVEA_OK) return status;
    if (*after < 0 || *after == c->between || *after == '\n') break;
    if (n < sizeof text - 1) text[n++] = (char)*after;
    c->at++;
  }
  while (n > 0 && isspace((unsigned char)text[n - 1])) n--;
  text[n] = '\0';
  const char *digits = text + strspn(text, " \"");
  size_t k = 0;
  *value = 0;
  for (; k < 6 && isdigit((unsigned char)digits[k]); k++) *value = 10 * *value + (uint32_t)(digits[k] - '0');
  const char *rest = digits + k;
  if (*rest == '.') rest += 1 + strspn(rest + 1, "0");
  if (k == 0 || rest[strspn(rest, "\"")] != '\0' || *value > MOST_LABEL) return bad_number(c, column, text);
  return FOVEA_OK;
}

/* One line: *more is false at the end of the file. */
static fovea_status read_line(csv *c, bool *more, uint16_t *label) {
  int after = 0;
  size_t pixel = 0;
  fovea_status status = peek(c, &after);
  while (status == FOVEA_OK && (after == '\n' || after == '\r')) { /* empty lines */
    c->line += after == '\n';
    c->at++;
    status = peek(c, &after);
  }
  *more = after >= 0;
  if (status != FOVEA_OK || !*more) return status;
  for (size_t column = 0; column < c->columns; column++) {
    uint32_t value = 0;
    status = read_field(c, column, &value, &after);
    if (status != FOVEA_OK && column != c->id) return status;
    if (column == c->label)
      *label = (uint16_t)value;
    else if (column != c->id && value > 255)
      return fovea_fail(FOVEA_INVALID, "'%s', line %zu, column %zu: %u is no pixel; expected are 0 to 255", c->path,
                        c->line, column + 1, (unsigned)value);
    else if (column != c->id)
      c->row[pixel++] = (uint8_t)value;
    if (column + 1 < c->columns && after != c->between)
      return fovea_fail(FOVEA_INVALID, "'%s', line %zu has %zu columns, the first line has %zu", c->path, c->line,
                        column + 1, c->columns);
    if (after == c->between) c->at++;
  }
  if (after == c->between)
    return fovea_fail(FOVEA_INVALID, "'%s', line %zu has more columns than the first line's %zu", c->path, c->line,
                      c->columns);
  c->at += after == '\n';
  c->line++;
  return FOVEA_OK;
}

/* ---- the first line --------------------------------------------------------------------------------------------- */

static bool names_label(const char *field, size_t n) {
  static const char *const names[] = {"label", "labels", "class", "target", "y", "digit"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i]) == n && strncasecmp(field, names[i], n) == 0) return true;
  return false;
}

/* A field without quotes and blanks. */
static size_t trim(const char **field, size_t n) {
  while (n > 0 && strchr(" \t\r\"", (*field)[0]) != NULL) (*field)++, n--;
  while (n > 0 && strchr(" \t\r\"", (*field)[n - 1]) != NULL) n--;
  return n;
}

static void read_names(csv *c, const char *line) {
  const char between[] = {c->between, '\0'};
  c->columns = 0;
  c->label = c->id = SIZE_MAX;
  for (;;) {
    const size_t whole = strcspn(line, between);
    const char *field = line;
    const size_t n = trim(&field, whole);
    if (n > 0 && !isdigit((unsigned char)field[0])) c->header = true;
    if (names_label(field, n)) c->label = c->columns;
    if (n == 2 && strncasecmp(field, "id", 2) == 0) c->id = c->columns;
    c->columns++;
    if (line[whole] == '\0') break;
    line += whole + 1;
  }
}

static bool is_square(size_t n) {
  size_t side = 0;
  while (side * side < n) side++;
  return side * side == n;
}

/* Without a header the first column is the label where a column more than an image is there. */
static void guess_label(csv *c, const fovea_load_options *o) {
  const size_t size = (size_t)o->height * (size_t)o->width, n = c->columns - 1;
  if (c->label != SIZE_MAX || c->header) return;
  const bool whole =
      size > 0 ? n % size == 0 : is_square(n) || (n % 3 == 0 && is_square(n / 3) && !is_square(c->columns));
  if (whole && n > 0) c->label = 0;
}

/* The first line, without its end. */
static fovea_status first_line(csv *c, char **line) {
  size_t n = 0, room = 4096;
  int character = 0;
  *line = calloc(room, 1);
  fovea_status status = *line == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", c->path) : FOVEA_OK;
  while (status == FOVEA_OK) {
    status = peek(c, &character);
    if (status != FOVEA_OK || character < 0 || character == '\n') break;
    if (character == '\0' || n == FIRST_LINE)
      return fovea_fail(FOVEA_INVALID, "'%s' is no table of numbers: its first line %s", c->path,
                        n == FIRST_LINE ? "does not end" : "has a zero byte");
    if (n + 2 > room) {
      char *grown = realloc(*line, room *= 2);
      if (grown == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", c->path);
      *line = grown;
    }
    (*line)[n++] = (char)character;
    c->at++;
  }
  if (*line != NULL) (*line)[n] = '\0';
  return status;
}

static char separator_of(const char *line) {
  return (char)(strchr(line, ',') != NULL    ? ','
                : strchr(line, ';') != NULL  ? ';'
                : strchr(line, '\t') != NULL ? '\t'
                                             : ' ');
}

static fovea_status read_header(csv *c, const fovea_load_options *o) {
  char *line = NULL;
  fovea_status status = fovea_foreign_check(c->path);
  if (status == FOVEA_OK) status = rewind_to_data(c);
  if (status == FOVEA_OK) status = first_line(c, &line);
  if (status == FOVEA_OK) {
    const bool mark = strncmp(line, "\xef\xbb\xbf", 3) == 0;
    c->between = separator_of(line);
    read_names(c, mark ? line + 3 : line);
    guess_label(c, o);
    if (c->columns < FEW)
      status = fovea_fail(FOVEA_INVALID, "'%s' has %zu columns, too few for a pixel in each", c->path, c->columns);
  }
  free(line);
  return status;
}

/* ---- the source ------------------------------------------------------------------------------------------------- */

static fovea_status csv_next(void *of, uint8_t *pixels) {
  csv *c = of;
  bool more = true;
  uint16_t label;
  if (pixels == NULL) return FOVEA_OK; /* the first pass saw the end */
  fovea_status status = read_line(c, &more, &label);
  if (status != FOVEA_OK) return status;
  if (!more) return fovea_fail(FOVEA_INVALID, "'%s' has become shorter while it was read", c->path);
  const size_t n = (size_t)c->shape.channels * (size_t)c->shape.height * (size_t)c->shape.width;
  for (size_t i = 0; i < n; i++) pixels[i] = c->row[fovea_shape_place(&c->shape, i)];
  return FOVEA_OK;
}

/* Counts the lines and keeps their labels. */
static fovea_status first_pass(csv *c, fovea_source *source) {
  fovea_status status = rewind_to_data(c);
  size_t room = 0;
  for (bool more = true; status == FOVEA_OK;) {
    uint16_t label = 0;
    status = read_line(c, &more, &label);
    if (status != FOVEA_OK || !more) break;
    if (source->count == UINT32_MAX) return fovea_fail(FOVEA_INVALID, "'%s' has more than 2^32 - 1 lines", c->path);
    if (c->label != SIZE_MAX && source->count == room) {
      uint16_t *grown = realloc(source->labels, (room = room == 0 ? 1024 : 2 * room) * sizeof *grown);
      if (grown == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", room);
      source->labels = grown;
    }
    if (c->label != SIZE_MAX) source->labels[source->count] = label;
    source->count++;
  }
  if (status == FOVEA_OK && source->count == 0)
    status = fovea_fail(FOVEA_INVALID, "'%s' has no line of numbers", c->path);
  return status == FOVEA_OK ? rewind_to_data(c) : status;
}

static fovea_status begin(csv *c, const fovea_load_options *o, fovea_data_report *report, fovea_source *source) {
  char name[FOVEA_ARRAY_NAME];
  snprintf(name, sizeof name, "'%.500s'", c->path);
  fovea_status status = read_header(c, o);
  const size_t pixels = c->columns - (c->label != SIZE_MAX) - (c->id != SIZE_MAX);
  if (status == FOVEA_OK) status = fovea_shape_find(name, &pixels, 1, o, report, &c->shape);
  if (status == FOVEA_OK && (c->row = malloc(pixels)) == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for a line of '%s'", c->path);
  if (status == FOVEA_OK) status = first_pass(c, source);
  if (status == FOVEA_OK && c->id != SIZE_MAX)
    status = fovea_report_remark(report, "'%s': the column 'id' is not used", c->path);
  return status;
}

fovea_status fovea_csv_source(const char *path, const fovea_load_options *options, fovea_data_report *report,
                              fovea_source *source) {
  csv *c = calloc(1, sizeof *c);
  *source = (fovea_source){.of = c, .next = csv_next, .close = csv_close};
  if (c == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", path);
  c->path = path;
  fovea_status status = begin(c, options, report, source);
  source->channels = c->shape.channels;
  source->height = c->shape.height;
  source->width = c->shape.width;
  if (status != FOVEA_OK) fovea_source_close(source);
  return status;
}

/* Past the first field, which is a word: what is a label to its owner is for the reader to refuse. */
static bool skip_word(csv *c, int *character) {
  while (peek(c, character) == FOVEA_OK && *character >= 0 && *character != '\n' && *character != c->between) c->at++;
  if (*character != c->between) return false;
  c->at++;
  return peek(c, character) == FOVEA_OK;
}

/* Many columns, and a line of numbers, which a list of files has not. */
bool fovea_csv_looks(const char *path) {
  static const fovea_load_options none = {0};
  csv *c = calloc(1, sizeof *c);
  int character = -1;
  if (c == NULL) return false;
  c->path = path;
  bool looks = read_header(c, &none) == FOVEA_OK && rewind_to_data(c) == FOVEA_OK && peek(c, &character) == FOVEA_OK;
  if (looks && c->label == 0 && isalpha(character) && c->columns >= WIDE) looks = skip_word(c, &character);
  looks = looks && (c->id != SIZE_MAX || (character > 0 && strchr("0123456789-\"", character) != NULL));
  csv_close(c);
  return looks;
}
