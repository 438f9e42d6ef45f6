#include "train/augment.h"

#include <string.h>

static const char fills[] = "edge|black", flips[] = "none|horizontal|vertical|both";
enum { MOST_PIXELS = 4095 };

size_t augment_options_table(augment_options *o, option table[AUGMENT_OPTIONS]) {
  const option all[] = {
      {.name = "shift",
       .kind = OPTION_INT,
       .value = &o->shift,
       .max = MOST_PIXELS,
       .argument = "PIXELS",
       .help = "augmentation: training images moved by up to so many pixels each way, at random; 0 is off"},
      {.name = "fill",
       .kind = OPTION_CHOICE,
       .value = &o->fill,
       .choices = fills,
       .help = "augmentation: what a shift leaves empty gets the nearest pixels, or black"},
      {.name = "flip",
       .kind = OPTION_CHOICE,
       .value = &o->flip,
       .choices = flips,
       .help = "augmentation: half of the training images mirrored, left to right, top to bottom, or each apart"},
      {.name = "crop",
       .kind = OPTION_INT,
       .value = &o->crop,
       .max = MOST_PIXELS,
       .argument = "PIXELS",
       .help =
           "augmentation: of each training image with so many black pixels around it a piece of its size; 0 is off"},
      {.name = "contrast",
       .kind = OPTION_FLOAT,
       .value = &o->contrast,
       .max = 1,
       .argument = "PART",
       .help = "augmentation: distances from middle gray times 1 - PART to 1 + PART; 0 is off"},
      {.name = "brightness",
       .kind = OPTION_FLOAT,
       .value = &o->brightness,
       .max = 1,
       .argument = "PART",
       .help = "augmentation: training images times 1 - PART to 1 + PART; 0 is off"}};
  _Static_assert(sizeof all / sizeof *all == AUGMENT_OPTIONS, "room for all of them");
  memcpy(table, all, sizeof all);
  return AUGMENT_OPTIONS;
}

fovea_augmentation augment_options_read(const augment_options *o) {
  return (fovea_augmentation){.shift = (int)o->shift,
                              .fill = (fovea_fill)o->fill,
                              .flip = (fovea_flip)o->flip,
                              .crop = (int)o->crop,
                              .contrast = o->contrast,
                              .brightness = o->brightness};
}

bool augment_options_any(const augment_options *o) {
  return o->shift > 0 || o->flip > 0 || o->crop > 0 || o->contrast > 0 || o->brightness > 0;
}

/* --- in a run's configuration ------------------------------------------------------------------------------------ */

static bool put(json_t *config, const option *o) {
  char word[OPTION_WORD_SIZE];
  json_t *value = o->kind == OPTION_INT ? json_integer(*(const long long *)o->value)
                  : o->kind == OPTION_FLOAT
                      ? json_real(*(const double *)o->value)
                      : json_string(options_choice(o->choices, *(const int *)o->value, word, sizeof word));
  return json_object_set_new(config, o->name, value) == 0;
}

static bool is_on(const option *o, const augment_options *all) {
  if (o->value == &all->fill) return all->shift > 0;
  if (o->kind == OPTION_INT) return *(const long long *)o->value > 0;
  if (o->kind == OPTION_FLOAT) return *(const double *)o->value > 0;
  return *(const int *)o->value > 0;
}

bool augment_options_put(json_t *config, const augment_options *o) {
  augment_options copy = *o;
  option table[AUGMENT_OPTIONS];
  bool good = true;
  augment_options_table(&copy, table);
  for (size_t i = 0; i < AUGMENT_OPTIONS && good; i++)
    if (is_on(&table[i], &copy)) good = put(config, &table[i]);
  return good;
}

static bool get(const json_t *value, const option *o) {
  if (o->kind == OPTION_INT) {
    *(long long *)o->value = json_integer_value(value);
    return json_is_integer(value);
  }
  if (o->kind == OPTION_FLOAT) {
    *(double *)o->value = json_number_value(value);
    return json_is_number(value);
  }
  const char *word = json_string_value(value);
  const int index = word != NULL ? options_find_choice(o->choices, word, strlen(word)) : -1;
  *(int *)o->value = index;
  return index >= 0;
}

bool augment_options_get(const json_t *config, augment_options *o) {
  augment_options read = {0};
  option table[AUGMENT_OPTIONS];
  bool good = true;
  augment_options_table(&read, table);
  for (size_t i = 0; i < AUGMENT_OPTIONS && good; i++) {
    const json_t *value = json_object_get(config, table[i].name);
    if (value != NULL) good = get(value, &table[i]);
  }
  if (good) *o = read;
  return good;
}

const char *augment_options_key(size_t i) {
  augment_options none = {0};
  option table[AUGMENT_OPTIONS];
  augment_options_table(&none, table);
  return i < AUGMENT_OPTIONS ? table[i].name : NULL;
}
