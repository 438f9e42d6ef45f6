/* Data sets as people have them, tried by the command: the exit code, the sentence, and what is made. Those of
 * ../data are the library's side of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/command.h"
#include "support/images.h"
#include "support/picture.h"
#include "support/tempdir.h"

#define NET " --arch 4,3,2 --depth 1 --batch 16 --epochs 1 --attention none "

enum { SIDE = 8 };

static bool there(const char *path) {
  struct stat about;
  return lstat(path, &about) == 0;
}

/* --- the sets ---------------------------------------------------------------------------------------------------- */

/* cat/ and dog/ of three images each in both splits. */
static void cats_and_dogs(const char *set) {
  image_pngs(in(set, "train/cat"), "cat", 3, SIDE);
  image_pngs(in(set, "train/dog"), "dog", 3, SIDE);
  image_pngs(in(set, "test/cat"), "cat", 3, SIDE);
  image_pngs(in(set, "test/dog"), "dog", 3, SIDE);
}

static void idx_pair(const char *set, int train, int test, int train_side, int test_side) {
  const uint32_t side = (uint32_t)train_side, other = (uint32_t)test_side;
  image_idx(in(set, "train-images-idx3-ubyte"), 3, (uint32_t[]){(uint32_t)train, side, side}, 251);
  image_idx(in(set, "t10k-images-idx3-ubyte"), 3, (uint32_t[]){(uint32_t)test, other, other}, 251);
}

static void idx_labels(const char *set, int train, int test) {
  if (train > 0) image_idx(in(set, "train-labels-idx1-ubyte"), 1, (uint32_t[]){(uint32_t)train}, 4);
  if (test > 0) image_idx(in(set, "t10k-labels-idx1-ubyte"), 1, (uint32_t[]){(uint32_t)test}, 4);
}

static void damaged_jpeg(const char *set) {
  image_pngs(in(set, "train/cat"), "cat", 3, SIDE);
  image_pngs(in(set, "test/cat"), "cat", 3, SIDE);
  temp_file(in(set, "train/dog/dog0.jpg"), "\xff\xd8\xff\xe0\0\20JFIF", 10);
}

static void copy(const char *set, const char *name, const char *source) {
  char path[512];
  uint8_t *bytes = NULL;
  size_t size = 0;
  snprintf(path, sizeof path, FOVEA_SOURCE_DIR "/tests/data/%s", source);
  assert_int_equal(fovea_file_read(path, 1 << 20, &bytes, &size), FOVEA_OK);
  temp_file(in(set, name), bytes, size);
  free(bytes);
}

/* Four photos of three sizes in each class, without a split. */
static void photos(const char *set) {
  static const char *const sources[] = {"sampling0", "turned6", "gray", "progressive"};
  char name[64], source[64];
  for (int i = 0; i < 8; i++) {
    snprintf(name, sizeof name, "%s/IMG_%d.JPG", i < 4 ? "indoors" : "outdoors", i);
    snprintf(source, sizeof source, "jpeg/%s.jpg", sources[i % 4]);
    copy(set, name, source);
  }
}

static void photos_and_damage(const char *set) {
  photos(set);
  copy(set, "indoors/cut.png", "kinds/cut.png");
  copy(set, "indoors/other.heic", "kinds/other.gif");
}

static void png_named_jpg(const char *set) {
  cats_and_dogs(set);
  image_png(in(set, "train/cat/other.jpg"), SIDE, 1, 7);
}

static void png_without_suffix(const char *set) {
  cats_and_dogs(set);
  image_png(in(set, "train/cat/other"), SIDE, 1, 7);
}

static void left_behind(const char *set) {
  cats_and_dogs(set);
  temp_file(in(set, "train/.DS_Store"), "x", 1);
  temp_file(in(set, "train/cat/Thumbs.db"), "x", 1);
  temp_file(in(set, "train/cat/._cat0.png"), "x", 1);
  temp_file(in(set, "train/cat/notes.txt"), "x", 1);
  image_png(in(set, "train/__MACOSX/x.png"), 9, 1, 0);
  image_png(in(set, "train/dog/@eaDir/x.png"), 9, 1, 0);
}

static void numbers(const char *set) {
  image_pngs(in(set, "train/3"), "a", 2, SIDE);
  image_pngs(in(set, "train/7"), "a", 2, SIDE);
  image_pngs(in(set, "test/3"), "a", 2, SIDE);
  image_pngs(in(set, "test/7"), "a", 2, SIDE);
}

static void macosx_among_numbers(const char *set) {
  numbers(set);
  temp_file(in(set, "train/__MACOSX/._3.png"), "x", 1);
}

static void class_in_test_only(const char *set) {
  numbers(set);
  image_pngs(in(set, "test/unknown"), "a", 3, SIDE);
}

static void empty_class(const char *set) {
  cats_and_dogs(set);
  temp_file(in(set, "train/bird/.keep"), "", 0);
}

static void one_and_01(const char *set) {
  image_pngs(in(set, "train/1"), "a", 2, SIDE);
  image_pngs(in(set, "train/01"), "a", 2, SIDE);
  image_pngs(in(set, "test/1"), "a", 2, SIDE);
}

static void files_beside_folders(const char *set) {
  cats_and_dogs(set);
  image_png(in(set, "train/overview.png"), SIDE, 1, 0);
}

static void folder_named_png(const char *set) {
  cats_and_dogs(set);
  temp_file(in(set, "train/cat/x.png/readme"), "x", 1);
}

static void classes_in_names(const char *set) {
  image_pngs(in(set, "train"), "cat.", 3, SIDE);
  image_pngs(in(set, "train"), "dog.", 3, SIDE);
  image_pngs(in(set, "test"), "cat.", 3, SIDE);
}

static void with_val(const char *set) {
  cats_and_dogs(set);
  image_pngs(in(set, "val/cat"), "cat", 3, SIDE);
}

static void twenty(const char *set) {
  image_pngs(in(set, "train/cat"), "cat", 10, SIDE);
  image_pngs(in(set, "train/dog"), "dog", 10, SIDE);
  image_pngs(in(set, "test/cat"), "cat", 10, SIDE);
  image_pngs(in(set, "test/dog"), "dog", 10, SIDE);
}

static void idx_without_labels(const char *set) { idx_pair(set, 8, 4, SIDE, SIDE); }

static void idx_labels_of_train(const char *set) {
  idx_pair(set, 8, 4, SIDE, SIDE);
  idx_labels(set, 8, 0);
}

static void idx_beside_a_text(const char *set) {
  idx_pair(set, 8, 4, SIDE, SIDE);
  temp_file(in(set, "mapping.txt"), "x", 1);
}

static void idx_fewer_labels(const char *set) {
  idx_pair(set, 8, 4, SIDE, SIDE);
  idx_labels(set, 7, 4);
}

static void idx_sizes_differ(const char *set) { idx_pair(set, 8, 4, SIDE, 2 * SIDE); }
static void idx_odd_size(const char *set) { idx_pair(set, 8, 4, 7, 7); }
static void idx_one_pixel(const char *set) { idx_pair(set, 8, 4, 1, 1); }

static void idx_channels_first(const char *set) {
  image_idx(in(set, "train-images-idx4-ubyte"), 4, (uint32_t[]){8, 4, SIDE, SIDE}, 251);
  image_idx(in(set, "t10k-images-idx4-ubyte"), 4, (uint32_t[]){4, 4, SIDE, SIDE}, 251);
}

static void idx_two_channels(const char *set) {
  image_idx(in(set, "train-images-idx4-ubyte"), 4, (uint32_t[]){8, SIDE, SIDE, 2}, 251);
  image_idx(in(set, "t10k-images-idx4-ubyte"), 4, (uint32_t[]){4, SIDE, SIDE, 2}, 251);
}

static void idx_rgba(const char *set) {
  image_idx(in(set, "train-images-idx4-ubyte"), 4, (uint32_t[]){8, SIDE, SIDE, 4}, 251);
  image_idx(in(set, "t10k-images-idx4-ubyte"), 4, (uint32_t[]){4, SIDE, SIDE, 4}, 251);
}

static void idx_and_folders(const char *set) {
  idx_without_labels(set);
  cats_and_dogs(set);
}

static void idx_and_folder(const char *set) {
  image_idx(in(set, "train-images-idx3-ubyte"), 3, (uint32_t[]){8, SIDE, SIDE}, 251);
  image_pngs(in(set, "test/cat"), "cat", 3, SIDE);
}

/* --- each tried -------------------------------------------------------------------------------------------------- */

static void every_set(void **state) {
  (void)state;
  static const struct {
    const char *name;
    void (*make)(const char *set);
    const char *options;
    int code;
    const char *says[3];
  } cases[] = {
      {"plain", cats_and_dogs, "", 0, {"train: 6 images of 2 classes, 8x8 gray\n", "test: 6 images of 2 classes"}},
      {"bad-jpeg", damaged_jpeg, "", 2, {"train/dog/dog0.jpg' is not a good JPEG: it has no header"}},
      {"bad-jpeg-skipped",
       damaged_jpeg,
       "--skip-bad",
       0,
       {"1 passed over: 1 damaged or not readable", "passed over: ", "dog0.jpg' is not a good JPEG"}},
      {"photos",
       photos,
       "",
       2,
       {"2 sizes (height x width): 6 of 23x37, 2 of 12x7 (as", "--size 23x37", "--fit crop, pad or stretch"}},
      {"photos-of-one-size",
       photos,
       "--size 8x12 --fit pad --background white",
       0,
       {"train: 6 images of 2 classes, 8x12 RGB (height x width)",
        "2 of its 8 are kept for testing, by their names and the seed, a fair share of each class",
        "train: 6 of 6 pictures are resized to 8x12, of other proportions 6"}},
      {"photos-and-damage",
       photos_and_damage,
       "--size 8x12 --skip-bad",
       0,
       {"of both, in one folder: 1 passed over: 1 damaged or not readable\n"}},
      {"no-effect",
       cats_and_dogs,
       "--fit pad --background white",
       0,
       {"--fit says what --size does to pictures, and there is none", "--background changes nothing: no picture"}},
      {"no-size", photos, "--size 8x", 2, {"--size 8x: expected a side as 64, or height and width as 48x64"}},
      {"no-colour", photos, "--size 8 --background pink", 2, {"--background pink: expected white, black, or six hex"}},
      {"png-named-jpg", png_named_jpg, "", 0, {"train: 7 images of 2 classes"}},
      {"png-no-suffix", png_without_suffix, "", 0, {"train: 7 images of 2 classes"}},
      {"left-behind", left_behind, "", 0, {"8x8 gray; 6 passed over: ", "1 Thumbs.db", "1 .txt"}},
      {"macosx", macosx_among_numbers, "", 0, {"4 images of 2 classes, 8x8 gray; 1 passed over: 1 __MACOSX"}},
      {"test-only",
       class_in_test_only,
       "",
       0,
       {"classes in test only: 3 images of 'unknown'", "'unknown' is not a num"}},
      {"empty-class", empty_class, "", 0, {"train/bird' holds no picture: the class 'bird' has no images there"}},
      {"1-and-01", one_and_01, "", 0, {"'01' and '1' are the same number", "classes in train only: 2 images of '01'"}},
      {"beside",
       files_beside_folders,
       "",
       2,
       {"has both pictures (1, as 'overview.png') and subfolders of pictures (as 'cat')"}},
      {"folder.png", folder_named_png, "", 0, {"2 passed over: 1 without suffix, 1 folder without pictures"}},
      {"names", classes_in_names, "", 0, {"begin with 'cat', 'dog' and so on: if these are classes"}},
      {"val", with_val, "", 0, {"not used in", "'val'"}},
      {"limit",
       twenty,
       "--limit-train 10 --limit-test 4",
       0,
       {"train: 20 images of 2 classes, 8x8 gray; 10 of 20 taken, a fair sample: 5 cat, 5 dog\n",
        "4 of 20 taken, a fair sample: 2 cat, 2 dog"}},
      {"no-labels",
       idx_without_labels,
       "",
       0,
       {"train: 8 images without labels", "train has no labels", "test has no"}},
      {"labels-of-train", idx_labels_of_train, "", 0, {"train: 8 images of 4 classes", "test has no labels"}},
      {"not-used", idx_beside_a_text, "", 0, {"not used in", "'mapping.txt'"}},
      {"fewer-labels", idx_fewer_labels, "", 2, {"train-labels-idx1-ubyte' has 7 labels", "has 8 images"}},
      {"sizes", idx_sizes_differ, "", 2, {"training images are 1x8x8 (channels, height, width), test images 1x16x16"}},
      {"odd", idx_odd_size, "", 0, {"7x7 gray"}},
      {"one-pixel", idx_one_pixel, "", 0, {"1x1 gray"}},
      {"channels-first",
       idx_channels_first,
       "",
       0,
       {"8x8 with 4 channels", "is 4 x 8 x 8 an image: taken as channels, height, width", "first 3 of the 4 channels"}},
      {"two-channels", idx_two_channels, "", 0, {"pictures show the first of the 2 channels, as gray"}},
      {"show-missing", idx_rgba, "--show 4,2,5", 2, {"--show: channel 5, the images have 4"}},
      {"show-two", idx_rgba, "--show 1,2", 2, {"--show: 2 channels, expected one for gray, or three"}},
      {"rgba", idx_rgba, "", 0, {"pictures show the first 3 of the 4 channels"}},
      {"idx-and-folders",
       idx_and_folders,
       "",
       2,
       {"both IDX files ('t10k-images-idx3-ubyte') and a folder", "--set pictures"}},
      {"pictures-asked-for", idx_and_folders, "--set pictures", 0, {"train: 6 images of 2 classes, 8x8 gray"}},
      {"idx-and-folder", idx_and_folder, "", 2, {"both IDX files ('train-images-idx3-ubyte') and a folder"}},
  };
  static const char *const pictures[] = {"reconstructions-epoch001.png", "walk.png", "latent.png", "curves.png"};
  size_t bad = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char run[300];
    snprintf(run, sizeof run, "%s-run", cases[i].name);
    cases[i].make(cases[i].name);
    const int code =
        fovea("train --data %s --out %s" NET "%s", temp_path(cases[i].name), temp_path(run), cases[i].options);
    bool good = code == cases[i].code;
    for (size_t k = 0; k < 3 && cases[i].says[k] != NULL; k++) good = good && strstr(output, cases[i].says[k]) != NULL;
    if (code != 0) good = good && !there(temp_path(run)); /* refused before anything is made */
    for (size_t k = 0; k < 4 && code == 0; k++) {
      picture p = {0};
      good = picture_read(temp_path(in(run, pictures[k])), &p) == 0 && good;
      picture_free(&p);
    }
    if (!good) print_error("%s: exit code %d, expected %d: %s\n", cases[i].name, code, cases[i].code, output);
    bad += !good;
  }
  if (bad > 0) fail_msg("%zu of %zu sets", bad, sizeof cases / sizeof *cases);
}

static void assert_refused(const char *part) {
  if (strstr(output, part) == NULL) fail_msg("'%s' is not in: %s", part, output);
}

/* Results never go where images are read from, whatever the folder is called there. */
static void results_and_data_are_apart(void **state) {
  (void)state;
  cats_and_dogs("apart/data");
  image_pngs("elsewhere/ox", "ox", 2, SIDE);
  char data[1024]; /* temp_path's strings do not last */
  snprintf(data, sizeof data, "%s", temp_path("apart/data"));
  assert_int_equal(symlink("data", temp_path("apart/link")), 0);
  assert_int_equal(symlink(temp_path("elsewhere/ox"), temp_path("apart/data/train/ox")), 0);
  temp_file("apart/file", "x", 1);
  temp_file("old/config.json", "{}", 2);
  temp_file("old/metrics.csv", "epoch", 5);
  image_pngs("old", "walk", 3, SIDE);
  assert_int_equal(fovea("train --data %s --out %s" NET, temp_path("old"), temp_path("apart/new")), 2);
  assert_refused("holds the results of a run, not images");
  static const struct {
    const char *out, *says;
  } cases[] = {{"apart/file", "is there and is no folder"},
               {"apart/file/run", "lies in what is no folder"},
               {"apart/data", "is the folder of --data"},
               {"apart/link", "is the folder of --data"},
               {"apart/data/../data/.", "is the folder of --data"},
               {"apart", "holds the folder of --data"},
               {"apart/data/train", "among the images of --data"},
               {"apart/link/test/new/run", "among the images of --data"},
               {"apart/data/train/cat", "among the images of --data"},
               {"elsewhere/ox/run", "among the images of --data"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *const commands[] = {"train", "sweep"}, *const factors[] = {"", "--factors activation"};
    for (size_t k = 0; k < 2; k++) {
      const int code = fovea("%s --data %s --out %s" NET "%s", commands[k], data, temp_path(cases[i].out), factors[k]);
      if (code != 2) fail_msg("%s --out %s: exit code %d: %s", commands[k], cases[i].out, code, output);
      assert_refused(cases[i].says);
    }
  }
  assert_false(there(temp_path("apart/data/.lock")) || there(temp_path("apart/data/train/.lock")));
  assert_false(there(temp_path("apart/data/test/new")) || there(temp_path("elsewhere/ox/run")));
  assert_int_equal(fovea("train --data %s --out %s" NET, data, temp_path("apart/run")), 0);
}

/* IDX files and a folder called as a split are two data sets: results never make one. */
static void results_never_become_a_split(void **state) {
  (void)state;
  idx_pair("split/data", 16, 8, SIDE, SIDE);
  char data[1024], here[1024];
  snprintf(data, sizeof data, "%s", temp_path("split/data"));
  assert_int_equal(symlink("data", temp_path("split/link")), 0);
  static const char *const refused[] = {"split/data/train",        "split/data/test/",
                                        "split/link/train/run",    "split/data/./test//run",
                                        "split/new/../data/train", "split/data/new/../train/cat/run"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    const char *const commands[] = {"train", "sweep"}, *const factors[] = {"", "--factors activation"};
    for (size_t k = 0; k < 2; k++) {
      const int code = fovea("%s --data %s --out %s" NET "%s", commands[k], data, temp_path(refused[i]), factors[k]);
      if (code != 2) fail_msg("%s --out %s: exit code %d: %s", commands[k], refused[i], code, output);
      assert_refused("would be taken for images of --data");
    }
  }
  assert_false(there(temp_path("split/data/train")) || there(temp_path("split/data/test")));
  assert_false(there(temp_path("split/data/new")) || there(temp_path("split/new")));
  assert_non_null(getcwd(here, sizeof here));
  assert_int_equal(chdir(data), 0);
  const int refused_here = fovea("train --data . --out train" NET), run_here = fovea("train --data . --out run" NET);
  const int again = fovea("train --data . --out run/train" NET), hidden = fovea("train --data . --out .train" NET);
  assert_int_equal(chdir(here), 0);
  assert_int_equal(refused_here, 2);
  assert_int_equal(run_here, 0);
  assert_int_equal(again, 0); /* a split's name is fine elsewhere, and so is one like it */
  assert_int_equal(hidden, 0);
}

static void reconstruct_overwrites_nothing(void **state) {
  (void)state;
  cats_and_dogs("own/data");
  char data[1024], run[1024];
  snprintf(data, sizeof data, "%s", temp_path("own/data"));
  snprintf(run, sizeof run, "%s", temp_path("own/run"));
  assert_int_equal(fovea("train --data %s --out %s" NET, data, run), 0);
#define RECONSTRUCT "reconstruct --data %s --run %s "
  assert_int_equal(fovea(RECONSTRUCT "--out %s", data, run, temp_path("own/data/test/cat/cat9.png")), 2);
  assert_refused("--out");
  assert_refused("among the images of --data");
  assert_false(there(temp_path("own/data/test/cat/cat9.png")));
  const char *out = temp_path("own/out.png"), *checkpoint = temp_path("own/run/checkpoint.safetensors");
  assert_int_equal(fovea(RECONSTRUCT "--out %s --save %s", data, run, out, checkpoint), 2);
  assert_refused("is the run's checkpoint");
  assert_int_equal(fovea(RECONSTRUCT "--out %s --save %s", data, run, temp_path("own/out"), temp_path("own/out")), 2);
  assert_refused("the same file");
  assert_int_equal(fovea(RECONSTRUCT "--out %s --count 2", data, run, out), 0);
  assert_refused("test: 6 images of 2 classes, 8x8 gray; 2 of 6 taken, a fair sample: 1 cat, 1 dog");
  for (size_t i = 0; i < 2; i++) {
    const char *mine = temp_path(i == 0 ? "own/run/config.json" : "own/run/metrics.csv");
    assert_int_equal(fovea(RECONSTRUCT "--out %s", data, run, mine), 2);
    assert_refused("a file of that name is the run's or the sweep's own");
    assert_int_equal(fovea(RECONSTRUCT "--out %s --save %s", data, run, out, mine), 2);
    assert_true(there(mine));
  }
  const char *saved = temp_path("own/numbers.safetensors");
  for (int twice = 0; twice < 2; twice++)
    assert_int_equal(fovea(RECONSTRUCT "--out %s --save %s", data, run, out, saved), 0);
  static const char *const walks[] = {"--count 3", "--latent mean"};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(fovea(RECONSTRUCT "--out %s --walk %s", data, run, out, walks[i]), 2);
    assert_refused("not with --walk");
  }
#undef RECONSTRUCT
}

static bool same_bytes(const char *a, const char *b) {
  uint8_t *x = NULL, *y = NULL;
  size_t nx = 0, ny = 0;
  assert_int_equal(fovea_file_read(a, 1 << 24, &x, &nx), FOVEA_OK);
  assert_int_equal(fovea_file_read(b, 1 << 24, &y, &ny), FOVEA_OK);
  const bool same = nx == ny && memcmp(x, y, nx) == 0;
  free(x);
  free(y);
  return same;
}

/* A run's own pictures are those of the mean. */
static void pictures_are_of_the_mean(void **state) {
  (void)state;
  char data[1024], run[1024], own[1100], out[1024];
  snprintf(data, sizeof data, "%s", temp_path("mean/data"));
  snprintf(run, sizeof run, "%s", temp_path("mean/run"));
  snprintf(own, sizeof own, "%s/reconstructions-epoch001.png", run);
  snprintf(out, sizeof out, "%s", temp_path("mean/out.png"));
  cats_and_dogs("mean/data");
  assert_int_equal(fovea("train --data %s --out %s" NET, data, run), 0);
  static const struct {
    const char *latent;
    bool same;
  } cases[] = {{"", true}, {"--latent mean", true}, {"--latent sample", false}};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(fovea("reconstruct --data %s --run %s --out %s %s", data, run, out, cases[i].latent), 0);
    if (same_bytes(own, out) != cases[i].same) fail_msg("'%s': same: %d", cases[i].latent, !cases[i].same);
  }
}

/* How the images were read is kept: a run goes on and is looked at as it was trained, or says what differs. */
static void options_are_kept(void **state) {
  (void)state;
  char data[1024], run[1024];
  snprintf(data, sizeof data, "%s", temp_path("kept/data"));
  snprintf(run, sizeof run, "%s", temp_path("kept/run"));
  photos_and_damage("kept/data");
  assert_int_equal(
      fovea("train --data %s --out %s" NET "--size 8 --channels gray --skip-bad --split 0.3 --limit-train 5", data,
            run),
      0);
  assert_refused("8x8 gray");
  assert_refused("1 passed over: 1 damaged or not readable\n");
  assert_int_equal(fovea("reconstruct --data %s --run %s --out %s", data, run, temp_path("kept/out.png")), 0);
  assert_refused("8x8 gray");
  assert_int_equal(fovea("reconstruct --data %s --run %s --out %s --fit stretch", data, run, temp_path("kept/out.png")),
                   0);
  assert_refused("stretched");
  assert_int_equal(fovea("train --data %s --out %s --resume", data, run), 0);
  assert_int_equal(fovea("train --data %s --out %s --resume --fit pad", data, run), 2);
  assert_refused("the content of --data's training images");
}

/* Where the data folder itself is walked over, results in it would be pictures of a class the next time. */
static void results_stay_out_of_an_unsplit_folder(void **state) {
  (void)state;
  char data[1024];
  snprintf(data, sizeof data, "%s", temp_path("whole"));
  photos("whole");
  assert_int_equal(fovea("train --data %s --out %s/run" NET "--size 8", data, data), 2);
  assert_refused("among the images of --data");
  assert_false(there(temp_path("whole/run")));
}

static void assert_walk(const char *run, int height, int width, int channels) {
  char path[1100];
  picture p = {0};
  snprintf(path, sizeof path, "%s/walk.png", run);
  assert_int_equal(picture_read(path, &p), 0);
  if (p.height != height || p.width != width || p.channels != channels)
    fail_msg("%s is %d x %d of %d channels", path, p.height, p.width, p.channels);
  picture_free(&p);
}

/* Sides that the strides do not divide, and four channels: pictures have the images' size, and the channels that were
 * asked for, also when the run is looked at and gone on with. */
static void any_size_and_channels(void **state) {
  (void)state;
  char data[1024], run[1024], own[1100], out[1024];
  snprintf(data, sizeof data, "%s", temp_path("any/data"));
  snprintf(run, sizeof run, "%s", temp_path("any/run"));
  snprintf(own, sizeof own, "%s/reconstructions-epoch001.png", run);
  snprintf(out, sizeof out, "%s", temp_path("any/out.png"));
  image_idx("any/data/train-images-idx4-ubyte", 4, (uint32_t[]){8, 7, 5, 4}, 251);
  image_idx("any/data/t10k-images-idx4-ubyte", 4, (uint32_t[]){4, 7, 5, 4}, 251);
  assert_int_equal(fovea("train --data %s --out %s" NET "--arch 5,4,3,2 --show 4,2,1", data, run), 0);
  assert_refused("pictures show channels 4, 2 and 1 of 4, as red, green and blue");
  assert_walk(run, 30 * 7 * 6, 30 * 5 * 6, 3);
  assert_int_equal(fovea("reconstruct --data %s --run %s --out %s", data, run, out), 0);
  assert_true(same_bytes(own, out));
  assert_int_equal(fovea("reconstruct --data %s --run %s --out %s --show 1,2,3", data, run, out), 0);
  assert_false(same_bytes(own, out));
  assert_int_equal(fovea("reconstruct --data %s --run %s --out %s --show 5", data, run, out), 2);
  assert_refused("--show: channel 5, the images have 4");
  assert_int_equal(fovea("train --data %s --out %s --resume", data, run), 0);
  assert_refused("pictures show channels 4, 2 and 1 of 4, as red, green and blue");
  assert_walk(run, 30 * 7 * 6, 30 * 5 * 6, 3);
  assert_int_equal(fovea("train --data %s --out %s --resume --show 2", data, run), 0);
  assert_refused("pictures show channel 2 of 4, as gray");
  assert_walk(run, 30 * 7 * 6, 30 * 5 * 6, 1);
}

/* A network that the images cannot have is refused by a sweep, too, before its folder is made. */
static void a_sweep_refuses_before_it_begins(void **state) {
  (void)state;
  idx_pair("large", 8, 4, 256, 256);
  assert_int_equal(
      fovea("sweep --data %s --out %s" NET "--factors activation", temp_path("large"), temp_path("large-sweep")), 2);
  assert_refused("bottleneck");
  assert_false(there(temp_path("large-sweep")));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_set),
                                     cmocka_unit_test(results_and_data_are_apart),
                                     cmocka_unit_test(results_never_become_a_split),
                                     cmocka_unit_test(reconstruct_overwrites_nothing),
                                     cmocka_unit_test(pictures_are_of_the_mean),
                                     cmocka_unit_test(options_are_kept),
                                     cmocka_unit_test(results_stay_out_of_an_unsplit_folder),
                                     cmocka_unit_test(any_size_and_channels),
                                     cmocka_unit_test(a_sweep_refuses_before_it_begins)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
