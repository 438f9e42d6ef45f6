/* The variables and terms that the options of a design ask for. */
#ifndef FOVEA_STATS_PREDICTORS_H
#define FOVEA_STATS_PREDICTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/stats.h"
#include "stats/terms.h"

/* A design being built. */
typedef struct fovea_predictors {
  const fovea_table *table;
  const fovea_design_options *options;
  fovea_design *design;
  size_t response; /* its column of the table */
  bool sweep;      /* a sweep's own design is wanted */
  bool of_sweep;   /* the table is a sweep's */
} fovea_predictors;

/* Fills design->variables, terms and remarks. FOVEA_INVALID as fovea_design_from_table; FOVEA_NO_MEMORY. */
fovea_status fovea_predictors_add(fovea_predictors *p);

/* The variable of a column that may be a predictor, which is added if it is new; a fovea_variable_lookup of p. */
fovea_status fovea_predictors_find(void *p, const char *name, size_t *variable);

/* "NAME:DEGREE" in its parts; NAME may stand "in quotes". The caller frees *name, also on failure. */
fovea_status fovea_power_split(const char *text, char **name, size_t *degree);

/* Gives a predictor that degree, and a factor that baseline: "NAME=LEVEL", both perhaps "in quotes". *variable
 * says which; `find` is fovea_predictors_find. */
fovea_status fovea_predictors_set_degree(fovea_predictors *p, const char *text, fovea_variable_lookup find,
                                         size_t *variable);
fovea_status fovea_predictors_set_baseline(fovea_predictors *p, const char *text, size_t *variable);

/* Puts options->first_levels in front, in a sweep's table attention's none, where no baseline is given.
 * FOVEA_NO_MEMORY. */
fovea_status fovea_predictors_set_first(fovea_predictors *p);

/* Adds a sentence to design->remarks. */
fovea_status fovea_design_remark(fovea_design *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
