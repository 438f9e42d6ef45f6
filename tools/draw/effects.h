/* What factors do, as PNG: levels against their baseline, and pairs of factors. As plots.h. */
#ifndef FOVEA_TOOLS_DRAW_EFFECTS_H
#define FOVEA_TOOLS_DRAW_EFFECTS_H

#include <stddef.h>

#include "fovea/status.h"

/* A level: its mean and its difference from the factor's first level, each with an interval; p of the difference. What
 * is NaN has no mark. */
typedef struct plot_level {
  const char *name;
  double mean, mean_low, mean_high;
  double difference, low, high, p;
} plot_level;

typedef struct plot_factor {
  const char *name;
  const plot_level *levels; /* the baseline first */
  size_t count;
} plot_factor;

/* A row for each level, with two panels: its difference from the baseline, in a strong colour where the interval
 * excludes zero, and its mean. FOVEA_INVALID, also where no level has a mark. */
fovea_status plot_factors(const char *path, const char *title, const char *note, const plot_factor *factors,
                          size_t count);

/* Two factors: the means of the cells, first factor across, a line for each level of the second. */
typedef struct plot_pair {
  const char *across, *lines; /* their names */
  const char *const *across_levels, *const *line_levels;
  size_t across_count, line_count;
  const double *means, *low, *high; /* across_count x line_count */
  double p;                         /* that the lines are parallel; NaN: not known */
} plot_pair;

/* A panel a pair, all with the same scale. FOVEA_INVALID, also where no cell has a mean. */
fovea_status plot_pairs(const char *path, const char *title, const char *response, const plot_pair *pairs,
                        size_t count);

#endif
