/* Packed sets: what comes out of one is what went in, from memory and from the file; every cut and every changed bit is
 * noticed, also when it happens while the set is in use. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

#include "base/file.h"
#include "data/batches.h"
#include "data/pack.h"
#include "fovea/data.h"
#include "support/arrays.h"
#include "support/images.h"
#include "support/tempdir.h"
#include "train/load.h"

enum { ROOM = 1 << 16 };
static const fovea_load_options none, in_file = {.in_file = true};

static fovea_status begin(void *user, const fovea_dataset *train, const fovea_dataset *test) {
  *(size_t *)user = train->count + test->count;
  return FOVEA_OK;
}

static bool progress(void *user, size_t images) { return images <= *(size_t *)user; }
static bool stop(void *user, size_t images) { return (void)user, images < 8; }
static char last_remark[1024]; /* of the training images */

static void end(void *user, const fovea_dataset *train, const fovea_dataset *test) {
  (void)user, (void)test;
  const fovea_data_report *r = train->report;
  snprintf(last_remark, sizeof last_remark, "%s", r->remark_count > 0 ? r->remarks[r->remark_count - 1] : "");
}

static fovea_status pack_with(const char *from, const char *to, const fovea_load_options *options,
                              fovea_pack_progress *watch) {
  char folder[1024], path[1024];
  size_t all = 0;
  snprintf(folder, sizeof folder, "%s", temp_path(from));
  snprintf(path, sizeof path, "%s", temp_path(to));
  return fovea_pack_write(&(fovea_pack_job){folder, path, options, 3, &all, begin, watch, end});
}

static fovea_status pack(const char *from, const char *to) { return pack_with(from, to, &none, progress); }

static fovea_dataset *load(const char *name, const char *split, const fovea_load_options *options) {
  fovea_dataset *set = NULL;
  if (fovea_dataset_load_as(temp_path(name), split, options, &set) != FOVEA_OK) fail_msg("%s", fovea_error_message());
  return set;
}

/* The same images and labels in the same order. */
static void assert_same(const fovea_dataset *a, const fovea_dataset *b) {
  static uint8_t left[ROOM], right[ROOM];
  const size_t size = a->count * (size_t)a->channels * (size_t)a->height * (size_t)a->width;
  uint64_t hashes[2];
  assert_true(size <= ROOM);
  assert_int_equal(a->count, b->count);
  assert_true(a->channels == b->channels && a->height == b->height && a->width == b->width);
  assert_int_equal(fovea_dataset_read(a, NULL, a->count, left), FOVEA_OK);
  assert_int_equal(fovea_dataset_read(b, NULL, b->count, right), FOVEA_OK);
  assert_memory_equal(left, right, size);
  assert_int_equal(a->labels != NULL, b->labels != NULL);
  if (a->labels != NULL) assert_memory_equal(a->labels, b->labels, 2 * a->count);
  assert_int_equal(fovea_dataset_hash(a, &hashes[0]), FOVEA_OK);
  assert_int_equal(fovea_dataset_hash(b, &hashes[1]), FOVEA_OK);
  assert_int_equal(hashes[0], hashes[1]);
  assert_int_equal(a->report->class_count, b->report->class_count);
  for (size_t i = 0; i < a->report->class_count; i++) {
    const fovea_data_class *x = &a->report->classes[i], *y = &b->report->classes[i];
    assert_string_equal(x->name, y->name);
    assert_true(x->label == y->label && x->there == y->there && x->taken == y->taken);
  }
}

/* The sets: arrays with labels, arrays without, pictures. */
static void make_all(void) {
  array_idx("idx/train-images-idx3-ubyte", 8, 3, (uint32_t[]){11, 5, 4});
  array_idx("idx/train-labels-idx1-ubyte", 8, 1, (uint32_t[]){11});
  array_idx("idx/t10k-images-idx3-ubyte.gz", 8, 3, (uint32_t[]){6, 5, 4});
  array_idx("rgb/train-images-idx4-ubyte", 8, 4, (uint32_t[]){7, 6, 5, 3});
  array_idx("rgb/t10k-images-idx4-ubyte", 8, 4, (uint32_t[]){3, 6, 5, 3});
  image_pngs("png/train/cat", "c", 9, 8);
  image_pngs("png/train/dog", "d", 5, 8);
  image_pngs("png/test/dog", "d", 4, 8);
  image_pngs("png/test/ox", "o", 2, 8);
}

/* Of pictures, whose classes a sample takes alike: its images are those that were drawn, not the first. */
static void sample_is_its_images(void **state) {
  (void)state;
  make_all();
  assert_int_equal(pack("png", "set.fovea"), FOVEA_OK);
  const fovea_load_options three = {.limit = 3};
  fovea_dataset *all = load("set.fovea", "train", &none), *some = load("set.fovea", "train", &three);
  const size_t size = (size_t)all->channels * (size_t)all->height * (size_t)all->width;
  uint32_t drawn[3];
  assert_int_equal(some->count, 3);
  assert_int_equal(fovea_dataset_sample(all->labels, all->count, 3, drawn), FOVEA_OK);
  assert_true(drawn[2] > 2 && memcmp(all->pixels + 2 * size, all->pixels + drawn[2] * size, size) != 0);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(some->labels[i], all->labels[drawn[i]]);
    assert_memory_equal(some->pixels + i * size, all->pixels + drawn[i] * size, size);
  }
  fovea_dataset_destroy(all);
  fovea_dataset_destroy(some);
}

static void round_trip(void **state) {
  (void)state;
  static const char *const sets[] = {"idx", "rgb", "png"}, *const splits[] = {"train", "test"};
  make_all();
  for (size_t i = 0; i < 3; i++) {
    if (pack(sets[i], "set.fovea") != FOVEA_OK) fail_msg("%s: %s", sets[i], fovea_error_message());
    for (size_t k = 0; k < 4; k++) {
      const fovea_load_options some = {.limit = k / 2 * 3}, some_in_file = {.limit = k / 2 * 3, .in_file = true};
      fovea_dataset *loaded = load(sets[i], splits[k % 2], &some), *packed = load("set.fovea", splits[k % 2], &some);
      fovea_dataset *file = load("set.fovea", splits[k % 2], &some_in_file);
      assert_true(packed->pixels != NULL && file->pixels == NULL && file->file != NULL);
      if (k < 2) assert_same(loaded, packed), assert_same(loaded, file);
      if (k >= 2) assert_same(packed, file);
      if (k >= 2 && i < 2) assert_same(loaded, file); /* pictures are sampled before they are read */
      fovea_dataset_destroy(loaded);
      fovea_dataset_destroy(packed);
      fovea_dataset_destroy(file);
    }
  }
}

/* A class whose name is no UTF-8 keeps its place, escaped. */
static void class_of_bytes(void **state) {
  (void)state;
  image_pngs("bytes/train/ca\xff", "c", 2, 8);
  image_pngs("bytes/train/dog", "d", 2, 8);
  image_pngs("bytes/test/dog", "d", 2, 8);
  if (pack("bytes", "bytes.fovea") != FOVEA_OK) fail_msg("%s", fovea_error_message());
  fovea_dataset *set = load("bytes.fovea", "train", &none);
  assert_int_equal(set->report->class_count, 2);
  assert_string_equal(set->report->classes[0].name, "ca\\xff");
  assert_int_equal(set->report->classes[0].there, 2);
  fovea_dataset_destroy(set);
  assert_int_equal(pack_with("bytes", "none.fovea", &(fovea_load_options){.split = 0.2}, progress), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "has a test split: --split is for sets that have none"));
  const fovea_load_options gray = {.channels = FOVEA_CHANNELS_GRAY};
  assert_int_equal(fovea_dataset_load_as(temp_path("bytes.fovea"), "train", &gray, &set), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "give --channels to fovea pack"));
}

/* A folder that holds a packed set is one. */
static void in_a_folder(void **state) {
  (void)state;
  make_all();
  temp_file("with/readme", "x", 1);
  assert_int_equal(pack("idx", "with/set.fovea"), FOVEA_OK);
  fovea_dataset *a = load("idx", "train", &none), *b = load("with", "train", &in_file);
  assert_same(a, b);
  fovea_dataset_destroy(a);
  fovea_dataset_destroy(b);
}

/* The order of an epoch, in memory and read ahead; from the middle, with a last batch that is smaller. */
static void batches_are_those_of_memory(void **state) {
  (void)state;
  make_all();
  assert_int_equal(pack("idx", "set.fovea"), FOVEA_OK);
  fovea_dataset *a = load("idx", "train", &none), *b = load("set.fovea", "train", &in_file);
  const uint32_t order[] = {10, 3, 5, 0, 1, 9, 2, 8, 7, 6, 4};
  const uint8_t *pixels;
  const uint32_t *index;
  for (size_t first = 0; first < 11; first += 5)
    for (size_t batch = 1; batch <= 12; batch += 3)
      for (int k = 0; k < 4; k++) {
        const uint32_t *in_order = k % 2 == 0 ? order : NULL;
        fovea_batches *batches = NULL;
        assert_int_equal(
            fovea_batches_create(k < 2 ? a : b, in_order, first, batch, (fovea_places){0, batch}, &batches), FOVEA_OK);
        for (size_t done = first; done < 11 && done < first + (k == 3 ? 4 : 11);
             done += batch) { /* 3: given up early */
          assert_int_equal(fovea_batches_next(batches, &pixels, &index), FOVEA_OK);
          for (size_t i = 0; i < batch && done + i < 11; i++) {
            const size_t n = in_order != NULL ? in_order[done + i] : done + i;
            assert_memory_equal(pixels + (index != NULL ? index[i] : i) * 20, a->pixels + n * 20, 20);
          }
        }
        fovea_batches_destroy(batches);
      }
  fovea_dataset_destroy(a);
  fovea_dataset_destroy(b);
}

/* One of several ranks: of a full batch of 4 the places 2 and 3, of the last one's 3 images the place 2. What is
 * damaged elsewhere is not its own. */
static void only_own_places_are_read(void **state) {
  (void)state;
  fovea_batches *batches = NULL;
  const uint8_t *pixels;
  const uint32_t *index;
  make_all();
  assert_int_equal(pack("idx", "set.fovea"), FOVEA_OK);
  fovea_dataset *a = load("idx", "train", &none), *b = load("set.fovea", "train", &in_file);
  const int descriptor = open(temp_path("set.fovea"), O_WRONLY);
  struct stat about;
  assert_int_equal(fstat(descriptor, &about), 0);
  assert_int_equal(pwrite(descriptor, "x", 1, about.st_size - (6 * 28 + 16) - 16 - 6 * 28 + 5), 1); /* of image 5 */
  close(descriptor);
  assert_int_equal(fovea_batches_create(b, NULL, 0, 4, (fovea_places){2, 2}, &batches), FOVEA_OK);
  for (size_t done = 0; done < 11; done += 4) {
    const size_t last = done + 4 < 11 ? done + 4 : 11;
    assert_int_equal(fovea_batches_next(batches, &pixels, &index), FOVEA_OK);
    assert_null(index);
    assert_memory_equal(pixels + (size_t)2 * 20, a->pixels + (done + 2) * 20, (last - done - 2) * 20);
  }
  fovea_batches_destroy(batches);
  assert_int_equal(fovea_batches_create(b, NULL, 0, 4, (fovea_places){3, 1}, &batches), FOVEA_OK);
  for (size_t done = 0; done < 11; done += 4) assert_int_equal(fovea_batches_next(batches, &pixels, &index), FOVEA_OK);
  fovea_batches_destroy(batches);
  fovea_dataset_destroy(a);
  fovea_dataset_destroy(b);
}

/* ---- what is bad ------------------------------------------------------------------------------------------------ */

/* The file may not load, or then not be read. */
static bool survives(const char *name, const fovea_dataset *expected) {
  fovea_dataset *set = NULL;
  uint8_t pixels[ROOM];
  if (fovea_dataset_load_as(temp_path(name), "train", &in_file, &set) != FOVEA_OK) return false;
  const bool read = fovea_dataset_read(set, NULL, set->count, pixels) == FOVEA_OK;
  if (read) assert_same(expected, set);
  fovea_dataset_destroy(set);
  return read;
}

static void every_bit_and_cut(void **state) {
  (void)state;
  uint8_t *bytes = NULL;
  size_t size = 0;
  make_all();
  assert_int_equal(pack("idx", "set.fovea"), FOVEA_OK);
  assert_int_equal(fovea_file_read(temp_path("set.fovea"), ROOM, &bytes, &size), FOVEA_OK);
  fovea_dataset *expected = load("set.fovea", "train", &none);
  const size_t test = 6 * (20 + 8) + 16; /* bytes of the other split, at the end, which are not looked at */
  for (size_t i = 0; i < size; i++) {
    temp_file("cut.fovea", bytes, i);
    if (survives("cut.fovea", expected)) fail_msg("cut after %zu of %zu bytes", i, size);
  }
  for (size_t i = 0; i < size; i++) {
    bytes[i] ^= (uint8_t)(1 << i % 8);
    temp_file("bit.fovea", bytes, size);
    bytes[i] ^= (uint8_t)(1 << i % 8);
    if (survives("bit.fovea", expected) != (i >= size - test)) fail_msg("byte %zu of %zu", i, size);
  }
  bytes[8] = 2;
  temp_file("version.fovea", bytes, size);
  assert_false(survives("version.fovea", expected));
  assert_non_null(strstr(fovea_error_message(), "is a packed set of version 2, this fovea reads version 1"));
  fovea_dataset_destroy(expected);
  free(bytes);
}

static void changed_in_use(void **state) {
  (void)state;
  uint8_t pixels[ROOM];
  const uint8_t *read;
  const uint32_t *index, third = 3, none_such = 11;
  fovea_batches *batches = NULL;
  make_all();
  assert_int_equal(pack("idx", "set.fovea"), FOVEA_OK);
  fovea_dataset *set = load("set.fovea", "train", &in_file), *same = load("set.fovea", "train", &none);
  assert_int_equal(fovea_dataset_read(set, &none_such, 1, pixels), FOVEA_INVALID);
  assert_int_equal(pack("rgb", "set.fovea"), FOVEA_OK); /* another file now, and the old one is still ours */
  assert_same(set, same);
  fovea_dataset_destroy(set);
  assert_int_equal(pack("idx", "set.fovea"), FOVEA_OK);
  set = load("set.fovea", "train", &in_file);
  assert_int_equal(truncate(temp_path("set.fovea"), 300), 0);
  assert_int_equal(fovea_batches_create(set, NULL, 0, 4, (fovea_places){0, 4}, &batches), FOVEA_OK);
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < 3 && status == FOVEA_OK; i++) status = fovea_batches_next(batches, &read, &index);
  assert_int_equal(status, FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "is cut off; pack the set anew"));
  fovea_batches_destroy(batches);
  assert_int_equal(pack("idx", "set.fovea"), FOVEA_OK);
  fovea_dataset_destroy(set);
  set = load("set.fovea", "train", &in_file);
  const int descriptor = open(temp_path("set.fovea"), O_WRONLY);
  struct stat about;
  assert_int_equal(fstat(descriptor, &about), 0);
  assert_int_equal(pwrite(descriptor, "x", 1, about.st_size - (6 * 28 + 16) - 16 - 8 * 28 + 5), 1); /* of image 3 */
  close(descriptor);
  assert_int_equal(fovea_dataset_read(set, &third, 1, pixels), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "the checksum of image 3 is wrong"));
  fovea_dataset_destroy(set);
  fovea_dataset_destroy(same);
}

static void refused(void **state) {
  (void)state;
  make_all();
  assert_int_equal(pack("idx", "set.fovea"), FOVEA_OK);
  assert_int_equal(pack("set.fovea", "again.fovea"), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "is packed already"));
  array_idx("half/train-images-idx3-ubyte", 8, 3, (uint32_t[]){11, 5, 4});
  assert_int_equal(pack("half", "half.fovea"), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "--split"));
  array_idx("half/t10k-images-idx3-ubyte", 8, 3, (uint32_t[]){11, 5, 5});
  assert_int_equal(pack("half", "half.fovea"), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "training images are 1x5x4"));
  array_idx("half/t10k-images-idx3-ubyte", 8, 3, (uint32_t[]){11, 5, 4});
  array_cut("half", "t10k-images-idx3-ubyte", 100);
  assert_int_equal(pack("half", "half.fovea"), FOVEA_INVALID);
  temp_file("png/train/cat/c3.png", "\x89PNG\r\n\x1a\n and no more", 19);
  assert_int_equal(pack("png", "half.fovea"), FOVEA_INVALID);
  assert_int_equal(pack_with("idx", "half.fovea", &none, stop), FOVEA_INVALID);
  assert_int_equal(access(temp_path("half.fovea"), F_OK), -1);
  assert_int_equal(access(temp_path("half.fovea.tmp"), F_OK), -1);
  fovea_dataset *set = NULL;
  const fovea_load_options turned = {.transpose = true};
  assert_int_equal(fovea_dataset_load_as(temp_path("set.fovea"), "train", &turned, &set), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "give --transpose to fovea pack"));
}

static void make_deep(uint16_t white) {
  png_image image = {.version = PNG_IMAGE_VERSION, .width = 2, .height = 1, .format = PNG_FORMAT_LINEAR_Y};
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "deep/%s/%d.png", i % 2 ? "test" : "train", i);
    assert_int_equal(png_image_write_to_file(&image, temp_file(name, "", 0), 0, (uint16_t[]){0, white}, 0, NULL), 1);
  }
}

/* What reading alone tells of pictures is said when they are packed, too, and as it is when they are loaded; the bits
 * that a maximum needs are counted from itself. */
static void dark_pictures(void **state) {
  (void)state;
  static const unsigned cases[][2] = {{1023, 10}, {1024, 11}, {4095, 12}, {16383, 14}, {3000, 12}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char said[200];
    make_deep((uint16_t)cases[i][0]);
    assert_int_equal(pack("deep", "deep.fovea"), FOVEA_OK);
    snprintf(said, sizeof said,
             "train: pictures of 16 bits are dark, at most %u of 65535: if they hold %u bits, --range 0:%u makes that "
             "their white",
             cases[i][0], cases[i][1], (1U << cases[i][1]) - 1);
    assert_string_equal(last_remark, said);
  }
  fovea_dataset *set = load("deep", "train", &none);
  assert_string_equal(last_remark, set->report->remarks[set->report->remark_count - 1]);
  fovea_dataset_destroy(set);
  assert_int_equal(pack_with("deep", "deep.fovea", &(fovea_load_options){.range = {0, 4095}}, progress), FOVEA_OK);
  assert_null(strstr(last_remark, "dark"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip),
                                     cmocka_unit_test(sample_is_its_images),
                                     cmocka_unit_test(class_of_bytes),
                                     cmocka_unit_test(in_a_folder),
                                     cmocka_unit_test(batches_are_those_of_memory),
                                     cmocka_unit_test(only_own_places_are_read),
                                     cmocka_unit_test(every_bit_and_cut),
                                     cmocka_unit_test(changed_in_use),
                                     cmocka_unit_test(dark_pictures),
                                     cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
