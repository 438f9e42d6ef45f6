/* A fractional factorial of two-level factors (Box & Hunter 1961): 1 / 2^p of all combinations, so chosen that what
 * cannot be told apart is interactions of as many factors as possible. */
#ifndef FOVEA_TOOLS_EXPERIMENT_FRACTION_H
#define FOVEA_TOOLS_EXPERIMENT_FRACTION_H

#include "experiment/levels.h"

enum { FRACTION_MOST = 6 };

typedef struct fraction {
  size_t factors[LEVELS_FACTORS]; /* those of two levels, by their place in the list */
  size_t count;
  int p;
  unsigned
      words[1 << FRACTION_MOST]; /* 2^p - 1: products of factors, as bits, that are the constant; generators at 2^j */
  int resolution;                /* factors in the shortest word */
} fraction;

/* `text`: "1/2", "1/4", ..., at least as many runs as factors and one. FOVEA_INVALID where a factor has more levels
 * than two or too few have two. */
fovea_status fraction_make(const char *text, const factor_list *list, fraction *f);

/* Whether a combination of levels, one for each factor of the list, is in the fraction. */
bool fraction_has(const fraction *f, const size_t *level);

/* In sentences, a newline after each: how it was made and which main effects and interactions of two factors are one.
 */
void fraction_tell(const fraction *f, const factor_list *list, char *text, size_t size);

#endif
