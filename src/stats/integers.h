/* Integers of a table that a double does not hold: above 2^53 it keeps some digits and rounds the others. */
#ifndef FOVEA_STATS_INTEGERS_H
#define FOVEA_STATS_INTEGERS_H

#include "fovea/stats.h"

/* Of a column of numbers, whose values as double are `values` (rows): *rounded is the first row with an integer,
 * written without fraction and exponent, that is another number in a double; SIZE_MAX: none. FOVEA_INVALID, naming both
 * lines, where rounding makes two of them equal; FOVEA_NO_MEMORY. */
fovea_status fovea_integers_check(const fovea_table *table, size_t column, const double *values, size_t *rounded);

#endif
