/* The options that say how images are read, of every command with --data. */
#ifndef FOVEA_TOOLS_TRAIN_IMAGES_H
#define FOVEA_TOOLS_TRAIN_IMAGES_H

#include <jansson.h>

#include "cli/options.h"
#include "fovea/data.h"

enum { IMAGE_OPTIONS = 12 };

/* As the option table wants them. */
typedef struct image_settings {
  char set[OPTION_WORD_SIZE], size[OPTION_WORD_SIZE], background[OPTION_WORD_SIZE],
      range[OPTION_WORD_SIZE]; /* "" where not given */
  bool transpose, skip_bad;
  int layout, fit, channels; /* in the order of fovea_layout, fovea_fit and fovea_channels */
  double split;
} image_settings;

/* Those that hold, and of these the ones that a run's configuration had. */
typedef struct image_options {
  image_settings now, kept;
} image_options;

/* Fills table[IMAGE_OPTIONS]; returns how many. */
size_t image_options_table(image_options *o, option table[IMAGE_OPTIONS]);

/* As the library wants them; *load borrows from *o. Of a packed set at `data` (or NULL) those that a run's
 * configuration had are left out: its images were made by them. FOVEA_INVALID for a --size or a --background that is
 * none. */
fovea_status image_options_read(const image_options *o, const char *data, long long limit, long long seed,
                                fovea_load_options *load);

/* Says it, to stderr, where image_options_read leaves something out. */
void image_options_say(const image_options *o, const char *data);

/* Puts those that are not the defaults into a run's configuration, as one object; false without memory, or where
 * image_options_read would fail. */
bool image_options_put(json_t *config, const image_options *o);

/* Sets those that the configuration has; false when one is of another type or out of range. */
bool image_options_get(const json_t *config, image_options *o);

#endif
