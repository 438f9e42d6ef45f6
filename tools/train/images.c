#include "train/images.h"

#include <string.h>

#include "base/fail.h"

enum { MOST_SIDE = 65535 };

size_t image_options_table(image_options *o, option table[IMAGE_OPTIONS]) {
  const option all[] = {
      {.name = "set",
       .kind = OPTION_STRING,
       .value = &o->set,
       .argument = "NAME",
       .help = "which of several sets in the folder: letters of emnist-letters-train-images-idx3-ubyte"},
      {.name = "transpose",
       .kind = OPTION_FLAG,
       .value = &o->transpose,
       .help = "exchange rows and columns: puts EMNIST upright"},
      {.name = "layout",
       .kind = OPTION_CHOICE,
       .value = &o->layout,
       .choices = "by-shape|nhwc|nchw",
       .help = "where an array of images has its channels, last or first"},
      {.name = "size",
       .kind = OPTION_STRING,
       .value = &o->size,
       .argument = "SIDE or HEIGHTxWIDTH",
       .help = "of images that are stored as rows of numbers"},
      {.name = "split",
       .kind = OPTION_FLOAT,
       .value = &o->split,
       .max = 0.9,
       .argument = "PART",
       .help = "test with this part of a set that has no test split, chosen by --seed; 0 is none"}};
  _Static_assert(sizeof all / sizeof *all <= IMAGE_OPTIONS, "room for all of them");
  memcpy(table, all, sizeof all);
  return sizeof all / sizeof *all;
}

/* "64" or "48x64". */
static bool read_size(const char *text, fovea_load_options *load) {
  char height[8];
  long long value;
  const size_t n = strcspn(text, "xX");
  if (n >= sizeof height) return false;
  memcpy(height, text, n);
  height[n] = '\0';
  if (!options_read_int(height, 1, MOST_SIDE, &value)) return false;
  load->height = load->width = (int)value;
  if (text[n] == '\0') return true;
  if (!options_read_int(text + n + 1, 1, MOST_SIDE, &value)) return false;
  load->width = (int)value;
  return true;
}

fovea_status image_options_read(const image_options *o, long long limit, long long seed, fovea_load_options *load) {
  *load = (fovea_load_options){.limit = (size_t)limit,
                               .set = o->set,
                               .transpose = o->transpose,
                               .layout = (fovea_layout)o->layout,
                               .split = o->split,
                               .seed = (uint64_t)seed,
                               .in_file = true};
  if (o->size == NULL || read_size(o->size, load)) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--size %.40s: expected a side as 64, or height and width as 48x64", o->size);
}
