#include "stats/column.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "stats/integers.h"
#include "stats/numbers.h"
#include "stats/table.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

bool fovea_column_find(const fovea_table *t, const char *name, size_t *column) {
  for (size_t i = 0; i < t->columns; i++)
    if (strcmp(t->names[i], name) == 0) {
      *column = i;
      return true;
    }
  return false;
}

fovea_status fovea_table_check(const fovea_table *t) {
  bool complete = t->rows > 0 && t->columns > 0 && t->names && t->cells && t->lines;
  for (size_t i = 0; complete && i < t->columns; i++) complete = t->names[i] != NULL;
  for (size_t i = 0; complete && i < t->rows * t->columns; i++) complete = t->cells[i] != NULL;
  return complete ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "design: the table is empty, or a pointer in it is NULL");
}

fovea_status fovea_column_require(const fovea_table *t, const char *name, size_t *column) {
  if (fovea_column_find(t, name, column)) return FOVEA_OK;
  char list[600] = "";
  size_t used = 0;
  bool comma = false;
  for (size_t i = 0; i < t->columns; i++) {
    size_t length = strlen(t->names[i]);
    comma = comma || strchr(t->names[i], ',');
    if (used + length + 6 > sizeof list) {
      memcpy(list + used, ", ...", 6);
      break;
    }
    if (i) memcpy(list + used, ", ", 2), used += 2;
    memcpy(list + used, t->names[i], length + 1);
    used += length;
  }
  return fovea_fail(FOVEA_INVALID, "there is no column %s; the columns are %s%s", name, list,
                    comma ? " (in an option a name with a comma stands in double quotes)" : "");
}

bool fovea_column_varies(const fovea_table *t, size_t column) {
  for (size_t i = 1; i < t->rows; i++)
    if (strcmp(fovea_cell(t, i, column), fovea_cell(t, 0, column)) != 0) return true;
  return false;
}

enum { SHOWN = 120 };

/* The cell for a sentence: line breaks as \n, and not too long. */
static const char *shown(const char *cell, char out[SHOWN]) {
  size_t used = 0;
  for (; *cell && used + 8 < SHOWN; cell++) {
    const char *letter = (unsigned char)*cell < ' ' ? strchr("\nn\tt\rr", *cell) : NULL;
    if (letter) {
      out[used++] = '\\';
      out[used++] = letter[1];
    } else {
      out[used++] = *cell;
    }
  }
  while (*cell && used > 0 && ((unsigned char)*cell & 0xc0) == 0x80) cell--, used--; /* between characters */
  snprintf(out + used, SHOWN - used, "%s", *cell ? "..." : "");
  return out;
}

fovea_status fovea_cell_fail(const fovea_table *t, size_t row, size_t column, const char *why) {
  char cell[SHOWN];
  return fovea_fail(FOVEA_INVALID, "line %zu, column %s: \"%s\" %s", t->lines[row], t->names[column],
                    shown(fovea_cell(t, row, column), cell), why);
}

/* --- kinds ------------------------------------------------------------------------------------------------------- */

/* Twice the pair of words, and 1 for the one that is on; -1 for a word of none. */
static int switch_of(const char *text) {
  static const char *const words[] = {"off", "on", "false", "true", "no", "yes"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcasecmp(text, words[i]) == 0) return (int)i;
  return -1;
}

bool fovea_column_is_on(const char *word) { return switch_of(word) % 2 == 1; }

static const char *why_not(fovea_number_kind kind) {
  return kind == FOVEA_NUMBER_TINY         ? "is not 0, and nearer to it than any number of double precision"
         : kind == FOVEA_NUMBER_NOT_FINITE ? "is not a finite number, or too large for double precision"
                                           : "is not a number";
}

fovea_status fovea_column_kind_of(const fovea_table *t, size_t column, fovea_column_kind *kind) {
  const int pair = switch_of(fovea_cell(t, 0, column)) / 2;
  bool switches = true;
  size_t number = t->rows, word = t->rows; /* the first row of each */
  for (size_t i = 0; i < t->rows; i++) {
    double value;
    const char *text = fovea_cell(t, i, column);
    if (fovea_table_is_missing(text))
      return fovea_cell_fail(t, i, column, "is a missing value; --missing drop leaves out rows that have one");
    fovea_number_kind is = fovea_number_parse(text, &value);
    if (is == FOVEA_NUMBER_NOT_FINITE || is == FOVEA_NUMBER_TINY) return fovea_cell_fail(t, i, column, why_not(is));
    if (is == FOVEA_NUMBER_FINITE && number == t->rows) number = i;
    if (is == FOVEA_NUMBER_NONE && word == t->rows) word = i;
    if (number < t->rows && word < t->rows) {
      char cell[SHOWN];
      return fovea_fail(FOVEA_INVALID, "line %zu, column %s: \"%s\" is not a number, and \"%s\" in line %zu is one",
                        t->lines[word], t->names[column], shown(fovea_cell(t, word, column), cell),
                        fovea_cell(t, number, column), t->lines[number]);
    }
    const int value_of = switch_of(text);
    switches = switches && value_of >= 0 && value_of / 2 == pair;
  }
  *kind = number < t->rows ? FOVEA_COLUMN_NUMBERS : switches ? FOVEA_COLUMN_SWITCH : FOVEA_COLUMN_WORDS;
  return FOVEA_OK;
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

static const size_t most_exact = (size_t)1 << 20;

/* What the rounding of the column's numbers left; NULL where none was rounded. */
static fovea_status read_rests(const fovea_table *t, size_t column, const double *values, double **low) {
  bool any = false;
  *low = malloc(t->rows * sizeof **low);
  if (!*low) return no_memory();
  for (size_t i = 0; i < t->rows; i++) {
    (*low)[i] = fovea_number_rest(fovea_cell(t, i, column), values[i]);
    any = any || fpclassify((*low)[i]) != FP_ZERO;
  }
  if (any) return FOVEA_OK;
  free(*low);
  *low = NULL;
  return FOVEA_OK;
}

fovea_status fovea_column_numbers(const fovea_table *t, size_t column, double *values, double **low, char **rounded) {
  size_t row = 0;
  for (size_t i = 0; i < t->rows; i++) {
    if (fovea_table_is_missing(fovea_cell(t, i, column)))
      return fovea_cell_fail(t, i, column, "is a missing value; --missing drop leaves out rows that have one");
    fovea_number_kind is = fovea_number_parse(fovea_cell(t, i, column), &values[i]);
    if (is != FOVEA_NUMBER_FINITE) return fovea_cell_fail(t, i, column, why_not(is));
  }
  fovea_status status = fovea_integers_check(t, column, values, &row);
  if (!status && low && t->rows * t->columns <= most_exact) status = read_rests(t, column, values, low);
  if (status || row == SIZE_MAX || *rounded) return status;
  const char *text = fovea_cell(t, row, column);
  const size_t size = strlen(t->names[column]) + strlen(text) + 64;
  *rounded = malloc(size);
  if (!*rounded) return no_memory();
  snprintf(*rounded, size, "line %zu, column %s: \"%s\"", t->lines[row], t->names[column], text);
  return FOVEA_OK;
}

/* --- factors ----------------------------------------------------------------------------------------------------- */

/* A cell: its text, its number, 0 or 1 for a switch, and its row. */
typedef struct entry {
  const char *text;
  double number;
  size_t row;
} entry;

static int compare_level(const entry *x, const entry *y) {
  if (x->number < y->number || x->number > y->number) return x->number > y->number ? 1 : -1;
  return 0;
}

static int by_number(const void *a, const void *b) {
  const entry *x = a, *y = b;
  const int order = compare_level(x, y);
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int by_bytes(const void *a, const void *b) {
  const entry *x = a, *y = b;
  const int order = strcmp(x->text, y->text);
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Makes levels of the sorted entries, by number or by text; equal numbers have the text of the first row. */
static fovea_status take_levels(const entry *entries, size_t n, bool numbers, fovea_design_variable *v) {
  v->levels = calloc(n, sizeof *v->levels);
  v->at = malloc(n * sizeof *v->at);
  if (!v->levels || !v->at) return no_memory();
  for (size_t i = 0; i < n; i++) {
    const bool same = i > 0 && (numbers ? compare_level(&entries[i], &entries[i - 1]) == 0
                                        : strcmp(entries[i].text, entries[i - 1].text) == 0);
    if (!same) {
      v->levels[v->level_count] = strdup(entries[i].text);
      if (!v->levels[v->level_count++]) return no_memory();
    }
    v->at[entries[i].row] = v->level_count - 1;
  }
  return FOVEA_OK;
}

fovea_status fovea_column_factor(const fovea_table *t, size_t column, fovea_design_variable *v) {
  fovea_column_kind kind = FOVEA_COLUMN_WORDS;
  fovea_status status = fovea_column_kind_of(t, column, &kind);
  entry *entries = status ? NULL : malloc(t->rows * sizeof *entries);
  if (!status) v->name = strdup(t->names[column]);
  if (!status && (!entries || !v->name)) status = no_memory();
  for (size_t i = 0; i < t->rows && !status; i++)
    if (strpbrk(fovea_cell(t, i, column), "\t\r\n"))
      status = fovea_fail(FOVEA_INVALID, "line %zu, column %s: a word with a tab or a line break in it", t->lines[i],
                          t->names[column]);
  if (!status) {
    const bool numbers = kind != FOVEA_COLUMN_WORDS;
    for (size_t i = 0; i < t->rows; i++) {
      entries[i] = (entry){.text = fovea_cell(t, i, column), .row = i};
      if (kind == FOVEA_COLUMN_NUMBERS) fovea_number_parse(entries[i].text, &entries[i].number);
      if (kind == FOVEA_COLUMN_SWITCH) entries[i].number = switch_of(entries[i].text) % 2;
    }
    qsort(entries, t->rows, sizeof *entries, numbers ? by_number : by_bytes);
    status = take_levels(entries, t->rows, numbers, v);
  }
  if (!status) v->is_switch = kind == FOVEA_COLUMN_SWITCH;
  free(entries);
  return status;
}
