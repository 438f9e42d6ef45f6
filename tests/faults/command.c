#define _XOPEN_SOURCE 700 /* nftw */
/* The command's subcommands while one call after the other fails: the documented exit code, one sentence on stderr,
 * nothing held, nothing half written; and a training that is gone on with afterwards ends in the same bytes. Without a
 * fault the same runs show that every OpenCL object is released. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <png.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "faults/campaign.h"
#include "fovea/data.h"
#include "support/picture.h"
#include "support/tempdir.h"

enum { SIDE = 4, TRAIN_IMAGES = 20, TEST_IMAGES = 6 };

#define NET " --arch 3,2,1 --depth 1 --attention spatial --batch 128 --epochs 2 "

static char data[1024], run[1024], finished[1024], out[1024], table[1024];

/* --- a subcommand in this process -----------------------------------------------------------------------------------
 */

static char said[1 << 15]; /* what it said on stderr */

/* Its exit code, as the command's main would return it. Words of `line` are split at spaces. */
static int run_command(const command *c, const char *line) {
  char copy[4096], *words[64], *rest = NULL;
  int count = 0;
  snprintf(copy, sizeof copy, "%s %s", c->name, line);
  for (char *w = strtok_r(copy, " ", &rest); w && count < 63; w = strtok_r(NULL, " ", &rest)) words[count++] = w;
  words[count] = NULL;
  return command_run(c, count, words);
}

static void read_back(int descriptor) {
  const off_t end = lseek(descriptor, 0, SEEK_END);
  const off_t from = end > (off_t)sizeof said - 1 ? end - (off_t)sizeof said + 1 : 0;
  const ssize_t n = pread(descriptor, said, sizeof said - 1, from);
  said[n > 0 ? n : 0] = '\0';
}

/* The same with stdout away and stderr into `said`; *message is its last line, which must be the only failure's. */
static int run_silently(const command *c, const char *line, const char **message) {
  static char name[] = "/tmp/fovea-said-XXXXXX";
  char here[sizeof name];
  memcpy(here, name, sizeof name);
  faults_pause();
  fflush(stdout);
  fflush(stderr);
  const int file = mkstemp(here), null = open("/dev/null", O_WRONLY), output = dup(1), errors = dup(2);
  unlink(here);
  dup2(null, 1);
  dup2(file, 2);
  faults_resume();
  const int code = run_command(c, line);
  faults_pause();
  fflush(stdout);
  fflush(stderr);
  dup2(output, 1);
  dup2(errors, 2);
  read_back(file);
  close(file);
  close(null);
  close(output);
  close(errors);
  char *end = said + strlen(said);
  while (end > said && end[-1] == '\n') *--end = '\0';
  char *last = strrchr(said, '\n');
  last = last ? last + 1 : said;
  *message = strncmp(last, "fovea: ", 7) == 0 ? last + 7 : "";
  return code;
}

static const char *format(const char *text, ...) {
  static char line[4096];
  va_list rest;
  va_start(rest, text);
  vsnprintf(line, sizeof line, text, rest);
  va_end(rest);
  return line;
}

/* --- files ----------------------------------------------------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *level) {
  (void)about;
  (void)type;
  (void)level;
  return remove(path);
}

static void remove_all(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static bool there(const char *path) { return access(path, F_OK) == 0; }

static const char *in(const char *folder, const char *name) {
  static char paths[4][1200];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static bool same(const char *a, const char *b) {
  uint8_t *x = NULL, *y = NULL;
  size_t nx = 0, ny = 0;
  const bool equal = !fovea_file_read(a, 1 << 24, &x, &nx) && !fovea_file_read(b, 1 << 24, &y, &ny) && nx == ny &&
                     memcmp(x, y, nx) == 0;
  free(x);
  free(y);
  return equal;
}

/* Complete, or not there. */
static bool whole_picture(const char *path) {
  picture p = {0};
  if (!there(path)) return true;
  const bool good = picture_read(path, &p) == 0;
  picture_free(&p);
  return good;
}

static const char *whole;

/* Every PNG decodes. */
static int look_at(const char *path, const struct stat *about, int type, struct FTW *level) {
  (void)about;
  (void)type;
  (void)level;
  const char *dot = strrchr(path, '.');
  if (dot && strcmp(dot, ".png") == 0 && !whole_picture(path)) whole = "a picture is half written";
  return 0;
}

static const char *look_into(const char *folder) {
  whole = NULL;
  nftw(folder, look_at, 16, FTW_PHYS);
  return whole;
}

/* --- the counting itself --------------------------------------------------------------------------------------------
 */

/* Several threads read a folder's pictures and allocate for them; of what they do nothing is lost to the counts. */
static void counting(void **state) {
  (void)state;
  const held before = faults_held();
  for (int i = 0; i < 300; i++) {
    fovea_dataset *set = NULL;
    assert_int_equal(fovea_dataset_load(data, "train", 0, &set), FOVEA_OK);
    fovea_dataset_destroy(set);
    const held after = faults_held();
    assert_memory_equal(&after, &before, sizeof after);
  }
}

/* --- train ----------------------------------------------------------------------------------------------------------
 */

static void train_reset(void) { remove_all(run); }

static int train_work(const char **message) {
  return run_silently(&command_train, format("--data %s --out %s" NET, data, run), message);
}

/* However it ended, going on gives the network of a training that nothing disturbed. */
static const char *train_judge(int status) {
  const char *message, *wrong = look_into(run);
  if (wrong) return wrong;
  if (status == 0 && !there(in(run, "walk.png"))) return "it succeeded without all of its pictures";
  if (status != 0 && run_silently(&command_train, format("--data %s --out %s" NET "--resume", data, run), &message))
    return message[0] ? message : "it cannot be gone on with";
  return same(in(run, "checkpoint.safetensors"), in(finished, "checkpoint.safetensors")) ? NULL
                                                                                         : "the numbers are others";
}

static void training(void **state) {
  (void)state;
  const campaign c = {"fovea train", train_work, train_reset, train_judge, 2, 1, 0, 0, false};
  assert_int_equal(campaign_run(&c), 0);
}

/* --- train --resume -------------------------------------------------------------------------------------------------
 */

static void resume_reset(void) {
  static const char *const names[] = {"checkpoint.safetensors", "metrics.csv"};
  train_reset();
  for (size_t i = 0; i < 2; i++) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (fovea_directory_create(run) || fovea_file_read(in(finished, names[i]), 1 << 24, &bytes, &size) ||
        fovea_file_write(in(run, names[i]), bytes, size))
      abort();
    free(bytes);
  }
}

/* Nothing is left to train: all of it is reading, and drawing the last pictures. */
static int resume_work(const char **message) {
  return run_silently(&command_train, format("--data %s --out %s --resume --json", data, run), message);
}

static void resuming(void **state) {
  (void)state;
  const campaign c = {"fovea train --resume", resume_work, resume_reset, train_judge, 1, 0, 0, 0, false};
  assert_int_equal(campaign_run(&c), 0);
}

/* --- reconstruct ----------------------------------------------------------------------------------------------------
 */

static void out_reset(void) {
  remove_all(out);
  if (fovea_directory_create(out)) abort();
}

static int reconstruct_work(const char **message) {
  char picture_path[1200];
  snprintf(picture_path, sizeof picture_path, "%s", in(out, "pairs.png"));
  return run_silently(
      &command_reconstruct,
      format("--run %s --data %s --out %s --save %s", finished, data, picture_path, in(out, "pairs.safetensors")),
      message);
}

static const char *reconstruct_judge(int status) {
  const char *save = in(out, "pairs.safetensors"), *before = in(finished, "pairs.safetensors");
  if (status == 0 && !there(before) && rename(save, before))
    return "it left no tensors";
  else if (status == 0 && there(save) && !same(save, before))
    return "the numbers are others";
  if (there(save) && !same(save, before)) return "the tensors are half written";
  return look_into(out);
}

static void reconstructing(void **state) {
  (void)state;
  const campaign c = {"fovea reconstruct", reconstruct_work, out_reset, reconstruct_judge, 2, 0, 0, 0, false};
  assert_int_equal(campaign_run(&c), 0);
}

/* --- report -------------------------------------------------------------------------------------------------------
 */

static int report_work(const char **message) {
  return run_silently(&command_report, format("%s --out %s", finished, in(out, "page.html")), message);
}

/* A page may have less on it, and say so; it is whole. */
static const char *report_judge(int status) {
  static const char end[] = "</body>\n</html>\n";
  const char *page = in(out, "page.html");
  uint8_t *bytes = NULL;
  size_t size = 0;
  if (!there(page)) return status == 0 ? "it left no page" : NULL;
  if (fovea_file_read(page, 1 << 24, &bytes, &size)) return "the page cannot be read";
  const bool ended = size >= sizeof end && strcmp((char *)bytes + size - (sizeof end - 1), end) == 0;
  free(bytes);
  return ended ? NULL : "the page is half written";
}

static void reporting(void **state) {
  (void)state;
  const campaign c = {"fovea report", report_work, out_reset, report_judge, 2, 0, 0, 0, true};
  assert_int_equal(campaign_run(&c), 0);
}

/* --- regress --------------------------------------------------------------------------------------------------------
 */

static int regress_work(const char **message) {
  return run_silently(&command_regress, format("%s --constant --plot %s", table, in(out, "plot.png")), message);
}

static int regress_json_work(const char **message) {
  return run_silently(&command_regress, format("%s --columns a,word --response y --json", table), message);
}

static int regress_anova_work(const char **message) {
  return run_silently(&command_regress,
                      format("%s --terms word,a,b --cluster word --poly a:2 --baseline word=red --anova 2 --detect 1 "
                             "--plot %s",
                             table, in(out, "plot.png")),
                      message);
}

static const char *out_judge(int status) {
  (void)status;
  return look_into(out);
}

static void regressing(void **state) {
  (void)state;
  const campaign plot = {"fovea regress --plot", regress_work, out_reset, out_judge, 50, 0, 10, 0, false};
  const campaign json = {"fovea regress --json", regress_json_work, out_reset, out_judge, 50, 0, 10, 0, false};
  const campaign anova = {"fovea regress --anova", regress_anova_work, out_reset, out_judge, 50, 0, 10, 0, false};
  assert_int_equal(campaign_run(&plot) + campaign_run(&json) + campaign_run(&anova), 0);
}

/* --- devices --------------------------------------------------------------------------------------------------------
 */

static int devices_work(const char **message) { return run_silently(&command_devices, "--json", message); }

static void nothing(void) {}

static void listing(void **state) {
  (void)state;
  const campaign c = {"fovea devices", devices_work, nothing, out_judge, 30, 30, 5, 0, false};
  assert_int_equal(campaign_run(&c), 0);
}

/* --- sweep ----------------------------------------------------------------------------------------------------------
 */

static int sweep_work(const char **message) {
  return run_silently(&command_sweep, format("--data %s --out %s" NET "--factors activation=relu|elu", data, run),
                      message);
}

static const char *sweep_judge(int status) {
  const char *message, *wrong = look_into(run);
  if (wrong) return wrong;
  if (status != 0 &&
      run_silently(&command_sweep, format("--data %s --out %s" NET "--factors activation=relu|elu --resume", data, run),
                   &message))
    return message[0] ? message : "it cannot be gone on with";
  return NULL;
}

static void sweeping(void **state) {
  (void)state;
  const campaign c = {"fovea sweep", sweep_work, train_reset, sweep_judge, 1, 0, 0, 0, false};
  assert_int_equal(campaign_run(&c), 0);
}

/* --- bench: without faults, for its objects alone
 * --------------------------------------------------------------------- */

static int bench_work(const char **message) {
  return run_silently(&command_bench, "--steps 1 --batch 16 --units 3,2,1 --json", message);
}

static void benching(void **state) {
  (void)state;
  const campaign c = {"fovea bench", bench_work, nothing, out_judge, 0, 0, 0, 0, false};
  assert_int_equal(campaign_run(&c), 0);
}

/* --- the tests ------------------------------------------------------------------------------------------------------
 */

static void write_images(const char *split, int count) {
  uint8_t pixels[SIDE * SIDE];
  char name[64];
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < SIDE * SIDE; j++) pixels[j] = (uint8_t)((i + 3) * (j + 1) * 37 % 251);
    snprintf(name, sizeof name, "data/%s/%03d.png", split, i);
    png_image image = {.version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_GRAY};
    if (!png_image_write_to_file(&image, temp_file(name, "", 0), 0, pixels, 0, NULL)) abort();
  }
}

static int prepare(void **state) {
  (void)state;
  static const char csv[] =
      "a,word,b,y\n1,red,2,3\n2,green,1,4\n3,red,5,4\n4,blue,3,6\n5,green,8,5\n6,blue,1,9\n"
      "7,red,4,8\n8,green,2,7\n9,blue,6,12\n10,red,3,11\n";
  const char *message;
  faults_watch_jansson();
  write_images("train", TRAIN_IMAGES);
  write_images("test", TEST_IMAGES);
  snprintf(data, sizeof data, "%s", temp_path("data"));
  snprintf(run, sizeof run, "%s", temp_path("run"));
  snprintf(out, sizeof out, "%s", temp_path("out"));
  snprintf(finished, sizeof finished, "%s", temp_path("finished"));
  snprintf(table, sizeof table, "%s", temp_file("table.csv", csv, sizeof csv - 1));
  if (run_silently(&command_train, format("--data %s --out %s" NET, data, finished), &message) == 0) return 0;
  fprintf(stderr, "%s\n", said);
  return -1;
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv) {
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counting),       cmocka_unit_test(training),  cmocka_unit_test(resuming),
      cmocka_unit_test(reconstructing), cmocka_unit_test(reporting), cmocka_unit_test(regressing),
      cmocka_unit_test(listing),        cmocka_unit_test(sweeping),  cmocka_unit_test(benching)};
  return cmocka_run_group_tests(tests, prepare, NULL);
}
