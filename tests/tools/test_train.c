/* `fovea train` and `fovea reconstruct` from outside: what they leave, what they refuse, and how they die. */
#include "model/small.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fovea/safetensors.h"
#include "support/command.h"
#include "support/picture.h"

#define NET " --arch 4,3,2 --depth 1 --batch 16 --bn-momentum 0.9 "
#define SMALL "train --data " FASHION NET "--limit-train 320 --limit-test 90 --epochs 2 --out "
/* Long enough to be stopped in the middle, 25 steps an epoch. */
#define LONG_NET NET "--limit-train 400 --limit-test 90 --epochs 3 "
#define LONG "train --data " FASHION LONG_NET "--out "

#define RUNS(...)                                                                           \
  do {                                                                                      \
    int code_ = fovea(__VA_ARGS__);                                                         \
    if (code_ != 0) fail_msg("%s:%d: exit code %d: %s", __FILE__, __LINE__, code_, output); \
  } while (0)

#define FAILS(code, message, ...)                                                                \
  do {                                                                                           \
    int code_ = fovea(__VA_ARGS__);                                                              \
    if (code_ != (code)) fail_msg("%s:%d: exit code %d: %s", __FILE__, __LINE__, code_, output); \
    assert_output(message);                                                                      \
  } while (0)

static char finished[1024]; /* a run that the tests share */

static int train_once(void **state) {
  (void)state;
  snprintf(finished, sizeof finished, "%s", temp_path("finished"));
  if (fovea(SMALL "%s", finished) == 0) return 0;
  fprintf(stderr, "%s\n", output);
  return -1;
}

static void in_run(char path[1200], const char *run, const char *name) { snprintf(path, 1200, "%s/%s", run, name); }

static void same_checkpoint(const char *run_a, const char *run_b) {
  char a[1200], b[1200];
  in_run(a, run_a, "checkpoint.safetensors");
  in_run(b, run_b, "checkpoint.safetensors");
  assert_same_bytes(a, b);
}

static size_t lines_of(const char *run, const char *name) {
  char path[1200];
  uint8_t *data = NULL;
  size_t size = 0, lines = 0;
  in_run(path, run, name);
  OK(fovea_file_read(path, 1 << 24, &data, &size));
  for (size_t i = 0; i < size; i++) lines += data[i] == '\n';
  free(data);
  return lines;
}

static void a_run_leaves(void **state) {
  (void)state;
  static const char *const pictures[] = {"reconstructions-epoch001.png", "reconstructions-epoch002.png", "walk.png",
                                         "latent.png", "curves.png"};
  char path[1200];
  for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
    picture p = {0};
    in_run(path, finished, pictures[i]);
    if (picture_read(path, &p) != 0) fail_msg("%s is not a picture", path);
    picture_free(&p);
  }
  assert_int_equal(lines_of(finished, "metrics.csv"), 3);
  in_run(path, finished, "config.json");
  json_t *config = json_load_file(path, 0, NULL);
  assert_non_null(config);
  assert_string_equal(json_string_value(json_object_get(config, "activation")), "relu");
  assert_int_equal(json_integer_value(json_object_get(config, "train_images")), 320);
  assert_true(json_real_value(json_object_get(config, "lr")) == 0.005);
  assert_non_null(json_object_get(config, "device"));
  assert_true(json_integer_value(json_object_get(config, "memory")) > 100000); /* the parameters alone */
  json_decref(config);
}

static void runs_repeat(void **state) {
  (void)state;
  const char *other = temp_path("other");
  RUNS(SMALL "%s --json 2>/dev/null", other);
  json_t *result = json_loads(output, 0, NULL);
  assert_non_null(result);
  assert_int_equal(json_integer_value(json_object_get(result, "epochs")), 2);
  assert_true(json_real_value(json_object_get(result, "val_loss")) > 0);
  json_decref(result);
  same_checkpoint(finished, other);
  RUNS(SMALL "%s --resume", other); /* nothing left to do */
  same_checkpoint(finished, other);
}

static void bad_usage(void **state) {
  (void)state;
  const char *out = temp_path("unused");
  FAILS(2, "did you mean --epochs?", "train --data x --out y --epohcs 3");
  FAILS(2, "--out DIR is required", "train --data " FASHION);
  FAILS(5, "/nonexistent", "train --data /nonexistent --out %s", out);
  FAILS(2, "--arch", "train --data " FASHION " --arch 8,0 --out %s", out);
  FAILS(2, "--arch", "train --data " FASHION " --arch 8 --out %s", out);
  FAILS(2, "would have 78400 values",
        "train --data " FASHION " --limit-train 64 --limit-test 64 --arch 200,100 --out %s", out);
  FAILS(2, "--kernel 4 is even", "train --data " FASHION " --kernel 4 --out %s", out);
  FAILS(2, "--min-lr", "train --data " FASHION " --lr 0.001 --min-lr 0.1 --out %s", out);
  FAILS(2, "no such device", SMALL "%s --device 'no such device'", out);
  FAILS(5, "/proc/run", SMALL "/proc/run");
  FAILS(2, "no folder", SMALL "/dev/null/run");
  FAILS(2, "'no\xffutf' is not UTF-8", "train --data no\xffutf --out %s", out);
  FAILS(2, "is not UTF-8", SMALL "%s --init %s", out, temp_file("no\xffutf", "x", 1));
  assert_int_equal(access(out, F_OK), -1);
  FAILS(2, "of an earlier run already; go on from it with fovea train --resume", SMALL "%s", finished);
  assert_null(strstr(output, "fovea: train:")); /* no image was read */
}

/* Kernels of 5x5 are a setting of the run, which --resume and whatever reads it keep. */
static void wider_kernels(void **state) {
  (void)state;
  char wide[1024], png[1024];
  snprintf(wide, sizeof wide, "%s", temp_path("wide"));
  snprintf(png, sizeof png, "%s", temp_path("wide.png"));
  RUNS(SMALL "%s --limit-train 32 --kernel 5", wide);
  RUNS("train --data " FASHION " --out %s --resume", wide);
  FAILS(2, "--kernel was 5 when it began and is 3 now", "train --data " FASHION " --out %s --resume --kernel 3", wide);
  RUNS("reconstruct --run %s --data " FASHION " --count 8 --out %s", wide, png);
}

static void occupied_folders(void **state) {
  (void)state;
  FAILS(2, "--resume", SMALL "%s", finished);
  FAILS(2, "--epochs was 2 when it began and is 3 now", SMALL "%s --resume --epochs 3", finished);
  FAILS(2, "--bn-momentum was 0.9 when it began and is 0.6 now", SMALL "%s --resume --bn-momentum 0.6", finished);
  FAILS(2, "--kernel was 3 when it began and is 5 now", SMALL "%s --resume --kernel 5", finished);
  FAILS(2, "--limit-train", SMALL "%s --resume --limit-train 32", finished);
  FAILS(2, "--activation", SMALL "%s --resume --activation elu", finished);
  const char *fresh = temp_path("fresh");
  assert_int_equal(mkdir(fresh, 0777), 0);
  RUNS(SMALL "%s --resume --epochs 1 --limit-train 64", fresh); /* a folder without a checkpoint: from the beginning */
  assert_output("no checkpoint yet");
}

static void bad_weights(void **state) {
  (void)state;
  char checkpoint[1200];
  uint8_t *data = NULL;
  size_t size = 0;
  in_run(checkpoint, finished, "checkpoint.safetensors");
  OK(fovea_file_read(checkpoint, 1 << 28, &data, &size));
  data[size / 2] ^= 1;
  const char *flipped = temp_file("flipped/checkpoint.safetensors", data, size);
  const char *torn = temp_file("torn/checkpoint.safetensors", data, size / 2);
  FAILS(2, "hash", SMALL "%s --resume", temp_path("flipped"));
  FAILS(2, "", SMALL "%s --resume", temp_path("torn"));
  FAILS(2, "", SMALL "%s --init %s", temp_path("init1"), torn);
  FAILS(2, "hash", SMALL "%s --init %s", temp_path("init2"), flipped);
  FAILS(5, "", SMALL "%s --init %s", temp_path("init3"), temp_path("nothing"));
  FAILS(2, "another architecture", SMALL "%s --latent 3 --init %s", temp_path("init4"), checkpoint);
  RUNS(SMALL "%s --limit-train 64 --epochs 1 --init %s", temp_path("init5"), checkpoint);
  free(data);
}

static void pause_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

/* Starts the long run in `run`, sends the signal a little after its first step, returns how it ended. */
static int interrupted_by(int number, const char *run, long after_ms) {
  char arguments[2048];
  snprintf(arguments, sizeof arguments, LONG "%s", run);
  process p = process_start(arguments, output, sizeof output);
  assert_int_equal(process_wait_for(&p, "parameters"), 0);
  pause_ms(after_ms);
  kill(p.pid, number);
  return process_end(&p);
}

static void interruptions(void **state) {
  (void)state;
  const char *whole = temp_path("whole");
  RUNS(LONG "%s", whole);
  static const struct {
    int number;
    long after_ms;
  } cases[] = {{SIGINT, 60}, {SIGTERM, 240}, {SIGKILL, 160}, {SIGKILL, 360}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[32];
    snprintf(name, sizeof name, "stopped%zu", i);
    const char *run = temp_path(name);
    const int code = interrupted_by(cases[i].number, run, cases[i].after_ms);
    if (cases[i].number == SIGKILL) {
      assert_true(code == -SIGKILL || code == 0);
    } else {
      assert_true(code == 128 + cases[i].number || code == 0);
      if (code != 0) assert_output("go on with --resume");
    }
    RUNS("train --resume --data " FASHION LONG_NET "--out %s", run);
    assert_int_equal(lines_of(run, "metrics.csv"), 4);
    same_checkpoint(whole, run);
  }
}

static void one_process_a_folder(void **state) {
  (void)state;
  char arguments[2048];
  const char *run = temp_path("shared");
  snprintf(arguments, sizeof arguments, LONG "%s", run);
  static char first[1 << 14];
  process p = process_start(arguments, first, sizeof first);
  assert_int_equal(process_wait_for(&p, "parameters"), 0);
  FAILS(5, "another fovea is working in this folder", LONG "%s", run);
  kill(p.pid, SIGKILL);
  process_end(&p);
}

static void read_only_and_full(void **state) {
  (void)state;
  if (geteuid() == 0) skip(); /* root writes everywhere */
  const char *run = temp_path("closed");
  assert_int_equal(mkdir(run, 0555), 0);
  FAILS(5, run, SMALL "%s", run);
}

static void a_locale_with_commas(void **state) {
  (void)state;
  const char *run = temp_path("comma");
  char arguments[2048];
  snprintf(arguments, sizeof arguments, SMALL "%s", run);
  assert_int_equal(process_fovea("LC_ALL=de_DE.UTF-8", arguments, output, sizeof output), 0);
  same_checkpoint(finished, run);
}

static void reconstruct(void **state) {
  (void)state;
  const char *out = temp_path("pairs.png");
  picture p = {0};
  RUNS("reconstruct --run %s --data " FASHION " --out %s --count 5", finished, out);
  assert_int_equal(picture_read(out, &p), 0);
  picture_free(&p);
  assert_output("the mean of each image's code");
  const char *walk = temp_path("walk.png");
  char made[1200];
  RUNS("reconstruct --run %s --walk --out %s", finished, walk);
  in_run(made, finished, "walk.png");
  assert_same_bytes(walk, made); /* an evaluating network gives what the training one gave */
  FAILS(2, "--data", "reconstruct --run %s --out %s", finished, out);
  FAILS(5, "checkpoint.safetensors", "reconstruct --run /nonexistent --data " FASHION " --out %s", out);
  FAILS(5, "", "reconstruct --run %s --walk --out /nonexistent/x.png", finished);
}

/* The tensor of a file that --save wrote, `count` values of one rank. */
static const float *tensor(const fovea_safetensors *file, const char *name, int rank, size_t count) {
  const fovea_safetensor *t = NULL;
  OK(fovea_safetensors_find(file, name, &t));
  assert_int_equal(t->rank, rank);
  assert_int_equal(t->size, count * sizeof(float));
  return t->data;
}

/* The finished run's network makes of the file's z the file's images, bit for bit. */
static void assert_decodes(const fovea_safetensors *file, const char *name, size_t count) {
  char checkpoint[1200];
  fovea_vae_config c = small_config();
  fovea_vae *vae = NULL;
  c.unit_count = 3, c.units[0] = 4, c.units[1] = 3, c.units[2] = 2; /* NET */
  float *z = malloc(count * 2 * sizeof *z), *decoded = malloc(count * 784 * sizeof *decoded);
  memcpy(z, tensor(file, "z", 2, count * 2), count * 2 * sizeof *z);
  in_run(checkpoint, finished, "checkpoint.safetensors");
  OK(fovea_device_open(NULL, &device));
  OK(fovea_vae_create(device, &c, false, &vae));
  OK(fovea_vae_load(vae, checkpoint, NULL));
  OK(fovea_vae_decode(vae, z, count, decoded));
  assert_memory_equal(decoded, tensor(file, name, 4, count * 784), count * 784 * sizeof *decoded);
  fovea_vae_destroy(vae);
  fovea_device_close(device);
  free(z);
  free(decoded);
}

/* What --save writes beside a picture: the codes that the images come from, and which they are. */
static void reconstruct_saves_its_codes(void **state) {
  (void)state;
  enum { COUNT = 20 };
  static const char *const latents[] = {"mean", "sample"};
  static const char *const says[] = {"the mean of each image's code, z = mu\n", "a sample of each image's code"};
  float means[COUNT * 2];
  for (size_t i = 0; i < 2; i++) {
    fovea_safetensors *file = NULL;
    const char *out = temp_path("saved.png"), *save = temp_path("saved.safetensors");
    RUNS("reconstruct --run %s --data " FASHION " --out %s --count %d --save %s --latent %s", finished, out, COUNT,
         save, latents[i]);
    assert_output(says[i]);
    OK(fovea_safetensors_open(save, &file));
    assert_string_equal(fovea_safetensors_metadata(file, "latent"), latents[i]);
    assert_decodes(file, "reconstructions", COUNT);
    const float *mu = tensor(file, "mu", 2, COUNT * 2), *z = tensor(file, "z", 2, COUNT * 2);
    tensor(file, "logvar", 2, COUNT * 2);
    tensor(file, "originals", 4, COUNT * 784);
    assert_int_equal(memcmp(mu, z, sizeof means) == 0, i == 0);
    if (i == 0) memcpy(means, mu, sizeof means);
    assert_memory_equal(mu, means, sizeof means);
    fovea_safetensors_close(file);
  }
  FAILS(2, "--latent", "reconstruct --run %s --data " FASHION " --out %s --latent both", finished, temp_path("x.png"));
}

static void walk_saves_its_codes(void **state) {
  (void)state;
  enum { SIDE = 30, COUNT = SIDE * SIDE };
  fovea_safetensors *file = NULL;
  const char *out = temp_path("walked.png"), *save = temp_path("walked.safetensors");
  RUNS("reconstruct --run %s --walk --out %s --save %s", finished, out, save);
  assert_output("30 x 30 codes z over [-5, 5] of the first two numbers\n");
  OK(fovea_safetensors_open(save, &file));
  assert_string_equal(fovea_safetensors_metadata(file, "latent"), "walk");
  assert_decodes(file, "images", COUNT);
  float corners[4][2];
  const float wanted[4][2] = {{-5, 5}, {5, 5}, {-5, -5}, {5, -5}}; /* as on the picture */
  const char *z = (const char *)tensor(file, "z", 2, COUNT * 2);
  const size_t at[4] = {0, SIDE - 1, COUNT - SIDE, COUNT - 1};
  for (size_t i = 0; i < 4; i++) {
    memcpy(corners[i], z + at[i] * sizeof corners[i], sizeof corners[i]);
    for (size_t k = 0; k < 2; k++) assert_true(fabsf(corners[i][k] - wanted[i][k]) < 1e-5f);
  }
  fovea_safetensors_close(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_run_leaves),
                                     cmocka_unit_test(runs_repeat),
                                     cmocka_unit_test(bad_usage),
                                     cmocka_unit_test(wider_kernels),
                                     cmocka_unit_test(occupied_folders),
                                     cmocka_unit_test(bad_weights),
                                     cmocka_unit_test(reconstruct),
                                     cmocka_unit_test(interruptions),
                                     cmocka_unit_test(reconstruct_saves_its_codes),
                                     cmocka_unit_test(walk_saves_its_codes),
                                     cmocka_unit_test(one_process_a_folder),
                                     cmocka_unit_test(read_only_and_full),
                                     cmocka_unit_test(a_locale_with_commas)};
  (void)open_device;
  (void)close_device;
  return cmocka_run_group_tests(tests, train_once, NULL);
}
