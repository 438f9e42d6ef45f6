/* The notes under a summary, shared by its text and its JSON. */
#ifndef FOVEA_STATS_NOTES_H
#define FOVEA_STATS_NOTES_H

#include "fovea/stats.h"

enum { FOVEA_NOTES = 10, FOVEA_ALIASES_SIZE = 3840, FOVEA_NOTE_SIZE = 4096 };

/* Writes the notes without their numbers, in order, and returns how many there are: statsmodels', then ours. The caller
 * is in the C locale. */
size_t fovea_ols_notes(const fovea_ols *ols, char notes[FOVEA_NOTES][FOVEA_NOTE_SIZE]);

/* Whether the residuals, and all that is made of them, are rounding noise, as of an exact fit and of a saturated one.
 */
bool fovea_ols_is_noise(const fovea_ols *ols);

/* Writes which columns are aliased and of which they are combinations, "b (of const, a), c (zero in every row)". Long
 * lists and long names are cut, and say so; the fit has them all. */
void fovea_ols_list_aliases(const fovea_ols *ols, char text[FOVEA_ALIASES_SIZE]);

/* FOVEA_INVALID where a pointer in it that has to be there is NULL. */
fovea_status fovea_ols_check(const fovea_ols *ols);

#endif
