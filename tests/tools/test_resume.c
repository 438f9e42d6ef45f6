/* What a run's folder must have to be gone on with: files that prove that they are of this run. What is missing and can
 * be made anew is, in words; what is another's is refused, and nothing is changed. */
#include "model/small.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fovea/safetensors.h"
#include "support/command.h"
#include "support/images.h"

enum { SIDE = 8, TRAIN = 64, TEST = 16 };

#define SETTINGS " --arch 4,3,2 --depth 1 --batch 16 --epochs 3 "

static char data[1024], other_data[1024], finished[1024], another[1024];

static void assert_no_output(const char *part) {
  if (strstr(output, part) != NULL) fail_msg("'%s' is in: %s", part, output);
}

/* --- files ------------------------------------------------------------------------------------------------------- */

static bool there(const char *dir, const char *name) {
  struct stat about;
  return stat(in(dir, name), &about) == 0;
}

static char *text_of(const char *dir, const char *name) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  OK(fovea_file_read(in(dir, name), 1 << 24, &bytes, &size));
  char *text = strdup((const char *)bytes);
  assert_non_null(text);
  free(bytes);
  return text;
}

static void write_text(const char *dir, const char *name, const char *text) {
  OK(fovea_file_write(in(dir, name), text, strlen(text)));
}

static void copy(const char *from, const char *to, const char *name) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  OK(fovea_file_read(in(from, name), 1 << 24, &bytes, &size));
  OK(fovea_file_write(in(to, name), bytes, size));
  free(bytes);
}

/* A new folder with these files of the finished run. */
static const char *folder(const char *name, const char *const *files) {
  static char path[1024];
  snprintf(path, sizeof path, "%s", temp_path(name));
  assert_int_equal(mkdir(path, 0777), 0);
  for (; *files != NULL; files++) copy(finished, path, *files);
  return path;
}

static const char checkpoint[] = "checkpoint.safetensors", config[] = "config.json", metrics[] = "metrics.csv",
                  picture[] = "reconstructions-epoch003.png";
static const char *const all[] = {checkpoint, config, metrics, picture, NULL};

static void same_network(const char *dir) { assert_same_bytes(in(finished, checkpoint), in(dir, checkpoint)); }

static int train_once(void **state) {
  (void)state;
  image_sets(data, "data", TRAIN, TEST, SIDE, 0);
  image_sets(other_data, "other-data", TRAIN, TEST, SIDE, 1);
  snprintf(finished, sizeof finished, "%s", temp_path("finished"));
  snprintf(another, sizeof another, "%s", temp_path("another"));
  if (fovea("train --data %s" SETTINGS "--out %s", data, finished) == 0 &&
      fovea("train --data %s" SETTINGS "--seed 1 --out %s", data, another) == 0)
    return 0;
  fprintf(stderr, "%s\n", output);
  return -1;
}

/* --- the settings ------------------------------------------------------------------------------------------------ */

/* As a kill before the first checkpoint leaves it. */
static void begun_without_checkpoint(void **state) {
  (void)state;
  const char *run = folder("begun", (const char *const[]){config, NULL});
  ENDS(2, "--epochs was 3 when it began and is 4 now", "train --data %s --out %s --resume --epochs 4", data, run);
  ENDS(0, "with the settings of its config.json", "train --data %s --out %s --resume", data, run);
  same_network(run);
}

static void other_data_of_the_same_size(void **state) {
  (void)state;
  const char *run = folder("swapped-data", all);
  char *before = text_of(run, config);
  ENDS(2, "the content of --data's training images", "train --data %s --out %s --resume", other_data, run);
  char *after = text_of(run, config);
  assert_string_equal(before, after);
  free(before);
  free(after);
  unlink(in(run, config)); /* the checkpoint has it too */
  ENDS(2, "the content of --data's training images", "train --data %s --out %s --resume", other_data, run);
  copy(finished, run, config);
  unlink(in(run, checkpoint)); /* and config.json alone */
  ENDS(2, "the content of --data's training images", "train --data %s --out %s --resume", other_data, run);
}

static void start_weights(void **state) {
  (void)state;
  char whole[1024], weights[1400];
  snprintf(whole, sizeof whole, "%s", temp_path("init"));
  snprintf(weights, sizeof weights, "%s", in(finished, checkpoint));
  ENDS(0, "", "train --data %s" SETTINGS "--init %s --out %s", data, weights, whole);
  ENDS(0, "", "train --data %s --out %s --resume", data, whole);
  ENDS(0, "", "train --data %s --out %s --resume --init %s", data, whole, weights);
  ENDS(2, "--init", "train --data %s --out %s --resume --init %s", data, whole, in(another, checkpoint));
  const char *run = folder("init-none", all);
  ENDS(2, "--init", "train --data %s --out %s --resume --init %s", data, run, weights);
  run = folder("init-begun", (const char *const[]){NULL});
  copy(whole, run, config);
  ENDS(0, "no checkpoint yet", "train --data %s --out %s --resume", data, run);
  assert_same_bytes(in(whole, checkpoint), in(run, checkpoint));
}

/* --- the files of one folder ------------------------------------------------------------------------------------- */

static void checkpoint_of_another_run(void **state) {
  (void)state;
  const char *run = folder("swapped", all);
  copy(another, run, checkpoint);
  ENDS(2, "the checkpoint is of another run than config.json, --seed is 1 in it and 768 there",
       "train --data %s --out %s --resume", data, run);
  assert_same_bytes(in(finished, metrics), in(run, metrics));
  assert_same_bytes(in(finished, config), in(run, config));
  assert_same_bytes(in(another, checkpoint), in(run, checkpoint));
}

static void metrics_of_another_run(void **state) {
  (void)state;
  const char *run = folder("other-metrics", all);
  copy(another, run, metrics);
  ENDS(2, "is of the run", "train --data %s --out %s --resume", data, run);
  assert_same_bytes(in(another, metrics), in(run, metrics));
}

/* All but images_per_s, and the run at the end. */
static void same_losses(const char *dir) {
  char *a = text_of(finished, metrics), *b = text_of(dir, metrics), *x = a, *y = b;
  for (; *x != '\0' && *y != '\0'; x += strcspn(x, "\n") + 1, y += strcspn(y, "\n") + 1) {
    size_t losses = 0;
    for (int commas = 0; commas < 7; losses++) commas += x[losses] == ',';
    assert_memory_equal(x, y, losses);
  }
  assert_true(*x == '\0' && *y == '\0');
  free(a);
  free(b);
}

static void metrics_are_made_anew(void **state) {
  (void)state;
  const char *run = folder("no-metrics", (const char *const[]){checkpoint, config, picture, NULL});
  ENDS(0, "lacked 3 of 3 epochs; they are written anew from the checkpoint", "train --data %s --out %s --resume", data,
       run);
  same_losses(run);
  char *text = text_of(run, metrics), *second = strchr(text, '\n') + 1, line[512];
  snprintf(line, sizeof line, "%.*s", (int)(strcspn(second, "\n") + 1), second);
  *second = '\0';
  write_text(run, metrics, text); /* the header alone */
  ENDS(0, "lacked 3 of 3 epochs", "train --data %s --out %s --resume", data, run);
  same_losses(run);
  line[strlen(line) - 1] = '\0';
  OK(fovea_file_append_line(in(run, metrics), line)); /* epoch 1 twice */
  ENDS(0, "1 repeated lines are dropped", "train --data %s --out %s --resume", data, run);
  same_losses(run);
  line[2] = line[2] == '9' ? '8' : '9'; /* another loss */
  OK(fovea_file_append_line(in(run, metrics), line));
  ENDS(2, "of different trainings", "train --data %s --out %s --resume", data, run);
  free(text);
}

/* Lines of epochs that are done again are dropped when they are this run's, in words. */
static void later_lines(void **state) {
  (void)state;
  const char *run = folder("later", (const char *const[]){config, metrics, NULL});
  ENDS(0, "3 lines of epochs after the checkpoint are dropped", "train --data %s --out %s --resume", data, run);
  same_network(run);
  same_losses(run);
}

static void nothing_is_overwritten(void **state) {
  (void)state;
  static const char *const names[] = {metrics, config, "walk.png", "latent.png", "curves.png", picture, checkpoint};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char name[32];
    snprintf(name, sizeof name, "left%zu", i);
    const char *run = folder(name, (const char *const[]){names[i], NULL});
    ENDS(2, names[i], "train --data %s" SETTINGS "--out %s", data, run);
    assert_output("--resume");
    assert_same_bytes(in(finished, names[i]), in(run, names[i]));
    assert_false(strcmp(names[i], checkpoint) != 0 && there(run, checkpoint));
  }
}

/* Sets a string of config.json; NULL removes it. */
static void set_in_config(const char *dir, const char *key, const char *value) {
  json_t *json = json_load_file(in(dir, config), 0, NULL);
  assert_non_null(json);
  if (value != NULL)
    assert_int_equal(json_object_set_new(json, key, json_string(value)), 0);
  else
    json_object_del(json, key);
  assert_int_equal(json_dump_file(json, in(dir, config), 0), 0);
  json_decref(json);
}

/* No run has products of two libraries. */
static void another_blas(void **state) {
  (void)state;
  const char *run = folder("blas", all);
  set_in_config(run, "blas", "clblast");
  write_text(run, metrics, "");
  char *before = text_of(run, config);
  ENDS(2, "by the BLAS clblast so far, and it would be builtin now", "train --data %s --out %s --resume", data, run);
  assert_output("FOVEA_BLAS=clblast");
  char *after = text_of(run, config), *rows = text_of(run, metrics);
  assert_string_equal(before, after);
  assert_string_equal(rows, "");
  free(before);
  free(after);
  free(rows);
  copy(finished, run, metrics);
  set_in_config(run, "blas", NULL); /* as an older version wrote it */
  ENDS(0, "", "train --data %s --out %s --resume", data, run);
  unlink(in(run, checkpoint)); /* nothing is trained yet: nothing is mixed */
  set_in_config(run, "blas", "clblast");
  ENDS(0, "", "train --data %s --out %s --resume", data, run);
  same_network(run);
}

/* --- an epoch that was not completed ----------------------------------------------------------------------------- */

static void a_picture_is_owed(void **state) {
  (void)state;
  char run[1024];
  snprintf(run, sizeof run, "%s", temp_path("owed"));
  assert_int_equal(mkdir(run, 0777), 0);
  assert_int_equal(mkdir(in(run, "reconstructions-epoch002.png.tmp"), 0777), 0); /* as a full disk would */
  ENDS(5, "reconstructions-epoch002.png", "train --data %s" SETTINGS "--out %s --resume", data, run);
  assert_int_equal(rmdir(in(run, "reconstructions-epoch002.png.tmp")), 0);
  ENDS(0, "", "train --data %s --out %s --resume", data, run);
  assert_no_output("epoch 1:");
  assert_same_bytes(in(finished, "reconstructions-epoch002.png"), in(run, "reconstructions-epoch002.png"));
  same_network(run);
  same_losses(run);
  unlink(in(run, picture));
  ENDS(0, "reconstructions-epoch003.png is missing and drawn anew", "train --data %s --out %s --resume", data, run);
  assert_no_output("cannot be drawn");
  assert_same_bytes(in(finished, picture), in(run, picture));
  unlink(in(run, "reconstructions-epoch002.png"));
  ENDS(0, "reconstructions-epoch002.png is missing and cannot be drawn any more", "train --data %s --out %s --resume",
       data, run);
  unlink(in(run, "reconstructions-epoch001.png"));
  ENDS(0, "reconstructions-epoch001.png and 1 more of earlier epochs are missing and cannot be drawn any more",
       "train --data %s --out %s --resume", data, run);
}

/* The epoch's steps were fine: they are kept, and only the evaluation is done again. */
static void evaluation_is_not_finite(void **state) {
  (void)state;
  char run[1024];
  snprintf(run, sizeof run, "%s", temp_path("not-finite"));
  ENDS(1, "epoch 1 is trained and saved, but not evaluated",
       "train --data %s" SETTINGS "--lr 1 --min-lr 1 --kl 1 --out %s", data, run);
  fovea_safetensors *file = NULL;
  const fovea_safetensor *tensor = NULL;
  uint64_t images_done = 0;
  OK(fovea_safetensors_open(in(run, checkpoint), &file));
  OK(fovea_safetensors_find(file, "state.images_done", &tensor));
  memcpy(&images_done, tensor->data, sizeof images_done);
  assert_int_equal(images_done, TRAIN);
  fovea_safetensors_close(file);
  char *before = text_of(run, metrics);
  ENDS(1, "epoch 1 is trained and saved, but not evaluated", "train --data %s --out %s --resume", data, run);
  assert_no_output("images/s"); /* not trained again */
  char *after = text_of(run, metrics);
  assert_string_equal(before, after);
  free(before);
  free(after);
}

/* --- runs of older versions -------------------------------------------------------------------------------------- */

/* The text without what the version before the hashes did not write. */
static char *older_config(const char *text) {
  json_t *json = json_loads(text, 0, NULL);
  assert_non_null(json);
  json_object_del(json, "train_hash");
  json_object_del(json, "test_hash");
  json_object_del(json, "run");
  char *older = json_dumps(json, JSON_COMPACT);
  json_decref(json);
  return older;
}

static void make_checkpoint_older(const char *dir) {
  fovea_safetensors *file = NULL;
  OK(fovea_safetensors_open(in(dir, checkpoint), &file));
  const size_t count = fovea_safetensors_count(file);
  fovea_safetensor *tensors = calloc(count, sizeof *tensors);
  assert_non_null(tensors);
  for (size_t i = 0; i < count; i++) tensors[i] = *fovea_safetensors_get(file, i);
  char *older = older_config(fovea_safetensors_metadata(file, "config"));
  OK(fovea_safetensors_write(in(dir, checkpoint), tensors, count, &(fovea_safetensor_text){"config", older}, 1));
  free(older);
  free(tensors);
  fovea_safetensors_close(file);
}

static void make_older(const char *dir) {
  char *text = text_of(dir, config), *older = older_config(text);
  write_text(dir, config, older);
  free(text);
  free(older);
  make_checkpoint_older(dir);
  text = text_of(dir, metrics);
  char *out = text;
  for (char *line = text; *line != '\0';) { /* less the last column */
    const size_t n = strcspn(line, "\n");
    line[n] = '\0';
    const size_t kept = (size_t)(strrchr(line, ',') - line);
    memmove(out, line, kept);
    out[kept] = '\n';
    out += kept + 1;
    line += n + 1;
  }
  *out = '\0';
  write_text(dir, metrics, text);
  free(text);
}

static void an_older_run(void **state) {
  (void)state;
  const char *run = folder("older", all);
  make_older(run);
  ENDS(0, "begun by an older version", "train --data %s --out %s --resume", data, run);
  same_losses(run);
  unlink(in(run, metrics));
  make_checkpoint_older(run);
  ENDS(0, "lacks 3 of 3 epochs", "train --data %s --out %s --resume", data, run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(begun_without_checkpoint),
      cmocka_unit_test(other_data_of_the_same_size),
      cmocka_unit_test(start_weights),
      cmocka_unit_test(checkpoint_of_another_run),
      cmocka_unit_test(metrics_of_another_run),
      cmocka_unit_test(metrics_are_made_anew),
      cmocka_unit_test(later_lines),
      cmocka_unit_test(nothing_is_overwritten),
      cmocka_unit_test(another_blas),
      cmocka_unit_test(a_picture_is_owed),
      cmocka_unit_test(evaluation_is_not_finite),
      cmocka_unit_test(an_older_run),
  };
  (void)open_device;
  (void)close_device;
  (void)small_config;
  (void)images;
  (void)assert_message;
  return cmocka_run_group_tests(tests, train_once, NULL);
}
