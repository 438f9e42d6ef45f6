/* What the pictures of both splits are, and what the images of the set are to be. */
#ifndef FOVEA_DATA_SURVEY_H
#define FOVEA_DATA_SURVEY_H

#include "data/fit.h"
#include "data/tree.h"

/* Decides the target of the images of a load of `mine` beside `other`, which alone decide nothing: both splits have one
 * target. What is changed of mine is remarked in `report`, with the split's name; what its 16 bits become is put into
 * its items. FOVEA_INVALID where sizes or channels differ and the options do not say what to do; FOVEA_NO_MEMORY. */
fovea_status fovea_survey(const char *split, fovea_tree *mine, const fovea_tree *other,
                          const fovea_load_options *options, fovea_data_report *report, fovea_target *target);

#endif
