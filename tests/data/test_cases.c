/* Folders of pictures as people have them, as reported and as other programs lay them out: what is loaded of each, and
 * what is said. The pictures are those of kinds/, 28 x 28 but for what is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

#include "base/file.h"
#include "data/load.h"
#include "data/picture.h"
#include "fovea/data.h"
#include "support/tempdir.h"

enum { LONGEST = 256 };

/* ---- making a set ----------------------------------------------------------------------------------------------- */

static void copy(const char *path, const char *source) {
  char file[512];
  uint8_t *bytes = NULL;
  size_t size = 0;
  snprintf(file, sizeof file, FOVEA_SOURCE_DIR "/tests/data/kinds/%s", source);
  if (strcmp(source, "text") == 0)
    temp_file(path, "hello", 5);
  else if (strcmp(source, "avif") == 0)
    temp_file(path,
              "\0\0\0\x1c"
              "ftypavif\0\0\0\0",
              16);
  else if (strcmp(source, "empty") == 0)
    temp_file(path, "", 0);
  else if (strcmp(source, "fifo") == 0)
    unlink(temp_file(path, "", 0)), assert_int_equal(mkfifo(temp_path(path), 0666), 0);
  else if (source[0] == '>')
    unlink(temp_file(path, "", 0)), assert_int_equal(symlink(source + 1, temp_path(path)), 0);
  else {
    assert_int_equal(fovea_file_read(file, 1 << 20, &bytes, &size), FOVEA_OK);
    temp_file(path, bytes, size);
  }
  free(bytes);
}

/* Makes SET/PATTERN of the source: "{a,b}" is each of these, "#" one of 0 to 2. */
static void expand(const char *before, const char *pattern, const char *source) {
  char path[LONGEST];
  const size_t n = strcspn(pattern, "{#"), used = strlen(before);
  if (pattern[n] == '\0') {
    snprintf(path, sizeof path, "%s%s", before, pattern);
    copy(path, source);
    return;
  }
  const char *choices = pattern[n] == '#' ? "0,1,2}" : pattern + n + 1;
  const char *rest = pattern[n] == '#' ? pattern + n + 1 : strchr(pattern + n, '}') + 1;
  for (size_t k; (k = strcspn(choices, ",}")), true; choices += k + 1) {
    snprintf(path, sizeof path, "%.*s%.*s%.*s", (int)used, before, (int)n, pattern, (int)k, choices);
    expand(path, rest, source);
    if (choices[k] == '}') break;
  }
}

/* "PATTERN=SOURCE PATTERN=SOURCE ...", a later one over an earlier one. */
static void make(const char *set, const char *files) {
  char before[LONGEST], pattern[LONGEST], source[64];
  snprintf(before, sizeof before, "%s/", set);
  for (; *files != '\0'; files += strcspn(files, " "), files += *files == ' ') {
    const size_t n = strcspn(files, "="), m = strcspn(files + n, " ");
    snprintf(pattern, sizeof pattern, "%.*s", (int)n, files);
    snprintf(source, sizeof source, "%.*s", (int)m - 1, files + n + 1);
    expand(before, pattern, source);
  }
}

/* ---- what a load says ------------------------------------------------------------------------------------------- */

enum { SAID = 1 << 14 };

/* All that the report says, a line each: "12 .txt", remarks; or the message of a failure. */
static void gather(const fovea_dataset *set, char said[SAID]) {
  size_t used = 0;
  if (set == NULL) {
    snprintf(said, SAID, "%s", fovea_error_message());
    return;
  }
  const fovea_data_report *r = set->report;
  for (size_t i = 0; i < r->class_count; i++)
    used += (size_t)snprintf(said + used, SAID - used, "%s=%d\n", r->classes[i].name, r->classes[i].label);
  for (size_t i = 0; i < r->kind_count; i++)
    used += (size_t)snprintf(said + used, SAID - used, "%zu %s\n", r->passed_over[i].count, r->passed_over[i].name);
  for (size_t i = 0; i < r->remark_count; i++)
    used += (size_t)snprintf(said + used, SAID - used, "%s\n", r->remarks[i]);
}

static size_t classes_there(const fovea_dataset *set) {
  size_t count = 0;
  for (size_t i = 0; i < set->report->class_count; i++) count += set->report->classes[i].there > 0;
  return count;
}

typedef struct expected {
  fovea_status status;
  size_t train, test; /* images */
  size_t classes;     /* with training images; 0 without labels */
  int channels, height, width;
  const char *says[3]; /* of training images, or of the failure */
} expected;

#define GRAY(train, test, classes) FOVEA_OK, train, test, classes, 1, 28, 28
#define RGB(train, test, classes) FOVEA_OK, train, test, classes, 3, 28, 28
#define REFUSED FOVEA_INVALID, 0, 0, 0, 0, 0, 0

typedef struct sample {
  const char *name, *files;
  expected is;
  fovea_load_options options;
} sample;

static bool same(const fovea_dataset *a, const fovea_dataset *b) {
  static char one[SAID], other[SAID];
  const size_t image = (size_t)a->channels * (size_t)a->height * (size_t)a->width;
  gather(a, one);
  gather(b, other);
  return a->count == b->count && a->channels == b->channels && a->height == b->height && a->width == b->width &&
         memcmp(a->pixels, b->pixels, a->count * image) == 0 && (a->labels != NULL) == (b->labels != NULL) &&
         (a->labels == NULL || memcmp(a->labels, b->labels, a->count * sizeof *a->labels) == 0) &&
         a->report->images == b->report->images && strcmp(one, other) == 0;
}

/* Both splits in one load are those of two, and so is what is said; NULL, NULL: it fails with that status. */
static bool both_alike(const sample *s, const fovea_dataset *train, const fovea_dataset *test) {
  fovea_dataset *sets[2] = {NULL, NULL};
  const fovea_load_options *const options[] = {&s->options, &s->options};
  const fovea_status status = fovea_dataset_load_both(temp_path(s->name), options, NULL, &sets);
  const bool good = test == NULL ? status != FOVEA_OK && sets[0] == NULL
                                 : status == FOVEA_OK && same(sets[0], train) && same(sets[1], test);
  if (!good) print_error("both at once differ from one after the other, status %d\n", (int)status);
  fovea_dataset_destroy(sets[0]);
  fovea_dataset_destroy(sets[1]);
  return good;
}

static bool as_expected(const sample *s, char said[SAID]) {
  const expected *e = &s->is;
  fovea_dataset *train = NULL, *test = NULL;
  fovea_status status = fovea_dataset_load_as(temp_path(s->name), "train", &s->options, &train);
  gather(train, said);
  bool good = e->status == FOVEA_OK || status != FOVEA_OK;
  if (status == FOVEA_OK) status = fovea_dataset_load_as(temp_path(s->name), "test", &s->options, &test);
  if (train != NULL && test == NULL) gather(test, said);
  good = good && status == e->status;
  for (size_t i = 0; i < 3 && e->says[i] != NULL; i++) good = good && strstr(said, e->says[i]) != NULL;
  if (status == FOVEA_OK)
    good = good && train->count == e->train && test->count == e->test && (train->labels != NULL) == (e->classes > 0) &&
           classes_there(train) == e->classes && train->channels == e->channels && train->height == e->height &&
           train->width == e->width && test->channels == e->channels && test->height == e->height;
  good = both_alike(s, train, test) && good;
  if (!good && train != NULL && test != NULL)
    print_error("%zu and %zu images, %zu classes, %d x %d x %d\n", train->count, test->count, classes_there(train),
                train->channels, train->height, train->width);
  fovea_dataset_destroy(train);
  fovea_dataset_destroy(test);
  return good;
}

static void try_all(const sample *samples, size_t count) {
  static char said[SAID];
  size_t bad = 0;
  for (size_t i = 0; i < count; i++) {
    make(samples[i].name, samples[i].files);
    if (as_expected(&samples[i], said)) continue;
    print_error("%s: %s\n", samples[i].name, said);
    bad++;
  }
  assert_int_equal(bad, 0);
}

#define TRY(samples) try_all(samples, sizeof samples / sizeof *samples)
#define BOTH "{train,test}/{cat,dog}/"

/* ---- kinds of pictures ------------------------------------------------------------------------------------------ */

static void test_kinds(void **state) {
  (void)state;
  static const char over_black[] =
      "6 of 6 pictures have an alpha channel or a transparent colour: what is "
      "transparent is laid over the background, RGB 0, 0, 0";
  static const sample samples[] = {
      {"50-gray", BOTH "#.png=gray.png", {GRAY(6, 6, 2), {"cat=0\ndog=1\n"}}, {0}},
      {"51-rgb", BOTH "#.png=rgb.png", {RGB(6, 6, 2), {NULL}}, {0}},
      {"52-gray-and-rgb",
       BOTH "#.png=rgb.png train/cat/1.png=gray.png",
       {RGB(6, 6, 2), {"train: 1 of 6 pictures are gray and taken as RGB (--channels)"}},
       {0}},
      {"53-rgb-after-gray",
       BOTH "#.png=gray.png test/dog/1.png=rgb.png",
       {RGB(6, 6, 2), {"6 of 6 pictures are gray"}},
       {0}},
      {"53-as-gray",
       BOTH "#.png=gray.png train/dog/1.png=rgb.png",
       {GRAY(6, 6, 2), {"1 of 6 pictures are RGB and taken as gray"}},
       {.channels = FOVEA_CHANNELS_GRAY}},
      {"50-as-rgb",
       BOTH "#.png=gray.png",
       {RGB(6, 6, 2), {"6 of 6 pictures are gray"}},
       {.channels = FOVEA_CHANNELS_RGB}},
      {"52-as-is",
       BOTH "#.png=rgb.png train/cat/1.png=gray.png",
       {REFUSED, {"1 gray, 11 RGB; with --channels gray or --channels rgb"}},
       {.channels = FOVEA_CHANNELS_AS_IS}},
      {"55-gray-alpha", BOTH "#.png=gray_alpha.png", {GRAY(6, 6, 2), {over_black}}, {0}},
      {"55-as-is",
       BOTH "#.png=gray_alpha.png",
       {FOVEA_OK, 6, 6, 2, 2, 28, 28, {NULL}},
       {.channels = FOVEA_CHANNELS_AS_IS}},
      {"56-palette", BOTH "#.png=palette.png", {RGB(6, 6, 2), {NULL}}, {0}},
      {"58-16bit", BOTH "#.png=deep.png", {GRAY(6, 6, 2), {"6 of 6 pictures have 16 bits, rounded to 8"}}, {0}},
      {"58-range",
       BOTH "#.png=deep.png train/cat/1.png=gray.png",
       {GRAY(6, 6, 2), {"5 of 6 pictures have 16 bits: 0 to 4095 of them become 0 to 255 (--range)"}},
       {.range = {0, 4095}}},
      {"50-range",
       BOTH "#.png=gray.png",
       {REFUSED, {"--range 0:4095 is for arrays and pictures of 16 bits, and all pictures here have 8"}},
       {.range = {0, 4095}}},
      {"59-trns",
       "{train,test}/x#.png=trns.png",
       {RGB(3, 3, 0), {"3 of 3 pictures have an alpha channel or a transparent colour"}},
       {0}},
      {"60-jpeg", BOTH "#.jpg=photo.jpg", {RGB(6, 6, 2), {NULL}}, {0}},
      {"61-JPEG-imagenet", BOTH "#.JPEG=photo.jpg", {RGB(6, 6, 2), {NULL}}, {0}},
      {"63-jpeg-one-class",
       "{train,test}/cat/#.png=gray.png {train,test}/dog/#.jpg=photo.jpg",
       {RGB(6, 6, 2), {NULL}},
       {0}},
      {"64-jpeg-named-png", BOTH "#.png=rgb.png train/cat/1.png=photo.jpg", {RGB(6, 6, 2), {NULL}}, {0}},
      {"65-png-named-jpg", BOTH "#.png=rgb.png train/cat/1.jpg=rgb.png", {RGB(7, 6, 2), {NULL}}, {0}},
      {"66-bmp", BOTH "#.bmp=other.bmp", {REFUSED, {"is a BMP picture", "mogrify -format png", "--skip-bad"}}, {0}},
      {"67-gif", BOTH "#.gif=other.gif", {REFUSED, {"is a GIF picture"}}, {0}},
      {"68-tiff", BOTH "#.tif=other.tif", {REFUSED, {"is a TIFF picture"}}, {0}},
      {"70-ppm", BOTH "#.pgm=other.pgm", {REFUSED, {"is a PPM picture"}}, {0}},
      {"71-uppercase-PNG", BOTH "#.PNG=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"129-gamma", BOTH "#.png=gray.png train/cat/1.png=gamma.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"132-exif-orientation",
       BOTH "#.png=rgb.png train/cat/1.png=turned.png",
       {RGB(6, 6, 2), {"1 of 6 pictures are turned upright, as their Exif says"}},
       {0}},
      {"cmyk",
       "{train,test}/#.jpg=../jpeg/cmyk.jpg",
       {FOVEA_OK, 3, 3, 0, 3, 23, 37, {"train: 3 of 3 pictures are CMYK and taken as RGB"}},
       {0}},
      {"animated-png",
       BOTH "#.png=gray.png train/cat/1.png=animated.png",
       {GRAY(6, 6, 2), {"train: 1 of 6 pictures are animated: the first frame is taken"}},
       {0}},
      {"avif", BOTH "#.png=gray.png train/cat/1.png=avif", {REFUSED, {"is an AVIF picture"}}, {0}},
      {"150-png-without-suffix", BOTH "#=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
  };
  TRY(samples);
}

/* WebP, where the build has it. */
static void test_webp(void **state) {
  (void)state;
  static const sample taken[] = {
      {"69-webp", BOTH "#.webp=other.webp", {FOVEA_OK, 6, 6, 2, 3, 28, 28, {NULL}}, {0}},
      {"69-webp-named-png",
       BOTH "#.png=rgb.png train/cat/1.png=../webp/turned6.webp",
       {FOVEA_OK, 6, 6, 2, 3, 19, 12, {"1 of 6 pictures are turned upright", "5 of 6 pictures are resized to 19x12"}},
       {.height = 19, .width = 12, .fit = FOVEA_FIT_STRETCH}}};
  static const sample refused[] = {
      {"69-webp", BOTH "#.webp=other.webp", {REFUSED, {"is a WebP picture, and this fovea was built without"}}, {0}}};
  if (fovea_webp_built())
    TRY(taken);
  else
    TRY(refused);
}

static void test_damaged_files(void **state) {
  (void)state;
  static const struct {
    const char *name, *source, *says;
    bool taken;
  } cases[] = {
      {"120-zero-byte-png", "empty", "cat/1.png' is named like a picture, but it is empty", false},
      {"121-truncated-png", "cut.png", "cat/1.png' is not a good PNG", false},
      {"122-text-named-png", "page.html", "cat/1.png' is an HTML page, not a picture: the download went wrong", false},
      {"123-trailing-junk-png", "trailing.png", "", true},
      {"124-idat-crc", "damaged.png", "cat/1.png' is not a good PNG", false},
      {"125-text-crc", "text_crc.png", "", true},
      {"128-huge-ihdr", "huge.png", "cat/1.png' is not a good PNG: it is said to be 2147483647 x 2147483647", false},
      {"130-cgbi", "iphone.png", "cat/1.png' is an iPhone PNG (CgBI)", false},
      {"fifo", "fifo", "cat/1.png': it is not a regular file", false},
      {"loop-named-png", ">1.png", "cat/1.png': Too many levels of symbolic links", false},
      {"webp-among", "../webp/animated.webp", "cat/1.png' is an animated WebP", false},
  };
  static char said[SAID], name[64], files[LONGEST];
  size_t bad = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int skip = 0; skip < 2; skip++) {
      snprintf(name, sizeof name, "%s%s", cases[i].name, skip ? "-skipped" : "");
      snprintf(files, sizeof files, BOTH "#.png=gray.png train/cat/1.png=%s", cases[i].source);
      make(name, files);
      fovea_dataset *set = NULL;
      const fovea_load_options options = {.skip_bad = skip == 1};
      const fovea_status status = fovea_dataset_load_as(temp_path(name), "train", &options, &set);
      gather(set, said);
      const bool fine = status == FOVEA_OK && set->count == (cases[i].taken ? 6 : 5) &&
                        set->report->images == set->count && set->report->classes[0].there == set->count - 3 &&
                        (set->labels[0] == 0 && set->labels[set->count - 1] == 1) == true;
      const bool refused = (status == FOVEA_INVALID || status == FOVEA_IO) && set == NULL;
      const bool told = strstr(said, cases[i].says) != NULL &&
                        (skip == 0 || cases[i].taken || strstr(said, "1 damaged or not readable") != NULL);
      if ((skip == 1 || cases[i].taken ? fine : refused) && told) {
        fovea_dataset_destroy(set);
        continue;
      }
      print_error("%s: status %d: %s\n", name, (int)status, said);
      fovea_dataset_destroy(set);
      bad++;
    }
  assert_int_equal(bad, 0);
}

/* ---- folders ---------------------------------------------------------------------------------------------------- */

static void test_folders(void **state) {
  (void)state;
  static const sample samples[] = {
      {"72-dropped-files",
       BOTH
       "#.png=gray.png {train,test}/{desktop.ini,Thumbs.db,.DS_Store,cat/._0.png,cat/.ipynb_checkpoints/0.png}=text",
       {GRAY(6, 6, 2), {"1 desktop.ini", "1 .ipynb_checkpoints", "1 ._*"}},
       {0}},
      {"73-macosx-folder",
       "{train,test}/{3,7}/#.png=gray.png train/__MACOSX/._3.png=text",
       {GRAY(6, 6, 2), {"3=3\n7=7\n1 __MACOSX"}},
       {0}},
      {"74-macosx-in-flat",
       "{train,test}/im#.png=gray.png train/__MACOSX/._3.png=text",
       {GRAY(3, 3, 0), {"1 __MACOSX"}},
       {0}},
      {"recycled",
       "{cat,dog,$RECYCLE.BIN,lost+found}/#.png=gray.png",
       {GRAY(5, 1, 2), {"cat=0\ndog=1\n", "1 $RECYCLE.BIN", "1 lost+found"}},
       {0}},
      {"75-eadir", BOTH "#.png=gray.png train/cat/@eaDir/0.png=text", {GRAY(6, 6, 2), {"1 @eaDir"}}, {0}},
      {"80-nested-deeper",
       "{train,test}/animals/{cat,dog}/#.png=gray.png",
       {GRAY(6, 6, 1),
        {"animals=0\n", "train: 6 pictures lie in folders of a class's folder", "'animals' of 'animals/"}},
       {0}},
      {"82-valid", "{train,valid}/{cat,dog}/#.png=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"83-training-testing", "{training,testing}/{cat,dog}/#.png=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"84-Train-Test", "{Train,Test}/{cat,dog}/#.png=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"85-training_set", "{training_set,test_set}/{cat,dog}/#.png=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"VALIDATION", "{TRAIN,VALIDATION}/{cat,dog}/#.png=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"two-trains",
       "{train,training,test}/{cat,dog}/#.png=gray.png",
       {REFUSED, {"has both 'train' and 'training'"}},
       {0}},
      {"only-test", "test/#.png=gray.png", {REFUSED, {"has the folder 'test', but no images to train on"}}, {0}},
      {"86-no-split", "{cat,dog}/#.png=gray.png", {GRAY(5, 1, 2), {"1 of its 6 is kept for testing"}}, {0}},
      {"86-half",
       "{cat,dog}/#.png=gray.png",
       {GRAY(1, 5, 1), {"5 of its 6 are kept for testing, by their names and the seed, a fair share"}},
       {.split = 0.67}},
      {"87-flat-no-split",
       "im#.png=gray.png",
       {GRAY(2, 1, 0), {"1 of its 3 is kept for testing, by their names and the seed; what is added"}},
       {0}},
      {"88-only-train", "train/{cat,dog}/#.png=gray.png", {GRAY(5, 1, 2), {"(--split 0.1)"}}, {0}},
      {"88-one-image", "train/cat/0.png=gray.png", {REFUSED, {"0.1 of 1 image leaves nothing to train"}}, {0}},
      {"89-train-val-test",
       "{train,val,test}/{cat,dog}/#.png=gray.png",
       {GRAY(6, 6, 2), {"not used in", "'val'"}},
       {0}},
      {"class-called-train",
       "{bus,car,train}/#.png=gray.png",
       {REFUSED, {"has the folder 'train' beside 'bus', which holds pictures too: is 'train' a split or a class?"}},
       {0}},
      {"class-called-test",
       "{bus,test}/deeper/#.png=gray.png",
       {REFUSED, {"has the folder 'test' beside 'bus'", "--data"}},
       {0}},
      {"train-beside-no-picture",
       "train/{cat,dog}/#.png=gray.png labels/a.txt=text",
       {GRAY(5, 1, 2), {"'labels'"}},
       {0}},
      {"class-called-train-in-splits",
       "{train,test}/{bus,train}/#.png=gray.png",
       {GRAY(6, 6, 2), {"bus=0\ntrain=1\n"}},
       {0}},
      {"splits-in-classes",
       "{cat,dog}/{train,test}/#.png=gray.png",
       {GRAY(6, 6, 2), {"the splits are folders in those of the classes: 6 pictures train, as 'cat/train/"}},
       {0}},
      {"splits-in-classes-val",
       "{cat,dog}/{train,Validation}/#.png=gray.png dog/test/a.png=gray.png",
       {GRAY(6, 1, 2), {"6 pictures of a validation split, as 'cat/Validation/"}},
       {0}},
      {"yolo", "images/{train,val}/#.png=gray.png labels/{train,val}/#.txt=text", {GRAY(3, 3, 1), {"6 .txt"}}, {0}},
      {"splits-in-some-classes",
       "cat/{train,test}/#.png=gray.png dog/#.png=gray.png",
       {REFUSED, {"but 'dog/0.png' lies in none: to train or to test with?"}},
       {0}},
      {"splits-in-classes-no-train",
       "{cat,dog}/{val,test}/#.png=gray.png",
       {REFUSED, {"there are pictures to test with, as 'cat/", "and none to train with"}},
       {0}},
      {"splits-in-classes-asked",
       "{cat,dog}/{train,test}/#.png=gray.png",
       {REFUSED, {"has a test split, as 'cat/test/0.png'"}},
       {.split = 0.5}},
      {"splits-in-classes-train-alone", "{cat,dog}/train/#.png=gray.png", {GRAY(5, 1, 2), {"of its 6 "}}, {0}},
      {"test-in-train",
       BOTH "#.png=gray.png train/cat/test/a.png=gray.png",
       {REFUSED, {"train/cat/test/a.png' is for training by its first folder, and the folder 'test' in it says"}},
       {0}},
      {"seg_train",
       "seg_{train,test}/{cat,dog}/#.png=gray.png seg_pred/#.png=gray.png",
       {GRAY(6, 6, 2), {"'seg_pred'"}},
       {0}},
      {"seg_train-twice",
       "seg_train/seg_train/{cat,dog}/#.png=gray.png seg_test/seg_test/{cat,dog}/#.png=gray.png",
       {GRAY(6, 6, 2), {"seg_train' holds one folder of that name, which is gone into"}},
       {0}},
      {"train2017", "{train,val}2017/{cat,dog}/#.png=gray.png", {GRAY(6, 6, 2), {NULL}}, {0}},
      {"DIV2K", "DIV2K_{train,valid}_HR/#.png=gray.png", {GRAY(3, 3, 0), {NULL}}, {0}},
      {"cyclegan", "{train,test}{A,B}/#.png=gray.png", {REFUSED, {"has both 'trainA' and 'trainB'"}}, {0}},
      {"trainA", "{train,test}A/#.png=gray.png", {GRAY(3, 3, 0), {NULL}}, {0}},
      {"two-of-seg_train",
       "seg_{train,training,test}/#.png=gray.png",
       {REFUSED, {"has both 'seg_train' and 'seg_training'"}},
       {0}},
      {"bullet_train", "{bullet_train,tram}/#.png=gray.png", {GRAY(5, 1, 2), {"bullet_train=0\ntram=1"}}, {0}},
      {"91-empty-class",
       BOTH "#.png=gray.png train/bird/notes.txt=text",
       {GRAY(6, 6, 2), {"bird=0\ncat=1\ndog=2\n", "the class 'bird' has no images there, and keeps its label 0"}},
       {0}},
      {"92-1-and-01", "{train,test}/{1,01}/#.png=gray.png", {GRAY(6, 6, 2), {"'01' and '1' are the same number"}}, {0}},
      {"94-numbers-over-255", "{train,test}/{1,2,3,256}/#.png=gray.png", {GRAY(12, 12, 4), {"256=256\n"}}, {0}},
      {"95-files-and-folders",
       BOTH "#.png=gray.png train/overview.png=gray.png",
       {REFUSED, {"has both pictures (1, as 'overview.png') and subfolders of pictures (as 'cat')"}},
       {0}},
      {"95-folder-without",
       "{train,test}/#.png=gray.png train/notes/a.txt=text",
       {GRAY(3, 3, 0), {"1 .txt", "1 folder without pictures"}},
       {0}},
      {"96-limit-one-class",
       "train/{cat,dog}/{a,b,c}#.png=gray.png test/cat/#.png=gray.png",
       {GRAY(10, 3, 2), {NULL}},
       {.limit = 10}},
      {"97-images-subfolder",
       "train/{cat,dog}/images/#.png=gray.png test/{cat,dog}/#.png=gray.png",
       {GRAY(6, 6, 2), {"train: 6 pictures lie in folders of a class's folder", "'cat' of 'cat/images/0.png'"}},
       {0}},
      {"no-utf-8", "{train,test}/{ca\xff,d\x01og}/\xfe#\n.png=gray.png", {GRAY(6, 6, 2), {"ca\xff=0\n"}}, {0}},
      {"98-natural-order",
       "{train,test}/{1,2,10}.png=gray.png trainLabels.csv=text",
       {GRAY(3, 3, 0), {"'trainLabels.csv'"}},
       {0}},
      {"107-dir-named-png",
       BOTH "#.png=gray.png train/cat/x.png/readme=text",
       {GRAY(6, 6, 2), {"1 without suffix", "1 folder without pictures"}},
       {0}},
      {"148-class-in-names",
       "{train,test}/{cat,dog}.#.png=gray.png",
       {GRAY(6, 6, 0), {"begin with 'cat', 'dog' and so on: if these are classes"}},
       {0}},
      {"149-empty-train", "train/.keep=empty test/cat/#.png=gray.png", {REFUSED, {"train' holds no picture"}}, {0}},
      {"152-unknown-in-test",
       "{train,test}/{3,7}/#.png=gray.png test/unknown/#.png=gray.png",
       {GRAY(6, 9, 2), {"3=0\n7=1\nunknown=2\n", "'unknown' is not a number"}},
       {0}},
      {"accents",
       "train/caf\xc3\xa9/#.png=gray.png test/cafe\xcc\x81/#.png=gray.png {train,test}/cage/#.png=gray.png",
       {GRAY(6, 6, 2), {"'caf\xc3\xa9' and 'cafe\xcc\x81' differ in how their accents are written: they are two"}},
       {0}},
      {"153-case-collision",
       "{train,test}/{Cat,cat}/#.png=gray.png",
       {GRAY(6, 6, 2), {"'Cat' and 'cat' differ in upper and lower case alone"}},
       {0}},
      {"102-symlinks",
       "real/{cat,dog}/#.png=gray.png {train,test}/{cat,dog}=>../real/cat train/cat/loop=>.",
       {GRAY(6, 6, 2), {"link to a folder around it"}},
       {0}},
  };
  TRY(samples);
}

/* torchvision's ImageFolder, Keras's image_dataset_from_directory, Kaggle's archives. */
static void test_layouts_of_others(void **state) {
  (void)state;
  static const sample samples[] = {
      {"image-folder", "{train,val}/{n01440764,n02102040}/n_#.JPEG=photo.jpg", {RGB(6, 6, 2), {"n01440764=0\n"}}, {0}},
      {"keras-flowers",
       "flower_photos/{daisy,roses,tulips}/#.jpg=photo.jpg flower_photos/LICENSE.txt=text",
       {RGB(6, 3, 3), {"holds one folder, which is looked into: ", "1 .txt"}},
       {0}},
      {"cats_and_dogs_filtered",
       "cats_and_dogs_filtered/{train,validation}/{cats,dogs}/cat.#.jpg=photo.jpg "
       "cats_and_dogs_filtered/vectorize.py=text",
       {RGB(6, 6, 2), {"holds one folder, which is looked into: ", "'vectorize.py'"}},
       {0}},
      {"kaggle-dogs-vs-cats",
       "train/{cat,dog}.#.jpg=photo.jpg test/#.jpg=photo.jpg",
       {RGB(6, 3, 0), {"begin with 'cat'"}},
       {0}},
      {"kaggle-dogs-vs-cats-unpacked",
       "train/train/{cat,dog}.#.jpg=photo.jpg test1/test1/#.jpg=photo.jpg sampleSubmission.csv=text",
       {RGB(6, 3, 0), {"begin with 'cat'", "train' holds one folder of that name", "'sampleSubmission.csv'"}},
       {0}},
      {"kaggle-petimages",
       "{Cat,Dog}/#.jpg=photo.jpg {Cat,Dog}/Thumbs.db=text Cat/666.jpg=empty",
       {RGB(5, 1, 2), {"2 Thumbs.db", "Cat/666.jpg' is named like a picture, but it is empty"}},
       {.skip_bad = true}},
      {"kaggle-chest-xray",
       "chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/#.jpeg=photo.jpg chest_xray/__MACOSX/._train=text",
       {RGB(6, 6, 2), {"'val'"}},
       {0}},
      {"sizes",
       BOTH "#.jpg=photo.jpg train/cat/1.jpg=../jpeg/sampling0.jpg",
       {REFUSED, {"2 sizes (height x width): 11 of 28x28, 1 of 23x37 (as", "--size 28x28"}},
       {0}},
      {"sizes-made-one",
       BOTH "#.jpg=photo.jpg train/cat/1.jpg=../jpeg/sampling0.jpg",
       {FOVEA_OK,
        6,
        6,
        2,
        3,
        16,
        24,
        {"6 of 6 pictures are resized to 16x24, of other proportions 6: the middle cut out"}},
       {.height = 16, .width = 24}},
      {"size-of-arrays",
       BOTH "#.png=gray.png",
       {REFUSED, {"--set, --transpose and --layout are for arrays"}},
       {.transpose = true}},
  };
  TRY(samples);
}

/* ---- splits and many classes ------------------------------------------------------------------------------------ */

/* Both parts together are all, a class has its share in each, and another seed chooses others. The images have one
 * pixel, their number. */
static void test_split(void **state) {
  (void)state;
  enum { CATS = 30, DOGS = 20, ALL = CATS + DOGS };
  char name[64];
  uint8_t before[ALL] = {0};
  for (int i = 0; i < ALL; i++) {
    snprintf(name, sizeof name, "split/%s/%02d.png", i < CATS ? "cat" : "dog", i);
    png_image image = {.version = PNG_IMAGE_VERSION, .width = 1, .height = 1, .format = PNG_FORMAT_GRAY};
    assert_int_equal(png_image_write_to_file(&image, temp_file(name, "", 0), 0, &(uint8_t){(uint8_t)i}, 0, NULL), 1);
  }
  for (uint64_t seed = 0; seed < 3; seed++) {
    const fovea_load_options options = {.split = 0.2, .seed = seed};
    uint8_t seen[ALL] = {0};
    bool other = false;
    for (int split = 0; split < 2; split++) {
      fovea_dataset *set;
      assert_int_equal(fovea_dataset_load_as(temp_path("split"), split ? "test" : "train", &options, &set), FOVEA_OK);
      assert_int_equal(set->report->classes[0].there, split ? CATS / 5 : CATS - CATS / 5);
      assert_int_equal(set->report->classes[1].there, split ? DOGS / 5 : DOGS - DOGS / 5);
      for (size_t i = 0; i < set->count; i++) {
        assert_int_equal(set->labels[i], set->pixels[i] >= CATS);
        seen[set->pixels[i]] = (uint8_t)(1 + split);
      }
      fovea_dataset_destroy(set);
    }
    for (int i = 0; i < ALL; i++) {
      assert_true(seen[i] > 0);
      other = other || seen[i] != before[i];
    }
    assert_true(other);
    memcpy(before, seen, sizeof before);
  }
}

static void write_pixel(const char *folder, const char *file, uint8_t value) {
  char name[128];
  snprintf(name, sizeof name, "%s/%s", folder, file);
  png_image image = {.version = PNG_IMAGE_VERSION, .width = 1, .height = 1, .format = PNG_FORMAT_GRAY};
  assert_int_equal(png_image_write_to_file(&image, temp_file(name, "", 0), 0, &value, 0, NULL), 1);
}

/* Which of the first images[all], known by their pixel, test. */
static size_t tests_of(const char *folder, double split, bool *tests, size_t all) {
  fovea_dataset *set;
  memset(tests, 0, all * sizeof *tests);
  assert_int_equal(fovea_dataset_load_as(temp_path(folder), "test", &(fovea_load_options){.split = split}, &set),
                   FOVEA_OK);
  size_t count = 0;
  for (size_t i = 0; i < set->count; i++)
    if (set->pixels[i] < all) tests[set->pixels[i]] = true, count++;
  fovea_dataset_destroy(set);
  return count;
}

/* What is added to a folder moves no picture from one split to the other: pictures before, between and after those that
 * are there, a class before them, a name without a number. And of files that are numbered a class has its share. */
static void test_split_stays(void **state) {
  (void)state;
  enum { ALL = 80, ADDED = 200 };
  static const double splits[] = {0.05, 0.1, 0.25, 0.5, 0.9};
  bool before[ALL], after[ALL];
  char file[32];
  for (int i = 0; i < ALL; i++) {
    snprintf(file, sizeof file, "%s/img_%04d.png", i % 2 ? "dog" : "cat", 1000 + 2 * (i / 2));
    write_pixel("grows", file, (uint8_t)i);
    write_pixel("grown", file, (uint8_t)i);
  }
  for (int i = 0; i < ADDED; i++) {
    snprintf(file, sizeof file, i % 3 ? "%s/img_%04d.png" : "%s/%dx.png", i % 5 ? "cat" : "bird", 901 + 2 * i);
    write_pixel("grown", file, 255);
  }
  write_pixel("grown", "dog/portrait.png", 255);
  for (size_t s = 0; s < sizeof splits / sizeof *splits; s++) {
    const size_t count = tests_of("grows", splits[s], before, ALL);
    tests_of("grown", splits[s], after, ALL);
    assert_memory_equal(before, after, sizeof before);
    assert_in_range(count, splits[s] * ALL - 3, splits[s] * ALL + 3);
  }
}

/* 'cat ' is another class than 'cat', which is said; that a folder's only picture is no set, too. */
static void test_names(void **state) {
  (void)state;
  static char said[SAID];
  fovea_dataset *set = NULL;
  make("blanks", "{train,test}/{cat,cats}/#.png=gray.png");
  copy("blanks/train/cat /0.png", "gray.png");
  assert_int_equal(fovea_dataset_load(temp_path("blanks"), "train", 0, &set), FOVEA_OK);
  gather(set, said);
  assert_non_null(strstr(said, "'cat' and 'cat ' differ in blanks at the end alone: they are two classes\n"));
  assert_null(strstr(said, "'cats'"));
  fovea_dataset_destroy(set);
  set = NULL;
  assert_int_equal(fovea_dataset_load(temp_path("blanks/train/cat/0.png"), "train", 0, &set), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "is one picture: --data names the folder that holds them"));
}

static void test_many_classes(void **state) {
  (void)state;
  char name[64];
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "many/train/class%03d/a.png", i);
    copy(name, "gray.png");
  }
  copy("many/test/class299/a.png", "gray.png");
  fovea_dataset *train, *test;
  assert_int_equal(fovea_dataset_load(temp_path("many"), "train", 0, &train), FOVEA_OK);
  assert_int_equal(fovea_dataset_load(temp_path("many"), "test", 0, &test), FOVEA_OK);
  assert_int_equal(train->report->class_count, 300);
  for (int i = 0; i < 300; i++) assert_int_equal(train->labels[i], i);
  assert_int_equal(test->labels[0], 299);
  fovea_dataset_destroy(train);
  fovea_dataset_destroy(test);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds),
      cmocka_unit_test(test_webp),
      cmocka_unit_test(test_damaged_files),
      cmocka_unit_test(test_folders),
      cmocka_unit_test(test_layouts_of_others),
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_split_stays),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_many_classes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
