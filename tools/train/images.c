#include "train/images.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "cli/progress.h"
#include "data/pack.h"

enum { MOST_SIDE = 65535 };

static const char layouts[] = "by-shape|nhwc|nchw", fits[] = "crop|pad|stretch", channels[] = "auto|gray|rgb|as-is";
static const double largest_split = 0.9, most_range = 1e30;

size_t image_options_table(image_options *o, option table[IMAGE_OPTIONS]) {
  const option all[] = {
      {.name = "set",
       .kind = OPTION_WORD,
       .value = o->now.set,
       .argument = "NAME",
       .help = "which of several sets in the folder: letters of emnist-letters-train-images-idx3-ubyte"},
      {.name = "transpose",
       .kind = OPTION_FLAG,
       .value = &o->now.transpose,
       .help = "exchange rows and columns: puts EMNIST upright"},
      {.name = "layout",
       .kind = OPTION_CHOICE,
       .value = &o->now.layout,
       .choices = layouts,
       .help = "where an array of images has its channels, last or first"},
      {.name = "size",
       .kind = OPTION_WORD,
       .value = o->now.size,
       .argument = "SIZE",
       .help = "resize pictures to 64x64 or 48x64; of arrays, what a row of numbers is"},
      {.name = "range",
       .kind = OPTION_WORD,
       .value = o->now.range,
       .argument = "LO:HI",
       .help = "which numbers of arrays and of 16-bit pictures are black and white, 0:4095 of 12 bits"},
      {.name = "fit",
       .kind = OPTION_CHOICE,
       .value = &o->now.fit,
       .choices = fits,
       .help = "what --size does to pictures of other proportions"},
      {.name = "channels",
       .kind = OPTION_CHOICE,
       .value = &o->now.channels,
       .choices = channels,
       .help = "of pictures; auto: gray if all are gray, else RGB"},
      {.name = "background",
       .kind = OPTION_WORD,
       .value = o->now.background,
       .argument = "RRGGBB",
       .help = "colour under transparent and beside padded pictures, also white or black [black]"},
      {.name = "skip-bad",
       .kind = OPTION_FLAG,
       .value = &o->now.skip_bad,
       .help = "pass over pictures that are damaged or of another kind, and list them"},
      {.name = "split",
       .kind = OPTION_FLOAT,
       .value = &o->now.split,
       .max = largest_split,
       .argument = "PART",
       .help = "test with this part of a set that has no test split, chosen by --seed; 0 is 0.1 of pictures, none of "
               "arrays"}};
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

/* "0:4095", "-1:1". */
static bool read_range(const char *text, double range[2]) {
  char low[OPTION_WORD_SIZE];
  const size_t n = strcspn(text, ":");
  if (text[0] == '\0') return true;
  if (text[n] != ':' || n >= sizeof low) return false;
  memcpy(low, text, n);
  low[n] = '\0';
  return options_read_float(low, -most_range, most_range, &range[0]) &&
         options_read_float(text + n + 1, -most_range, most_range, &range[1]) && range[0] < range[1];
}

/* "white", "black", "ff8000" or "#ff8000". */
static bool read_colour(const char *text, uint8_t colour[3]) {
  static const char digits[] = "0123456789abcdef";
  if (text[0] == '\0' || strcasecmp(text, "black") == 0) text = "000000";
  if (strcasecmp(text, "white") == 0) text = "ffffff";
  if (*text == '#') text++;
  if (strlen(text) != 6) return false;
  for (int i = 0; i < 6; i++) {
    const char *digit = strchr(digits, text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
    if (digit == NULL) return false;
    colour[i / 2] = (uint8_t)(colour[i / 2] * 16 + (digit - digits));
  }
  return true;
}

/* --- of packed sets ---------------------------------------------------------------------------------------------- */

static void forget_word(char word[OPTION_WORD_SIZE], const char *kept) {
  if (strcmp(word, kept) == 0) word[0] = '\0';
}

static void forget_choice(int *choice, int kept) {
  if (*choice == kept) *choice = 0;
}

/* Those that were not kept: given on the command line, and other than what was kept. */
static image_settings given(const image_options *o) {
  image_settings s = o->now;
  forget_word(s.set, o->kept.set);
  forget_word(s.size, o->kept.size);
  forget_word(s.background, o->kept.background);
  forget_word(s.range, o->kept.range);
  forget_choice(&s.layout, o->kept.layout);
  forget_choice(&s.fit, o->kept.fit);
  forget_choice(&s.channels, o->kept.channels);
  s.transpose = s.transpose && !o->kept.transpose;
  s.skip_bad = s.skip_bad && !o->kept.skip_bad;
  if (s.split == o->kept.split) s.split = 0;
  return s;
}

static bool has_any(const image_settings *s) {
  return s->set[0] != '\0' || s->size[0] != '\0' || s->background[0] != '\0' || s->range[0] != '\0' || s->transpose ||
         s->skip_bad || s->layout != 0 || s->fit != 0 || s->channels != 0 || s->split != 0;
}

void image_options_say(const image_options *o, const char *data) {
  if (o->now.fit != 0 && o->now.size[0] == '\0')
    progress_say("fovea: --fit says what --size does to pictures, and there is none: it changes nothing");
  if (has_any(&o->kept) && data != NULL && fovea_pack_is(data))
    progress_say(
        "fovea: the images of --data were made when they were packed: how the run read its images (--size and so on) "
        "is not applied to them");
}

fovea_status image_options_read(const image_options *o, const char *data, long long limit, long long seed,
                                fovea_load_options *load) {
  const image_settings s = data != NULL && fovea_pack_is(data) ? given(o) : o->now;
  *load = (fovea_load_options){.limit = (size_t)limit,
                               .set = s.set[0] != '\0' ? o->now.set : NULL,
                               .transpose = s.transpose,
                               .layout = (fovea_layout)s.layout,
                               .split = s.split,
                               .seed = (uint64_t)seed,
                               .fit = (fovea_fit)s.fit,
                               .channels = (fovea_channels)s.channels,
                               .skip_bad = s.skip_bad,
                               .in_file = true};
  if (s.size[0] != '\0' && !read_size(s.size, load))
    return fovea_fail(FOVEA_INVALID, "--size %.40s: expected a side as 64, or height and width as 48x64", s.size);
  if (!read_range(s.range, load->range))
    return fovea_fail(FOVEA_INVALID, "--range %.40s: expected two numbers, the lower first, as 0:4095", s.range);
  if (read_colour(s.background, load->background)) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--background %.40s: expected white, black, or six hexadecimal digits as ff8000",
                    s.background);
}

/* --- in a run's configuration ------------------------------------------------------------------------------------ */

static bool put(json_t *object, const char *key, json_t *value) { return json_object_set_new(object, key, value) == 0; }

static bool put_choice(json_t *object, const char *key, const char *choices, int index) {
  char word[OPTION_WORD_SIZE];
  return index == 0 || put(object, key, json_string(options_choice(choices, index, word, sizeof word)));
}

bool image_options_put(json_t *config, const image_options *o) {
  fovea_load_options load;
  char size[OPTION_WORD_SIZE], colour[OPTION_WORD_SIZE];
  json_t *object = json_object();
  if (object == NULL || image_options_read(o, NULL, 0, 0, &load) != FOVEA_OK) {
    json_decref(object);
    return false;
  }
  const uint8_t *b = load.background;
  snprintf(size, sizeof size, "%dx%d", load.height, load.width);
  snprintf(colour, sizeof colour, "%02x%02x%02x", b[0], b[1], b[2]);
  bool good = (o->now.set[0] == '\0' || put(object, "set", json_string(o->now.set))) &&
              (load.height == 0 || put(object, "size", json_string(size))) &&
              ((b[0] | b[1] | b[2]) == 0 || put(object, "background", json_string(colour))) &&
              (o->now.range[0] == '\0' || put(object, "range", json_string(o->now.range))) &&
              (!o->now.transpose || put(object, "transpose", json_true())) &&
              (!o->now.skip_bad || put(object, "skip_bad", json_true())) &&
              (o->now.split == 0 || put(object, "split", json_real(o->now.split))) &&
              put_choice(object, "layout", layouts, o->now.layout) && put_choice(object, "fit", fits, o->now.fit) &&
              put_choice(object, "channels", channels, o->now.channels);
  if (good && json_object_size(object) > 0) good = json_object_set(config, "images", object) == 0;
  json_decref(object);
  return good;
}

static bool get_word(const json_t *object, const char *key, char word[OPTION_WORD_SIZE]) {
  const json_t *value = json_object_get(object, key);
  word[0] = '\0';
  if (value == NULL) return true;
  return json_is_string(value) && snprintf(word, OPTION_WORD_SIZE, "%s", json_string_value(value)) < OPTION_WORD_SIZE;
}

static bool get_choice(const json_t *object, const char *key, const char *choices, int *index) {
  char word[OPTION_WORD_SIZE];
  if (!get_word(object, key, word)) return false;
  *index = word[0] == '\0' ? 0 : options_find_choice(choices, word, strlen(word));
  return *index >= 0;
}

bool image_options_get(const json_t *config, image_options *o) {
  const json_t *object = json_object_get(config, "images"), *split = json_object_get(object, "split");
  image_options all = {.now = {.split = split != NULL ? json_number_value(split) : 0,
                               .transpose = json_is_true(json_object_get(object, "transpose")),
                               .skip_bad = json_is_true(json_object_get(object, "skip_bad"))}};
  image_settings *const read = &all.now;
  fovea_load_options load;
  if (object != NULL && !json_is_object(object)) return false;
  if (!get_word(object, "set", read->set) || !get_word(object, "size", read->size) ||
      !get_word(object, "background", read->background) || !get_word(object, "range", read->range) ||
      !get_choice(object, "layout", layouts, &read->layout) || !get_choice(object, "fit", fits, &read->fit) ||
      !get_choice(object, "channels", channels, &read->channels) ||
      !(read->split >= 0 && read->split <= largest_split) || image_options_read(&all, NULL, 0, 0, &load) != FOVEA_OK)
    return false;
  all.kept = all.now;
  *o = all;
  return true;
}
