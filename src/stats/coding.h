/* The columns of x that the variables of a design have, alone and multiplied. */
#ifndef FOVEA_STATS_CODING_H
#define FOVEA_STATS_CODING_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/stats.h"
#include "stats/dd.h"

/* A factor of L levels has L columns of 0 and 1 where it is full. Else it has L - 1: by treatment of 0 and 1, the
 * baseline being 0 in all; by sum the same but for the last level, which is -1 in all, so that the columns add up to 0
 * over the levels (R's contr.treatment and contr.sum). */
typedef enum fovea_coding { FOVEA_BY_TREATMENT, FOVEA_BY_SUM } fovea_coding;

/* How many columns it has: of numbers, one for each power. */
size_t fovea_coding_width(const fovea_design_variable *v, bool full);

/* The value of a factor's column at a level. */
double fovea_coding_of_level(const fovea_design_variable *v, fovea_coding coding, bool full, size_t column,
                             size_t level);

/* The part that variable `i` of the term has in the term's column `column`. */
size_t fovea_coding_part(const fovea_design *d, const fovea_design_term *t, size_t i, size_t column);

/* Column `column` of the term, each value `step` after the one before, and what its rounding leaves; `low` may be NULL.
 */
void fovea_coding_column(const fovea_design *d, const fovea_design_term *t, fovea_coding coding, size_t column,
                         size_t step, double *x, double *low);

/* All of x and of x_low, n x k each; low may be NULL. */
void fovea_coding_matrix(const fovea_design *d, fovea_coding coding, double *x, double *low);

/* FOVEA_INVALID where a pointer in it that has to be there is NULL. */
fovea_status fovea_design_check(const fovea_design *d);

/* "a_red:x^2"; the caller frees it. NULL: no memory. */
char *fovea_coding_name(const fovea_design *d, const fovea_design_term *t, size_t column);

#endif
