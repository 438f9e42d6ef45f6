/* The options of augmentation (fovea/augment.h): of the commands that train. */
#ifndef FOVEA_TOOLS_TRAIN_AUGMENT_H
#define FOVEA_TOOLS_TRAIN_AUGMENT_H

#include <jansson.h>

#include "cli/options.h"
#include "fovea/augment.h"

enum { AUGMENT_OPTIONS = 6 };

/* As the option table wants them; choices in the order of the library's enums. All 0 is off. */
typedef struct augment_options {
  long long shift, crop;
  int fill, flip;
  double contrast, brightness;
} augment_options;

/* Fills table[AUGMENT_OPTIONS]; returns how many. */
size_t augment_options_table(augment_options *o, option table[AUGMENT_OPTIONS]);

fovea_augmentation augment_options_read(const augment_options *o);

/* Whether training pictures are changed at all; the fill alone changes none. */
bool augment_options_any(const augment_options *o);

/* Puts those that are on into a run's configuration, under their own names, the fill with a shift; nothing where all
 * are off, as before there were any. False without memory. */
bool augment_options_put(json_t *config, const augment_options *o);

/* Sets all; false when one is of another type or no word of its choice. Ranges are the option table's. */
bool augment_options_get(const json_t *config, augment_options *o);

/* Number i of the names under which they are put; NULL after the last. */
const char *augment_options_key(size_t i);

#endif
