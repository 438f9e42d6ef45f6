/* --show: which channels of images with more than three, or two, pictures show. It changes no number of a run, so a
 * resumed one may be given another; without one the folder's config.json has it. */
#ifndef FOVEA_TOOLS_TRAIN_SHOW_H
#define FOVEA_TOOLS_TRAIN_SHOW_H

#include <jansson.h>

#include "cli/options.h"
#include "draw/grid.h"

/* "3,2,1": one or three channels, counted from 1; none where it was not given. */
option show_option(option_ints *show);

/* As pictures take it: *given is `room`, or NULL where nothing was asked for. FOVEA_INVALID for another number of
 * channels, and for one that images of so many do not have. */
fovea_status show_channels(const option_ints *show, int channels, grid_channels *room, const grid_channels **given);

/* Into and out of config.json; put is false without memory, get for what is no list of channels. */
bool show_put(json_t *config, const option_ints *show);
bool show_get(const json_t *config, option_ints *show);

#endif
