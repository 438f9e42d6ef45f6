/* The variables and terms that the options of a design ask for. */
#ifndef FOVEA_STATS_PREDICTORS_H
#define FOVEA_STATS_PREDICTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/stats.h"

/* A design being built. */
typedef struct fovea_predictors {
  const fovea_table *table;
  const fovea_design_options *options;
  fovea_design *design;
  size_t response; /* its column of the table */
  bool sweep;      /* a sweep's own design is wanted */
} fovea_predictors;

/* Fills design->variables, terms and ignored. FOVEA_INVALID as fovea_design_from_table; FOVEA_NO_MEMORY. */
fovea_status fovea_predictors_add(fovea_predictors *p);

/* Adds a sentence to design->remarks. */
fovea_status fovea_design_remark(fovea_design *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
