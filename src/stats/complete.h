/* The rows of a table that have every value that a design needs. */
#ifndef FOVEA_STATS_COMPLETE_H
#define FOVEA_STATS_COMPLETE_H

#include "fovea/stats.h"

/* *complete is a table of the rows in which no column of the design is missing, which points into `t` and is freed by
 * fovea_complete_free; *dropped, how many others there are. Without one it is `t` itself. *where, "2 in x, 1 in y",
 * says how many each column misses, else it is NULL; the caller frees it, also on failure. FOVEA_INVALID, naming the
 * columns, when no row is left; FOVEA_NO_MEMORY. */
fovea_status fovea_complete_rows(const fovea_table *t, const fovea_design_options *options, size_t response,
                                 fovea_table *complete, size_t *dropped, char **where);
void fovea_complete_free(fovea_table *complete, size_t dropped);

#endif
