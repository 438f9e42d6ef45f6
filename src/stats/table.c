/* Reading a table: its header, its rows, and what programs add to both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/numbers.h"
#include "stats/table_reader.h"

/* --- the header --------------------------------------------------------------------------------------------------- */

/* All are numbers, or one has a fraction: no name of a column, as a year is one. */
static bool has_numbers(const fovea_table_fields *l) {
  double value;
  size_t numbers = 0, fractions = 0;
  for (size_t i = 0; i < l->count; i++) {
    const bool number = fovea_number_parse(l->items[i], &value) == FOVEA_NUMBER_FINITE;
    numbers += number;
    fractions += number && strpbrk(l->items[i], ".eE");
  }
  return !l->quoted && (numbers == l->count || fractions > 0);
}

/* x1, x2, ... */
static fovea_status make_names(fovea_table *t, size_t count, fovea_table_fields *header) {
  enum { SIZE = 24 };
  t->made = malloc(count * SIZE);
  if (!t->made) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory for %zu names", count);
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < count && !status; i++) {
    snprintf(t->made + i * SIZE, SIZE, "x%zu", i + 1);
    status = fovea_table_add_field(header, t->made + i * SIZE);
  }
  return status;
}

/* The last comment before the first line that is none, after its #; NULL: there is none. */
static char *comment_before(char *s) {
  char *comment = NULL;
  while (*s) {
    const size_t blank = strspn(s, " \t\r");
    if (s[blank] != '#' && s[blank] != '\n') break;
    if (s[blank] == '#') comment = s + blank + strspn(s + blank, "# \t");
    s += strcspn(s, "\n");
    s += *s == '\n';
  }
  return comment;
}

/* The names in a comment before a first line of `count` numbers, "# a b c", as numpy writes them; none if they are not
 * as many. */
static fovea_status read_names(fovea_table_reader in, char *comment, size_t count, fovea_table_fields *header) {
  in.at = comment;
  if (fovea_table_count_fields(comment, in.separator) != count) return FOVEA_OK;
  return fovea_table_read_line(&in, header, &count);
}

/* The table's header; a first line that is none becomes the first of `cells`, *line its number. */
static fovea_status read_header(fovea_table_reader *in, const fovea_table_options *o, fovea_table_fields *header,
                                fovea_table_fields *cells, fovea_table *t, size_t *line) {
  char *comment = comment_before(in->at);
  size_t count = 0;
  fovea_status status = FOVEA_OK;
  while (!status && count == 0 && in->at < in->end) {
    *line = in->line;
    status = fovea_table_read_line(in, cells, &count);
  }
  if (status) return status;
  if (count == 0) return fovea_fail(FOVEA_INVALID, "%s: the file is empty", in->path);
  const bool numbers = has_numbers(cells);
  if (o->no_header) {
    status = make_names(t, count, header);
  } else if (numbers && comment) {
    status = read_names(*in, comment, count, header);
    if (header->count) in->comments--;
    if (!status && header->count)
      status = fovea_table_note(t, "the names of the columns are those of the comment above them");
  }
  if (status || header->count) return status;
  if (numbers)
    return fovea_fail(
        FOVEA_INVALID,
        "%s: line %zu: the names of the columns are numbers (%s%s%s); --no-header reads that line as a row", in->path,
        *line, cells->items[0], count > 1 ? ", " : "", count > 1 ? cells->items[1] : "");
  *header = *cells;
  *cells = (fovea_table_fields){0};
  return FOVEA_OK;
}

static fovea_status check_header(const char *path, size_t line, const fovea_table *t) {
  char what[64];
  for (size_t i = 0; i < t->columns; i++) {
    const char *name = t->names[i];
    if (!*name) return fovea_fail(FOVEA_INVALID, "%s: line %zu: column %zu has no name", path, line, i + 1);
    snprintf(what, sizeof what, "line %zu: the name of column %zu", line, i + 1);
    fovea_status status = fovea_table_check_text(path, what, name, false);
    if (status) return status;
    for (size_t j = 0; j < i; j++)
      if (strcmp(name, t->names[j]) == 0)
        return fovea_fail(FOVEA_INVALID, "%s: line %zu: columns %zu and %zu are both called %s", path, line, j + 1,
                          i + 1, name);
  }
  return FOVEA_OK;
}

/* --- the rows ------------------------------------------------------------------------------------------------------
 */

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

/* The rows, each with as many fields as the first: as the header's names, or one more (take_apart). */
static fovea_status read_rows(fovea_table_reader *in, fovea_table_fields *cells, fovea_table *t, size_t first_line,
                              size_t *fields) {
  size_t room = 0, named = t->columns;
  fovea_status status = FOVEA_OK;
  *fields = cells->count ? cells->count : 0;
  if (cells->count) status = add_line_number(t, &room, first_line);
  in->fields = named;
  while (!status && in->at < in->end) {
    size_t count, line = in->line;
    status = fovea_table_read_line(in, cells, &count);
    if (status || count == 0) continue;
    if (*fields == 0) *fields = count == named + 1 ? count : named;
    in->fields = *fields;
    if (count != *fields)
      return fovea_fail(FOVEA_INVALID, "%s: line %zu has %zu field%s, the header has %zu%s", in->path, line, count,
                        count == 1 ? "" : "s", named,
                        in->at == in->end && count < *fields ? "; the last line may be torn: delete it"
                        : named == 1                         ? "; a title above the names is to be deleted"
                                                             : "");
    status = add_line_number(t, &room, line);
  }
  if (!status && (t->rows == 0 || !cells->items))
    status = fovea_fail(FOVEA_INVALID, "%s: a header and no rows", in->path);
  return status;
}

static bool column_is_empty(char *const *cells, size_t rows, size_t columns, size_t column) {
  for (size_t i = 0; i < rows; i++)
    if (*cells[i * columns + column]) return false;
  return true;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The first cells of the rows; also false without memory. */
static bool all_differ(char *const *cells, size_t rows, size_t columns) {
  char **first = malloc(rows * sizeof *first);
  if (!first) return false;
  for (size_t i = 0; i < rows; i++) first[i] = cells[i * columns];
  qsort(first, rows, sizeof *first, by_text);
  bool differ = true;
  for (size_t i = 1; i < rows; i++) differ = differ && strcmp(first[i], first[i - 1]) != 0;
  free(first);
  return differ;
}

/* Removes a column of cells, whose rows have `columns` fields. */
static void drop_cells(char **cells, size_t rows, size_t columns, size_t column) {
  char **to = cells;
  for (size_t i = 0; i < rows * columns; i++)
    if (i % columns != column) *to++ = cells[i];
}

/* Leaves out what programs add: a separator at the end of each line, and the names or numbers of rows in a first column
 * that itself has no name. */
static fovea_status take_apart(const char *path, fovea_table *t, size_t fields) {
  const size_t last = fields - 1;
  const bool named_last = fields == t->columns && *t->names[last], named_first = fields == t->columns && *t->names[0];
  size_t column = fields;
  if (fields > 1 && !named_last && column_is_empty(t->cells, t->rows, fields, last))
    column = last;
  else if (fields > 1 && !named_first)
    column = 0;
  if (column == fields) return FOVEA_OK;
  if (fields > t->columns && column == 0 && !all_differ(t->cells, t->rows, fields))
    return fovea_fail(
        FOVEA_INVALID,
        "%s: line %zu has %zu fields, the header has %zu; the first ones are no names of rows, since some are alike",
        path, t->lines[0], fields, t->columns);
  drop_cells(t->cells, t->rows, fields, column);
  if (fields == t->columns) {
    memmove(t->names + column, t->names + column + 1, (t->columns - column - 1) * sizeof *t->names);
    t->columns--;
  }
  return column ? fovea_table_note(t, "the separator at the end of each line is passed over")
                : fovea_table_note(t, "the first column has no name: it numbers or names the rows, and is left out");
}

/* pandas calls an index that was written without a name so when it reads it again. */
static fovea_status drop_index(fovea_table *t) {
  if (t->columns < 2 || strcmp(t->names[0], "Unnamed: 0") != 0) return FOVEA_OK;
  drop_cells(t->cells, t->rows, t->columns, 0);
  memmove(t->names, t->names + 1, --t->columns * sizeof *t->names);
  return fovea_table_note(t, "the column Unnamed: 0 numbers the rows, and is left out");
}

/* --- the whole -----------------------------------------------------------------------------------------------------
 */

static bool is_plain_text(const fovea_table_reader *in) {
  for (const char *s = in->at; s < in->end; s++)
    if ((unsigned char)*s >= 0x7f || ((unsigned char)*s < 0x20 && *s != '\n' && *s != '\r' && *s != '\t')) return false;
  return true;
}

static fovea_status check_cells(const char *path, const fovea_table *t) {
  for (size_t i = 0; i < t->rows * t->columns; i++) {
    char what[128];
    snprintf(what, sizeof what, "line %zu, column %.80s", t->lines[i / t->columns], t->names[i % t->columns]);
    fovea_status status = fovea_table_check_text(path, what, t->cells[i], true);
    if (status) return status;
  }
  return FOVEA_OK;
}

static const char *separator_name(char separator) {
  return separator == ';' ? "semicolons" : separator == '\t' ? "tabs" : separator == '|' ? "bars" : "blanks";
}

static fovea_status note_reader(const fovea_table_reader *in, fovea_table *t) {
  fovea_status status = FOVEA_OK;
  if (in->separator != ',')
    status = fovea_table_note(t, "the columns are separated by %s", separator_name(in->separator));
  if (!status && in->comments)
    status =
        fovea_table_note(t, "%zu line%s with # %s a comment and passed over", in->comments,
                         in->comments == 1 ? " that begins" : "s that begin", in->comments == 1 ? "is" : "are each");
  if (!status && in->trimmed)
    status = fovea_table_note(t, "the blanks around %zu word%s are left out", in->trimmed, in->trimmed == 1 ? "" : "s");
  return status;
}

/* Excel's first line, "sep=;". */
static void read_separator(fovea_table_reader *in) {
  if (in->end - in->at < 6 || strncmp(in->at, "sep=", 4) != 0) return;
  const char separator = in->at[4], *after = in->at + 5 + (in->at[5] == '\r');
  if (*after != '\n' || !strchr(",;\t|", separator)) return;
  if (!in->separator) in->separator = separator;
  in->at = in->at + (after - in->at) + 1;
  in->line++;
}

static fovea_status read_table(fovea_table_reader *in, const fovea_table_options *o, fovea_table *t) {
  fovea_table_fields header = {0}, cells = {0};
  size_t line = 1, fields = 0;
  const bool plain = is_plain_text(in);
  in->separator = o->separator;
  read_separator(in);
  if (!in->separator) in->separator = fovea_table_find_separator(in->at);
  fovea_status status = read_header(in, o, &header, &cells, t, &line);
  t->names = header.items;
  t->columns = header.count;
  if (!status) status = read_rows(in, &cells, t, line, &fields);
  t->cells = cells.items;
  if (!status) status = take_apart(in->path, t, fields);
  if (!status) status = take_apart(in->path, t, t->columns); /* both ends */
  if (!status) status = check_header(in->path, line, t);
  if (!status) status = drop_index(t);
  if (!status && !plain) status = check_cells(in->path, t);
  if (!status) status = note_reader(in, t);
  return status ? status : fovea_table_normalize_numbers(in->path, t, in->separator, o->decimal, plain);
}

static fovea_status check_options(const fovea_table_options *o) {
  if (o->separator && !strchr(",;\t| ", o->separator))
    return fovea_fail(FOVEA_INVALID, "table: the separator '%c' is not a comma, semicolon, tab, bar or blank",
                      o->separator);
  if (o->decimal && o->decimal != ',' && o->decimal != '.')
    return fovea_fail(FOVEA_INVALID, "table: the decimal sign '%c' is neither . nor ,", o->decimal);
  return FOVEA_OK;
}

fovea_status fovea_table_read_as(const char *path, const fovea_table_options *options, fovea_table **table) {
  static const fovea_table_options none = {0};
  if (!path || !table) return fovea_fail_null(path ? "table" : "path");
  const fovea_table_options *o = options ? options : &none;
  fovea_status status = check_options(o);
  if (status) return status;
  fovea_table *t = calloc(1, sizeof *t);
  if (!t) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory");
  char *start = NULL;
  size_t size = 0;
  status = fovea_table_load(path, &t->text, &start, &size);
  if (!status)
    status = read_table(&(fovea_table_reader){.path = path, .at = start, .end = start + size, .line = 1}, o, t);
  if (status) {
    fovea_table_destroy(t);
    return status;
  }
  *table = t;
  return FOVEA_OK;
}

fovea_status fovea_table_read(const char *path, fovea_table **table) { return fovea_table_read_as(path, NULL, table); }

void fovea_table_destroy(fovea_table *table) {
  if (!table) return;
  free(table->names);
  free(table->cells);
  free(table->lines);
  free(table->text);
  free(table->made);
  free(table->notes);
  free(table);
}
