/* Plots as PNG, two pixels a point, ready for a paper: cairo, DejaVu Sans, colours that colour-blind readers can tell
 * apart. Numbers are written the same in every locale, and the same input gives the same bytes.
 *
 * Values that are not finite (or not below 1e300) are left out. All return FOVEA_INVALID if that leaves a panel with
 * nothing to show, or a text is not UTF-8; FOVEA_NO_MEMORY; and FOVEA_IO if the file cannot be written; the path then
 * holds what it held before. */
#ifndef FOVEA_TOOLS_DRAW_PLOTS_H
#define FOVEA_TOOLS_DRAW_PLOTS_H

#include <stddef.h>

#include "fovea/status.h"

typedef struct plot_epoch {
  int epoch;
  double loss, bce, kl, val_loss, val_bce, val_kl;
} plot_epoch;

/* Two panels over the epochs: loss with its cross-entropy, and KL divergence; each for training and test. */
fovea_status plot_curves(const char *path, const char *title, const plot_epoch *epochs, size_t count);

enum { PLOT_LABELS = 10 };

typedef struct plot_point {
  float x, y;
  int label; /* 0 to PLOT_LABELS - 1; -1: none. Anything else is FOVEA_INVALID. */
} plot_point;

/* Two panels with the same axes: training and test codes, coloured by label; those without one are "others" where some
 * have one. `label_names` has PLOT_LABELS entries;
 * NULL means the digits. */
fovea_status plot_latent(const char *path, const char *title, const plot_point *train, size_t train_count,
                         const plot_point *test, size_t test_count, const char *const *label_names);

typedef struct plot_coefficient {
  const char *name;
  double value, low, high,
      p; /* value: NaN for an aliased one, beyond 1e300 or so for one too large, which are named
            and have no mark; low to high: its interval, drawn if both can be; p: printed if it is in [0, 1] */
} plot_coefficient;

/* A forest plot: each coefficient with its interval, its value and its p-value; a strong colour where the interval
 * excludes zero. Coefficients far from zero go to a panel with its own scale where they would flatten the others. */
fovea_status plot_coefficients(const char *path, const char *title, const plot_coefficient *rows, size_t count);

#endif
