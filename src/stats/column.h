/* The columns of a table: which there are, what kind each is, and its values. */
#ifndef FOVEA_STATS_COLUMN_H
#define FOVEA_STATS_COLUMN_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/stats.h"

typedef enum fovea_column_kind { FOVEA_COLUMN_NUMBERS, FOVEA_COLUMN_SWITCH, FOVEA_COLUMN_WORDS } fovea_column_kind;

static inline const char *fovea_cell(const fovea_table *t, size_t row, size_t column) {
  return t->cells[row * t->columns + column];
}

/* FOVEA_INVALID for a table without rows or columns, or with a pointer that is NULL. */
fovea_status fovea_table_check(const fovea_table *t);

bool fovea_column_find(const fovea_table *t, const char *name, size_t *column);

/* FOVEA_INVALID, naming those that there are. */
fovea_status fovea_column_require(const fovea_table *t, const char *name, size_t *column);

/* Whether not all its cells are the same. */
bool fovea_column_varies(const fovea_table *t, size_t column);

/* Fails with FOVEA_INVALID: line 3, column a: "x" <why>. */
fovea_status fovea_cell_fail(const fovea_table *t, size_t row, size_t column, const char *why);

/* FOVEA_INVALID for a missing value, a number that is none of double precision's, and words among numbers. */
fovea_status fovea_column_kind_of(const fovea_table *t, size_t column, fovea_column_kind *kind);

/* Whether a switch's word is on, yes or true. */
bool fovea_column_is_on(const char *word);

/* The column's numbers (rows), and in *low, which may be NULL, what their rounding left (rows, of the caller's), or
 * NULL where that is nothing, or the table has more than 2^20 cells, where it would cost half as much memory and time
 * again. The first integer that a double rounds is described in *rounded, which the caller frees, unless something is
 * there already. FOVEA_INVALID, FOVEA_NO_MEMORY. */
fovea_status fovea_column_numbers(const fovea_table *t, size_t column, double *values, double **low, char **rounded);

/* The column as a factor, levels in the order of bytes, or of numbers where all are numbers: v->name to v->at, which
 * the caller frees, also on failure. A missing value is FOVEA_INVALID; FOVEA_NO_MEMORY. */
fovea_status fovea_column_factor(const fovea_table *t, size_t column, fovea_design_variable *v);

#endif
