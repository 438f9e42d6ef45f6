/* The options that say how images are read, of every command with --data. */
#ifndef FOVEA_TOOLS_TRAIN_IMAGES_H
#define FOVEA_TOOLS_TRAIN_IMAGES_H

#include "cli/options.h"
#include "fovea/data.h"

enum { IMAGE_OPTIONS = 12 };

/* As the option table wants them. */
typedef struct image_options {
  const char *set, *size;
  bool transpose;
  int layout;
  double split;
} image_options;

/* Fills table[IMAGE_OPTIONS]; returns how many. */
size_t image_options_table(image_options *o, option table[IMAGE_OPTIONS]);

/* As the library wants them. FOVEA_INVALID for a --size that is none. */
fovea_status image_options_read(const image_options *o, long long limit, long long seed, fovea_load_options *load);

#endif
