/* Which classes of a set have colours of their own in a picture, and their names. */
#ifndef FOVEA_TOOLS_DRAW_LEGEND_H
#define FOVEA_TOOLS_DRAW_LEGEND_H

#include "draw/plots.h"
#include "fovea/data.h"

typedef struct class_legend {
  int label[PLOT_LABELS]; /* of the set, ascending; -1 beyond the last */
  char name[PLOT_LABELS][64];
  const char *names[PLOT_LABELS]; /* the same, as plot_latent wants them */
} class_legend;

/* The PLOT_LABELS classes with the most images of both splits, the smaller label first of equals. They are called by
 * the folders they come from, else by their labels; bytes that are no UTF-8 become '?'. FOVEA_NO_MEMORY. */
fovea_status class_legend_choose(const fovea_dataset *train, const fovea_dataset *test, class_legend *legend);

/* The colour of a label of the set, -1 for a class without one. */
int class_legend_colour(const class_legend *legend, int label);

#endif
