#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "graph/ops.h"
#include "stats/integers.h"
#include "stats/numbers.h"

typedef enum column_kind { NUMERIC, SWITCH, WORDS } column_kind;

/* A design being built: columns are added one by one, each of n values, and copied row-major at the end. */
typedef struct builder {
  const fovea_table *table;
  char **names;
  double **columns;
  size_t count, room;
  char *rounded; /* as the design's */
} builder;

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

static const char *cell(const fovea_table *t, size_t row, size_t column) { return t->cells[row * t->columns + column]; }

static fovea_status bad_cell(const fovea_table *t, size_t row, size_t column, const char *why) {
  return fovea_fail(FOVEA_INVALID, "line %zu, column %s: \"%s\" %s", t->lines[row], t->names[column],
                    cell(t, row, column), why);
}

static bool find_column(const fovea_table *t, const char *name, size_t *column) {
  for (size_t i = 0; i < t->columns; i++)
    if (strcmp(t->names[i], name) == 0) {
      *column = i;
      return true;
    }
  return false;
}

static fovea_status require_column(const fovea_table *t, const char *name, size_t *column) {
  if (find_column(t, name, column)) return FOVEA_OK;
  char list[600] = "";
  size_t used = 0;
  for (size_t i = 0; i < t->columns; i++) {
    size_t length = strlen(t->names[i]);
    if (used + length + 6 > sizeof list) {
      memcpy(list + used, ", ...", 6);
      break;
    }
    if (i) memcpy(list + used, ", ", 2), used += 2;
    memcpy(list + used, t->names[i], length + 1);
    used += length;
  }
  return fovea_fail(FOVEA_INVALID, "there is no column %s; the columns are %s", name, list);
}

/* Takes `name` over, also on failure; *values (n) is the builder's. */
static fovea_status add_column(builder *b, char *name, double **values) {
  if (!name) return no_memory();
  if (b->count == b->room) {
    size_t room = b->room ? 2 * b->room : 16;
    char **names = realloc(b->names, room * sizeof *names);
    if (names) b->names = names;
    double **columns = realloc(b->columns, room * sizeof *columns);
    if (columns) b->columns = columns;
    if (!names || !columns) {
      free(name);
      return no_memory();
    }
    b->room = room;
  }
  double *column = calloc(b->table->rows, sizeof *column);
  if (!column) {
    free(name);
    return no_memory();
  }
  b->names[b->count] = name;
  b->columns[b->count++] = column;
  *values = column;
  return FOVEA_OK;
}

static char *joined(const char *a, const char *b) {
  size_t la = strlen(a), lb = strlen(b);
  char *text = malloc(la + lb + 1);
  if (!text) return NULL;
  memcpy(text, a, la);
  memcpy(text + la, b, lb + 1);
  return text;
}

/* -1 where the word is no switch. */
static int switch_value(const char *text) {
  static const struct {
    const char *word;
    int value;
  } words[] = {{"on", 1}, {"off", 0}, {"true", 1}, {"false", 0}, {"True", 1}, {"False", 0}, {"TRUE", 1}, {"FALSE", 0}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(text, words[i].word) == 0) return words[i].value;
  return -1;
}

static const char *why_not(fovea_number_kind kind) {
  return kind == FOVEA_NUMBER_TINY         ? "is not 0, and nearer to it than any number of double precision"
         : kind == FOVEA_NUMBER_NOT_FINITE ? "is not a finite number, or too large for double precision"
                                           : "is not a number";
}

static fovea_status column_kind_of(const fovea_table *t, size_t column, column_kind *kind) {
  bool switches = true;
  size_t number = t->rows, word = t->rows; /* the first row of each */
  for (size_t i = 0; i < t->rows; i++) {
    double value;
    const char *text = cell(t, i, column);
    if (!*text) return bad_cell(t, i, column, "is a missing value");
    fovea_number_kind is = fovea_number_parse(text, &value);
    if (is == FOVEA_NUMBER_NOT_FINITE || is == FOVEA_NUMBER_TINY) return bad_cell(t, i, column, why_not(is));
    if (is == FOVEA_NUMBER_FINITE && number == t->rows) number = i;
    if (is == FOVEA_NUMBER_NONE && word == t->rows) word = i;
    if (number < t->rows && word < t->rows)
      return fovea_fail(FOVEA_INVALID, "line %zu, column %s: \"%s\" is not a number, and \"%s\" in line %zu is one",
                        t->lines[word], t->names[column], cell(t, word, column), cell(t, number, column),
                        t->lines[number]);
    if (switch_value(text) < 0) switches = false;
  }
  *kind = number < t->rows ? NUMERIC : switches ? SWITCH : WORDS;
  return FOVEA_OK;
}

/* The numbers of a column; integers that a double rounds are refused or remembered. */
static fovea_status read_numbers(builder *b, size_t column, double *values) {
  const fovea_table *t = b->table;
  size_t row = 0;
  for (size_t i = 0; i < t->rows; i++) {
    fovea_number_kind is = fovea_number_parse(cell(t, i, column), &values[i]);
    if (is != FOVEA_NUMBER_FINITE) return bad_cell(t, i, column, why_not(is));
  }
  fovea_status status = fovea_integers_check(t, column, values, &row);
  if (status || row == SIZE_MAX || b->rounded) return status;
  const char *text = cell(t, row, column);
  const size_t size = strlen(t->names[column]) + strlen(text) + 64;
  b->rounded = malloc(size);
  if (!b->rounded) return no_memory();
  snprintf(b->rounded, size, "line %zu, column %s: \"%s\"", t->lines[row], t->names[column], text);
  return FOVEA_OK;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* A column NAME_WORD of 0 and 1 for each different word. */
static fovea_status add_words(builder *b, size_t column) {
  const fovea_table *t = b->table;
  const char **words = malloc(t->rows * sizeof *words);
  char *prefix = joined(t->names[column], "_");
  fovea_status status = words && prefix ? FOVEA_OK : no_memory();
  if (!status) {
    for (size_t i = 0; i < t->rows; i++) words[i] = cell(t, i, column);
    qsort(words, t->rows, sizeof *words, by_bytes);
    for (size_t w = 0; w < t->rows && !status; w++) {
      if (w && strcmp(words[w], words[w - 1]) == 0) continue;
      double *values;
      status = add_column(b, joined(prefix, words[w]), &values);
      for (size_t i = 0; i < t->rows && !status; i++) values[i] = strcmp(cell(t, i, column), words[w]) == 0;
    }
  }
  free(words);
  free(prefix);
  return status;
}

static fovea_status add_predictor(builder *b, size_t column) {
  column_kind kind = NUMERIC;
  fovea_status status = column_kind_of(b->table, column, &kind);
  if (status || kind == WORDS) return status ? status : add_words(b, column);
  double *values;
  status = add_column(b, joined(b->table->names[column], ""), &values);
  if (!status && kind == NUMERIC) return read_numbers(b, column, values);
  for (size_t i = 0; i < b->table->rows && !status; i++) values[i] = switch_value(cell(b->table, i, column));
  return status;
}

static fovea_status add_predictors(builder *b, size_t response, const fovea_design_options *o) {
  const fovea_table *t = b->table;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < t->columns && !o->columns && !status; i++)
    if (i != response) status = add_predictor(b, i);
  for (size_t i = 0; i < o->column_count && o->columns && !status; i++) {
    size_t column = 0;
    status = require_column(t, o->columns[i], &column);
    if (!status && column == response)
      status = fovea_fail(FOVEA_INVALID, "the response %s is among the predictors", t->names[response]);
    for (size_t j = 0; j < i && !status; j++)
      if (strcmp(o->columns[i], o->columns[j]) == 0)
        status = fovea_fail(FOVEA_INVALID, "the column %s is named twice", o->columns[i]);
    if (!status) status = add_predictor(b, column);
  }
  if (!status && b->count == 0)
    status = fovea_fail(FOVEA_INVALID, "there is no column to predict %s from", t->names[response]);
  return status;
}

/* --- a sweep's table ------------------------------------------------------------------------------------------ */

/* The words of a factor and the column of each; a word without one is the baseline of its factor. */
typedef struct level {
  const char *word, *column;
} level;

typedef struct factor {
  const char *name;
  const level *levels;
  size_t count;
  bool carries_mean; /* every level has a column, and together they are the constant */
} factor;

static const level batchnorm_levels[] = {{"off", "BatchNorm"}, {"on", "BatchNorm"}};
static const level dropout_levels[] = {{"off", "Dropout"}, {"on", "Dropout"}};
static const level attention_levels[] = {
    {"none", ""}, {"spatial", "SpatialAttention"}, {"channel", "ChannelAttention"}, {"cbam", "CBAM"}};
static const level activation_levels[] = {/* but for the first, linear: a network of nothing else is linear */
#define X(name, NAME, moves_zero, ulp) {#name, "Activation_" #name},
                                          FOVEA_ACTIVATIONS(X)
#undef X
};
enum { ACTIVATION_LEVELS = sizeof activation_levels / sizeof *activation_levels - 1, MOST_LEVELS = ACTIVATION_LEVELS };
static const factor sweep_factors[] = {{"batchnorm", batchnorm_levels, 2, false},
                                       {"dropout", dropout_levels, 2, false},
                                       {"attention", attention_levels, 4, false},
                                       {"activation", activation_levels + 1, ACTIVATION_LEVELS, true}};
enum { FACTORS = sizeof sweep_factors / sizeof *sweep_factors };

static fovea_status check_table(const fovea_table *t) {
  bool complete = t->rows > 0 && t->columns > 0 && t->names && t->cells && t->lines;
  for (size_t i = 0; complete && i < t->columns; i++) complete = t->names[i] != NULL;
  for (size_t i = 0; complete && i < t->rows * t->columns; i++) complete = t->cells[i] != NULL;
  return complete ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "design: the table is empty, or a pointer in it is NULL");
}

bool fovea_table_is_sweep(const fovea_table *table) {
  size_t column;
  if (!table || check_table(table)) return false;
  for (size_t i = 0; i < FACTORS; i++)
    if (!find_column(table, sweep_factors[i].name, &column)) return false;
  return find_column(table, "test_loss", &column);
}

static fovea_status add_factor(builder *b, const factor *f) {
  const fovea_table *t = b->table;
  size_t column = 0, seen[MOST_LEVELS] = {0}, different = 0, at = 0;
  find_column(t, f->name, &column);
  for (size_t i = 0; i < t->rows; i++) {
    for (at = 0; at < f->count && strcmp(cell(t, i, column), f->levels[at].word) != 0; at++) continue;
    if (at == f->count) return bad_cell(t, i, column, "is not one of this factor's words");
    different += seen[at]++ == 0;
  }
  double *values;
  fovea_status status = FOVEA_OK;
  if (different == 1 && f->carries_mean) {
    status = add_column(b, joined("const", ""), &values);
    for (size_t i = 0; i < t->rows && !status; i++) values[i] = 1;
  }
  if (different == 1) return status;
  bool baseline = !f->carries_mean;
  for (at = 0; at < f->count && !status; at++) {
    if (!seen[at]) continue;
    if (!baseline) {
      status = add_column(b, joined(f->levels[at].column, ""), &values);
      for (size_t i = 0; i < t->rows && !status; i++) values[i] = strcmp(cell(t, i, column), f->levels[at].word) == 0;
    }
    baseline = false;
  }
  return status;
}

static fovea_status add_factors(builder *b) {
  for (size_t i = 0; i < FACTORS; i++) {
    fovea_status status = add_factor(b, &sweep_factors[i]);
    if (status) return status;
  }
  return FOVEA_OK;
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

static bool is_nonzero_constant(const double *column, size_t n) {
  for (size_t i = 1; i < n; i++)
    if (column[i] != column[0]) return false;
  return column[0] != 0;
}

/* statsmodels.tools.add_constant(prepend=True, has_constant='skip'). */
static fovea_status add_constant(builder *b) {
  for (size_t i = 0; i < b->count; i++)
    if (is_nonzero_constant(b->columns[i], b->table->rows)) return FOVEA_OK;
  double *ones;
  fovea_status status = add_column(b, joined("const", ""), &ones);
  if (status) return status;
  char *name = b->names[b->count - 1];
  memmove(b->names + 1, b->names, (b->count - 1) * sizeof *b->names);
  memmove(b->columns + 1, b->columns, (b->count - 1) * sizeof *b->columns);
  b->names[0] = name;
  b->columns[0] = ones;
  for (size_t i = 0; i < b->table->rows; i++) ones[i] = 1;
  return FOVEA_OK;
}

static fovea_status read_response(builder *b, size_t column, double *y) {
  const fovea_table *t = b->table;
  bool varies = false;
  fovea_status status = read_numbers(b, column, y);
  if (status) return fovea_fail_in(status, "the response %s", t->names[column]);
  for (size_t i = 1; i < t->rows; i++) varies = varies || y[i] != y[0];
  if (varies) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "the response %s is %s in every row; there is nothing to explain", t->names[column],
                    cell(t, 0, column));
}

static fovea_status assemble(builder *b, size_t response, fovea_design *d) {
  d->n = b->table->rows;
  d->k = b->count;
  d->y = malloc(d->n * sizeof *d->y);
  d->x = d->n > SIZE_MAX / sizeof *d->x / d->k ? NULL : malloc(d->n * d->k * sizeof *d->x);
  d->response = joined(b->table->names[response], "");
  if (!d->y || !d->x || !d->response) return no_memory();
  for (size_t j = 0; j < d->k; j++)
    for (size_t i = 0; i < d->n; i++) d->x[i * d->k + j] = b->columns[j][i];
  d->names = b->names;
  b->names = NULL;
  fovea_status status = read_response(b, response, d->y);
  d->rounded = b->rounded;
  b->rounded = NULL;
  return status;
}

static fovea_status find_response(const fovea_table *t, const char *name, bool sweep, size_t *response) {
  *response = t->columns - 1;
  if (!name && !sweep) return FOVEA_OK;
  return require_column(t, name ? name : "test_loss", response);
}

static fovea_status build(builder *b, const fovea_design_options *o, fovea_design *d) {
  const bool sweep = fovea_table_is_sweep(b->table);
  size_t response;
  fovea_status status = find_response(b->table, o->response, sweep, &response);
  if (!status) status = sweep && !o->columns ? add_factors(b) : add_predictors(b, response, o);
  if (!status && o->constant) status = add_constant(b);
  return status ? status : assemble(b, response, d);
}

static fovea_status check_columns(const fovea_design_options *o) {
  for (size_t i = 0; i < o->column_count; i++)
    if (!o->columns || !o->columns[i]) return fovea_fail(FOVEA_INVALID, "design: column %zu of the options is NULL", i);
  return FOVEA_OK;
}

fovea_status fovea_design_from_table(const fovea_table *table, const fovea_design_options *options,
                                     fovea_design **design) {
  static const fovea_design_options none = {0};
  if (!table || !design) return fovea_fail_null(table ? "design" : "table");
  if (check_table(table) || (options && check_columns(options))) return FOVEA_INVALID;
  fovea_design *d = calloc(1, sizeof *d);
  if (!d) return no_memory();
  builder b = {.table = table};
  fovea_status status = build(&b, options ? options : &none, d);
  for (size_t i = 0; i < b.count; i++) {
    free(b.columns[i]);
    if (b.names) free(b.names[i]);
  }
  free(b.columns);
  free(b.names);
  free(b.rounded);
  if (status) {
    fovea_design_destroy(d);
    return status;
  }
  *design = d;
  return FOVEA_OK;
}

void fovea_design_destroy(fovea_design *design) {
  if (!design) return;
  for (size_t i = 0; i < design->k && design->names; i++) free(design->names[i]);
  free(design->names);
  free(design->response);
  free(design->rounded);
  free(design->y);
  free(design->x);
  free(design);
}
