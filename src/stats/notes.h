/* The notes under a summary, shared by its text and its JSON. */
#ifndef FOVEA_STATS_NOTES_H
#define FOVEA_STATS_NOTES_H

#include "fovea/regress.h"

enum { FOVEA_NOTES = 4, FOVEA_NOTE_SIZE = 192 };

/* Writes the notes without their numbers, in order, and returns how many there are. The caller is in the C locale. */
size_t fovea_ols_notes(const fovea_ols *ols, char notes[FOVEA_NOTES][FOVEA_NOTE_SIZE]);

/* FOVEA_INVALID where a pointer in it that has to be there is NULL. */
fovea_status fovea_ols_check(const fovea_ols *ols);

#endif
