#include "train/lag.h"

#include <math.h>
#include <stdio.h>

static const double most_left = 0.01;

double lag_steps(const run_options *o, size_t images) {
  return ceil((double)images / (double)o->batch) * (double)o->epochs;
}

double lag_left(const run_options *o, size_t images) { return pow(o->bn_momentum, lag_steps(o, images)); }

/* The largest of a few that would arrive; 0: none does. */
static double better_momentum(double steps) {
  static const double usual[] = {0.98, 0.95, 0.9, 0.8, 0.5};
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
    if (pow(usual[i], steps) <= most_left) return usual[i];
  return 0;
}

void lag_say(const run_options *o, size_t images, char text[LAG_TEXT]) {
  const double left = lag_left(o, images), steps = lag_steps(o, images), better = better_momentum(steps);
  text[0] = '\0';
  if (!(left > most_left)) return;
  const int used =
      snprintf(text, LAG_TEXT,
               "after %.0f step%s at --bn-momentum %g batch normalization's moving averages are still %.2g%% "
               "of what they began with, and test losses measure that, too: train for more steps",
               steps, steps == 1 ? "" : "s", o->bn_momentum, 100 * left);
  if (better > 0) snprintf(text + used, LAG_TEXT - (size_t)used, ", or with --bn-momentum %g", better);
}
