#include "stats/complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/column.h"
#include "stats/predictors.h"
#include "stats/sweep_design.h"
#include "stats/table.h"
#include "stats/terms.h"
#include "stats/text.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "design: no memory"); }

typedef struct usage {
  const fovea_table *table;
  bool *used; /* each column */
} usage;

static fovea_status use(void *user, const char *name, size_t *variable) {
  const usage *u = user;
  fovea_status status = fovea_column_require(u->table, name, variable);
  if (!status) u->used[*variable] = true;
  return status;
}

/* The columns of "a*b:c", by the reader of terms on a design whose variables are all columns. */
static fovea_status use_term(usage *u, const char *term) {
  fovea_design all = {.variable_count = u->table->columns};
  size_t column;
  if (fovea_column_find(u->table, term, &column)) return use(u, term, &column);
  all.variables = calloc(all.variable_count, sizeof *all.variables);
  if (!all.variables) return no_memory();
  for (size_t i = 0; i < all.variable_count; i++) all.variables[i].name = u->table->names[i];
  fovea_status status = fovea_terms_read(&all, term, use, u);
  for (size_t i = 0; i < all.term_count; i++) fovea_term_free(&all.terms[i]);
  free(all.terms);
  free(all.variables);
  return status;
}

static fovea_status use_power(usage *u, const char *power) {
  char *name = NULL;
  size_t column, degree;
  fovea_status status = fovea_power_split(power, &name, &degree);
  if (!status) status = use(u, name, &column);
  free(name);
  return status;
}

static fovea_status use_predictors(usage *u, const fovea_design_options *o) {
  const fovea_table *t = u->table;
  const bool named = o->columns || o->terms || o->term_count, sweep = fovea_table_is_sweep(t) && !named;
  fovea_status status = FOVEA_OK;
  size_t column;
  for (size_t i = 0; i < t->columns && !named; i++) u->used[i] = !sweep || fovea_sweep_is_factor(t->names[i], NULL);
  if (sweep && fovea_column_find(t, "seed", &column)) u->used[column] = true;
  for (size_t i = 0; i < o->column_count && !status; i++) status = use(u, o->columns[i], &column);
  for (size_t i = 0; i < o->term_count && !status; i++) status = use_term(u, o->terms[i]);
  for (size_t i = 0; i < o->power_count && !status; i++) status = use_power(u, o->powers[i]);
  if (!status && o->block) status = use(u, o->block, &column);
  if (!status && o->cluster) status = use(u, o->cluster, &column);
  return status;
}

static bool has_all(const usage *u, size_t row) {
  for (size_t j = 0; j < u->table->columns; j++)
    if (u->used[j] && fovea_table_is_missing(fovea_cell(u->table, row, j))) return false;
  return true;
}

/* "2 in x, 1 in y": how many each column has; the caller frees it. NULL: no memory. */
static char *where_missing(const usage *u) {
  const fovea_table *t = u->table;
  fovea_text list = {0};
  for (size_t j = 0; j < t->columns; j++) {
    size_t missing = 0;
    for (size_t i = 0; i < t->rows && u->used[j]; i++) missing += fovea_table_is_missing(fovea_cell(t, i, j));
    if (missing == 0) continue;
    fovea_text_print(&list, "%s%zu in ", list.size ? ", " : "", missing);
    fovea_text_add(&list, t->names[j]);
  }
  if (!list.failed) return list.bytes;
  free(list.bytes);
  return NULL;
}

static fovea_status keep_complete(const usage *u, fovea_table *complete, size_t *dropped, char **where) {
  const fovea_table *t = u->table;
  size_t rows = 0;
  for (size_t i = 0; i < t->rows; i++) rows += has_all(u, i);
  if (rows < t->rows && !(*where = where_missing(u))) return no_memory();
  for (size_t j = 0; j < t->columns && rows == 0; j++) {
    size_t with = 0;
    for (size_t i = 0; i < t->rows; i++) with += !fovea_table_is_missing(fovea_cell(t, i, j));
    if (u->used[j] && with == 0)
      return fovea_fail(FOVEA_INVALID, "the column %s has no value in any row; leave it out", t->names[j]);
  }
  if (rows == 0) return fovea_fail(FOVEA_INVALID, "every row has a missing value: %s", *where);
  *dropped = t->rows - rows;
  if (*dropped == 0) return FOVEA_OK;
  complete->cells = malloc(rows * t->columns * sizeof *complete->cells);
  complete->lines = malloc(rows * sizeof *complete->lines);
  complete->rows = 0;
  for (size_t i = 0; i < t->rows && complete->cells && complete->lines; i++) {
    if (!has_all(u, i)) continue;
    complete->lines[complete->rows] = t->lines[i];
    memcpy(complete->cells + complete->rows++ * t->columns, t->cells + i * t->columns,
           t->columns * sizeof *complete->cells);
  }
  if (complete->rows == rows) return FOVEA_OK;
  fovea_complete_free(complete, *dropped);
  *dropped = 0;
  return no_memory();
}

fovea_status fovea_complete_rows(const fovea_table *t, const fovea_design_options *options, size_t response,
                                 fovea_table *complete, size_t *dropped, char **where) {
  usage u = {.table = t, .used = calloc(t->columns, sizeof *u.used)};
  *complete = *t;
  *dropped = 0;
  *where = NULL;
  fovea_status status = u.used ? use_predictors(&u, options) : no_memory();
  if (!status) {
    u.used[response] = true;
    status = keep_complete(&u, complete, dropped, where);
  }
  free(u.used);
  return status;
}

void fovea_complete_free(fovea_table *complete, size_t dropped) {
  if (dropped == 0) return;
  free(complete->cells);
  free(complete->lines);
}
