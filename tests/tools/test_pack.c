/* fovea pack: a training from the packed file is the training from what was packed, to the last byte of the checkpoint;
 * and what is refused before anything is made. */
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
#include "support/arrays.h"
#include "support/command.h"
#include "support/images.h"
#include "support/tempdir.h"

#define NET " --arch 4,3,2 --depth 1 --batch 16 --epochs 2 --attention none --seed 3 "

enum { MOST = 1 << 24 };

static void make(const char *set) {
  array_idx(array_name(set, "train-images-idx3-ubyte.gz"), 8, 3, (uint32_t[]){70, 8, 8});
  array_idx(array_name(set, "train-labels-idx1-ubyte"), 8, 1, (uint32_t[]){70});
  array_idx(array_name(set, "t10k-images-idx3-ubyte"), 8, 3, (uint32_t[]){20, 8, 8});
}

static const char *checkpoint(const char *run) {
  static char names[2][256];
  static int next;
  char *name = names[next++ % 2];
  snprintf(name, sizeof names[0], "%s/checkpoint.safetensors", run);
  return name;
}

static void assert_same_file(const char *a, const char *b) {
  uint8_t *left = NULL, *right = NULL;
  size_t sizes[2];
  assert_int_equal(fovea_file_read(temp_path(a), MOST, &left, &sizes[0]), FOVEA_OK);
  assert_int_equal(fovea_file_read(temp_path(b), MOST, &right, &sizes[1]), FOVEA_OK);
  assert_int_equal(sizes[0], sizes[1]);
  assert_memory_equal(left, right, sizes[0]);
  free(left);
  free(right);
}

static void trains_to_the_same_bytes(void **state) {
  (void)state;
  make("set");
  assert_int_equal(fovea("pack %s --out %s", temp_path("set"), temp_path("set.fovea")), 0);
  assert_output("train: 70 images of 70 classes, 8x8 gray");
  assert_output("test has no labels");
  assert_output("packing: 100% 90 images");
  assert_output("trains from it");
  static const char *const limits[] = {"", "--limit-train 40 --limit-test 9"};
  for (int i = 0; i < 2; i++) {
    const char *const runs[] = {i == 0 ? "of-set" : "of-some", i == 0 ? "of-pack" : "of-some-packed"};
    if (fovea("train --data %s --out %s" NET "%s", temp_path("set"), temp_path(runs[0]), limits[i]) != 0)
      fail_msg("%s", output);
    assert_int_equal(fovea("train --data %s --out %s" NET "%s", temp_path("set.fovea"), temp_path(runs[1]), limits[i]),
                     0);
    assert_same_file(checkpoint(runs[0]), checkpoint(runs[1]));
  }
  /* One is the other's data, and pictures come of both. */
  assert_int_equal(fovea("train --data %s --out %s --resume" NET, temp_path("set.fovea"), temp_path("of-set")), 0);
  assert_int_equal(fovea("reconstruct --run %s --data %s --out %s", temp_path("of-set"), temp_path("set.fovea"),
                         temp_path("pairs.png")),
                   0);
}

/* A set that has no test split is split by the same seed, if none is given. */
static void splits_as_train_does(void **state) {
  (void)state;
  array_idx(array_name("one", "images-idx3-ubyte"), 8, 3, (uint32_t[]){40, 8, 8});
  char set[512];
  snprintf(set, sizeof set, "%s", temp_path("one/images-idx3-ubyte"));
  assert_int_equal(fovea("pack %s --out %s --split 0.3", set, temp_path("one.fovea")), 0);
#define SMALL " --arch 4,3,2 --depth 1 --batch 16 --epochs 1 --attention none "
  if (fovea("train --data %s --split 0.3 --out %s" SMALL, set, temp_path("one-of-set")) != 0) fail_msg("%s", output);
  assert_int_equal(fovea("train --data %s --out %s" SMALL, temp_path("one.fovea"), temp_path("one-of-pack")), 0);
#undef SMALL
  for (int i = 0; i < 2; i++) {
    static const char *const kept[] = {"train_hash", "test_hash"};
    static const char *const runs[] = {"one-of-set/config.json", "one-of-pack/config.json"};
    char hash[2][64];
    for (int k = 0; k < 2; k++) {
      uint8_t *text = NULL;
      size_t size;
      assert_int_equal(fovea_file_read(temp_path(runs[k]), MOST, &text, &size), FOVEA_OK);
      const char *at = strstr((const char *)text, kept[i]);
      assert_non_null(at);
      snprintf(hash[k], sizeof hash[k], "%.40s", at);
      free(text);
    }
    assert_string_equal(hash[0], hash[1]);
  }
}

/* A run that made its images otherwise goes on from what was packed so: what it kept is not asked of a packed set. */
static void goes_on_from_what_was_packed(void **state) {
  (void)state;
  make("big");
  char set[512], packed[512], run[512];
  snprintf(set, sizeof set, "%s", temp_path("big"));
  snprintf(packed, sizeof packed, "%s", temp_path("big.fovea"));
  snprintf(run, sizeof run, "%s", temp_path("big-run"));
  assert_int_equal(fovea("pack %s --out %s --size 6 --fit pad", set, packed), 0);
  if (fovea("train --data %s --size 6 --fit pad --out %s" NET, set, run) != 0) fail_msg("%s", output);
  if (fovea("train --data %s --out %s --resume", packed, run) != 0) fail_msg("%s", output);
  assert_output("is not applied to them");
  assert_int_equal(fovea("reconstruct --run %s --data %s --out %s", run, packed, temp_path("big.png")), 0);
  assert_int_equal(fovea("train --data %s --out %s --resume --size 5", packed, run), 2);
  assert_output("give --size to fovea pack");
}

/* In the last image that trains; after it come the trailer, the 20 that test, and theirs. */
static void flip_bit(const char *set) {
  enum { RECORD = 8 * 8 + 8, TRAILER = 16, BACK = 2 * TRAILER + 21 * RECORD };
  FILE *file = fopen(set, "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, -BACK, SEEK_END), 0);
  const int byte = fgetc(file);
  assert_int_equal(fseek(file, -BACK, SEEK_END), 0);
  assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
  assert_int_equal(fclose(file), 0);
}

static void refused(void **state) {
  (void)state;
  make("good");
  temp_file("table.csv", "a,b\n1,2\n", 8);
  static const struct {
    const char *from, *to, *says;
    int code;
  } cases[] = {{"good", "table.csv", "is no packed set and would be lost", 2},
               {"none", "new.fovea", "cannot open the data folder", 5},
               {"table.csv", "new.fovea", "is no file of images that fovea reads", 2},
               {"good/t10k-images-idx3-ubyte", "new.fovea", "has no splits, train and test: --split 0.1", 2},
               {"good", "no/folder/new.fovea", "new.fovea", 5}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int code = fovea("pack %s --out %s", temp_path(cases[i].from), temp_path(cases[i].to));
    if (code != cases[i].code) fail_msg("%s to %s: exit code %d: %s", cases[i].from, cases[i].to, code, output);
    assert_output(cases[i].says);
    assert_int_equal(access(temp_path("new.fovea"), F_OK), -1);
  }
  assert_int_equal(fovea("pack --out %s", temp_path("new.fovea")), 2);
  assert_output("what is to be packed is missing");
  assert_int_equal(fovea("pack %s --data other --out %s", temp_path("good"), temp_path("new.fovea")), 2);
  assert_output("--data other: two sets; give one");
  assert_int_equal(fovea("pack %s --out %s", temp_path("good"), temp_path("cut.fovea")), 0);
  assert_int_equal(truncate(temp_path("cut.fovea"), 1000), 0);
  assert_int_equal(fovea("train --data %s --out %s" NET, temp_path("cut.fovea"), temp_path("run")), 2);
  assert_output("is cut off: it has 1000 bytes");
  assert_int_equal(access(temp_path("run"), F_OK), -1);
  assert_int_equal(fovea("pack %s --out %s", temp_path("good"), temp_path("bit.fovea")), 0);
  flip_bit(temp_path("bit.fovea"));
  assert_int_equal(fovea("train --data %s --out %s" NET, temp_path("bit.fovea"), temp_path("run")), 2);
  assert_output("has no checkpoint yet, and keeps the files that the run began with");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(trains_to_the_same_bytes), cmocka_unit_test(splits_as_train_does),
                                     cmocka_unit_test(goes_on_from_what_was_packed), cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
