/* What a sweep's table holds, and the design of the experiment that this project grew from. */
#ifndef FOVEA_STATS_SWEEP_DESIGN_H
#define FOVEA_STATS_SWEEP_DESIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/stats.h"

enum { FOVEA_SWEEP_FACTORS = 4, FOVEA_SWEEP_NUMBERS = 16 };

/* Its factors, in the original's order: the column, and what a sentence calls it. */
extern const char *const fovea_sweep_factors[FOVEA_SWEEP_FACTORS];

/* An option with numbers, or words, that a sweep varies beside those. */
typedef struct fovea_sweep_number {
  const char *name;
  bool ratio; /* its levels are factors apart: where all are above 0, the model has its logarithm */
} fovea_sweep_number;

extern const fovea_sweep_number fovea_sweep_numbers[FOVEA_SWEEP_NUMBERS];

/* Whether a sweep writes a column of that name that is no factor. */
bool fovea_sweep_measures(const char *name);

/* Whether it is a factor: one of the four, or a number; *ratio (may be NULL), of a number, as above. */
bool fovea_sweep_is_factor(const char *name, bool *ratio);

/* Every cell of a sweep's factors is one of its words, else FOVEA_INVALID. */
fovea_status fovea_sweep_check(const fovea_table *t);

/* d->names, d->k and d->x by all levels. FOVEA_INVALID, FOVEA_NO_MEMORY. */
fovea_status fovea_sweep_columns(const fovea_table *t, bool constant, fovea_design *d);

#endif
