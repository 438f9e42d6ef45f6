/* `fovea sweep` from outside: 2 x 2 configurations, killed wherever it stands, resumed; none lost, none twice. */
#include "model/small.h"

#include <jansson.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "fovea/stats.h"
#include "support/picture.h"
#include "support/process.h"

#define SWEEP                                                                               \
  "sweep --data " FASHION                                                                   \
  " --arch 4,3,2 --depth 1 --batch 16 --bn-momentum 0.9 --limit-train 128 --limit-test 64 " \
  "--epochs 2 --factors activation=relu|elu,dropout --out "

static const char *const configs[] = {"elu-spatial-bn-drop-s768", "elu-spatial-bn-nodrop-s768",
                                      "relu-spatial-bn-drop-s768", "relu-spatial-bn-nodrop-s768"};
enum { CONFIGS = sizeof configs / sizeof *configs, COLUMNS = 13 };

static char output[1 << 16], whole[1024];

/* The shell of process_fovea would take the bar for a pipe, so no shell. */
static int fovea(const char *format, ...) {
  char arguments[2048];
  va_list list;
  va_start(list, format);
  vsnprintf(arguments, sizeof arguments, format, list);
  va_end(list);
  process p = process_start(arguments, output, sizeof output);
  return process_end(&p);
}

static void assert_output(const char *part) {
  if (strstr(output, part) == NULL) fail_msg("'%s' is not in: %s", part, output);
}

static void in_dir(char path[1200], const char *dir, const char *name) { snprintf(path, 1200, "%s/%s", dir, name); }

static fovea_table *results(const char *dir) {
  char path[1200];
  fovea_table *table = NULL;
  in_dir(path, dir, "results.csv");
  OK(fovea_table_read(path, &table));
  assert_int_equal(table->columns, COLUMNS);
  return table;
}

/* All configurations once, in order, with what the uninterrupted sweep found but for times. */
static void assert_complete(const char *dir) {
  fovea_table *a = results(whole), *b = results(dir);
  assert_int_equal(b->rows, CONFIGS);
  for (size_t r = 0; r < CONFIGS; r++) {
    char x[1300], y[1300], name[64];
    assert_string_equal(b->cells[r * COLUMNS], configs[r]);
    for (size_t c = 0; c < 10; c++) assert_string_equal(a->cells[r * COLUMNS + c], b->cells[r * COLUMNS + c]);
    snprintf(name, sizeof name, "%s/checkpoint.safetensors", configs[r]);
    in_dir(x, whole, name);
    in_dir(y, dir, name);
    assert_same_bytes(x, y);
  }
  fovea_table_destroy(a);
  fovea_table_destroy(b);
}

static int sweep_once(void **state) {
  (void)state;
  snprintf(whole, sizeof whole, "%s", temp_path("whole"));
  if (fovea(SWEEP "%s", whole) == 0) return 0;
  fprintf(stderr, "%s\n", output);
  return -1;
}

/* What a folder's name says is what its network was. */
static void assert_is_its_name(const char *config) {
  char name[128], path[1200];
  snprintf(name, sizeof name, "%s/config.json", config);
  in_dir(path, whole, name);
  json_t *json = json_load_file(path, 0, NULL);
  assert_non_null(json);
  const double rate = json_number_value(json_object_get(json, "dropout"));
  const char *activation = json_string_value(json_object_get(json, "activation"));
  assert_true(rate == (strstr(config, "-drop-") ? 0.2 : 0.0));
  assert_memory_equal(activation, config, strlen(activation));
  json_decref(json);
}

static void it_leaves(void **state) {
  (void)state;
  assert_complete(whole);
  for (size_t i = 0; i < CONFIGS; i++) assert_is_its_name(configs[i]);
  static const char *const texts[] = {"regression.txt", "regression.json", "config.json"};
  char path[1200];
  picture p = {0};
  for (size_t i = 0; i < 3; i++) {
    uint8_t *data = NULL;
    size_t size = 0;
    in_dir(path, whole, texts[i]);
    OK(fovea_file_read(path, 1 << 20, &data, &size));
    assert_true(size > 100);
    free(data);
  }
  static const char *const pictures[] = {"coefficients.png", "differences.png", "interactions.png"};
  for (size_t i = 0; i < 3; i++) {
    in_dir(path, whole, pictures[i]);
    assert_int_equal(picture_read(path, &p), 0);
    picture_free(&p);
  }
  assert_int_equal(fovea(SWEEP "%s --resume", whole), 0); /* nothing to train; the regression again */
  assert_output("0 to train");
  assert_output("Analysis of variance, type 2");
  assert_output("activation elu instead of relu "); /* which --factors lists first */
  assert_output("The original experiment's table (--all-levels)");
  assert_complete(whole);
}

/* `regress` on results.csv says what the sweep said: the same baselines. */
static void regressed_again(void **state) {
  (void)state;
  char path[1200];
  uint8_t *said = NULL;
  size_t size = 0;
  in_dir(path, whole, "regression.txt");
  OK(fovea_file_read(path, 1 << 20, &said, &size));
  *strstr((char *)said, "OLS Regression Results") = '\0'; /* which has the time in it */
  in_dir(path, whole, "results.csv");
  assert_int_equal(fovea("regress %s", path), 0);
  const char *sentences = strstr((char *)said, "\nactivation ");
  assert_non_null(sentences);
  assert_output(sentences);
  free(said);
}

/* One step, in which a learning rate does not decay yet: networks that cannot differ. */
static void nothing_differs(void **state) {
  (void)state;
  static const char sentence[] = " in each of the 2 results: nothing that was varied makes a difference to it, ";
  char dir[1024], path[1200];
  uint8_t *text = NULL;
  size_t size = 0;
  snprintf(dir, sizeof dir, "%s", temp_path("alike"));
  assert_int_equal(fovea("sweep --data " FASHION
                         " --arch 4,3,2 --depth 1 --batch 16 --limit-train 16 --limit-test 16 --epochs 1 --factors "
                         "min-lr=0.001|0.002 --out %s",
                         dir),
                   0);
  assert_output(sentence);
  assert_null(strstr(output, "nan"));
  assert_null(strstr(output, "*"));
  in_dir(path, dir, "regression.txt");
  OK(fovea_file_read(path, 1 << 20, &text, &size));
  assert_non_null(strstr((char *)text, sentence));
  free(text);
  in_dir(path, dir, "regression.json");
  json_t *json = json_load_file(path, 0, NULL);
  assert_true(json_number_value(json_object_get(json, "same_in_all")) > 0);
  json_decref(json);
  in_dir(path, dir, "coefficients.png");
  assert_int_not_equal(access(path, F_OK), 0);
}

static void killed_and_resumed(void **state) {
  (void)state;
  static const long after_ms[] = {50, 300, 900};
  for (size_t i = 0; i < sizeof after_ms / sizeof *after_ms; i++) {
    char name[32], arguments[2048];
    snprintf(name, sizeof name, "killed%zu", i);
    char dir[1024];
    snprintf(dir, sizeof dir, "%s", temp_path(name));
    snprintf(arguments, sizeof arguments, SWEEP "%s --resume", dir);
    for (int kills = 0; kills < 2; kills++) {
      process p = process_start(arguments, output, sizeof output);
      assert_int_equal(process_wait_for(&p, "to train"), 0);
      nanosleep(&(struct timespec){after_ms[i] / 1000, after_ms[i] % 1000 * 1000000}, NULL);
      kill(p.pid, kills == 0 ? SIGKILL : SIGTERM);
      process_end(&p);
    }
    assert_int_equal(fovea("%s", arguments), 0);
    assert_complete(dir);
  }
}

/* A line that power loss tore is trained again; the whole ones before it are kept. */
static void torn_line(void **state) {
  (void)state;
  char dir[1024], path[1200], copy[2400];
  snprintf(dir, sizeof dir, "%s", temp_path("torn"));
  snprintf(copy, sizeof copy, "cp -r '%s' '%s'", whole, dir);
  assert_int_equal(system(copy), 0);
  uint8_t *data = NULL;
  size_t size = 0;
  in_dir(path, dir, "results.csv");
  OK(fovea_file_read(path, 1 << 20, &data, &size));
  OK(fovea_file_write(path, data, size - 9));
  free(data);
  assert_int_equal(fovea(SWEEP "%s --resume", dir), 0);
  assert_output("1 to train");
  assert_complete(dir);
}

static void refusals(void **state) {
  (void)state;
  const struct {
    const char *arguments, *message;
  } cases[] = {{"--factors colour", "'colour' is not one of activation"},
               {"--factors activation=softmax", "no level 'softmax'"},
               {"--factors dropout,dropout", "twice"},
               {"--factors activation=", "no level ''"},
               {"--factors activation=elu|relu|elu", "activation has the level 'elu' twice"},
               {"--factors dropout --dropout 0", "--dropout 0 leaves nothing to vary"},
               {"--factors dropout=on --dropout 0", "--dropout 0 leaves nothing to vary"},
               {"--seeds 0", "--seeds"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(fovea(SWEEP "%s %s", temp_path("refused"), cases[i].arguments), 2);
    assert_output(cases[i].message);
    assert_int_not_equal(access(temp_path("refused"), F_OK), 0);
  }
  assert_int_equal(fovea(SWEEP "%s", whole), 2);
  assert_output("of an earlier sweep already; go on from it with fovea sweep --resume");
  assert_int_equal(fovea("train --data /nonexistent --out %s --resume", whole), 2);
  assert_output("is the folder of a sweep; go on with fovea sweep --resume");
  assert_null(strstr(output, "no checkpoint yet"));
  assert_int_equal(fovea(SWEEP "%s --resume --epochs 3", whole), 2);
  assert_output("--epochs was 2");
  assert_int_equal(fovea("sweep --data /nonexistent --out %s", temp_path("refused")), 5);
}

/* A learning rate that blows networks up: where all do, so does the sweep. */
static void failures_are_recorded(void **state) {
  (void)state;
  char dir[1024], path[1200];
  snprintf(dir, sizeof dir, "%s", temp_path("blown"));
  const int code = fovea("sweep --data " FASHION
                         " --arch 4,3,2 --depth 1 --batch 16 --limit-train 512 "
                         "--limit-test 64 --epochs 2 --factors batchnorm --lr 1000 --min-lr 1000 --kl 1e6 --out %s",
                         dir);
  assert_output("left out of the regression");
  in_dir(path, dir, "failed.csv");
  fovea_table *table = NULL;
  OK(fovea_table_read(path, &table));
  assert_true(table->rows >= 1);
  assert_int_equal(code, table->rows == 2 ? 1 : 0); /* 1, as of a training, where nothing is left */
  fovea_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(it_leaves),
                                     cmocka_unit_test(regressed_again),
                                     cmocka_unit_test(nothing_differs),
                                     cmocka_unit_test(refusals),
                                     cmocka_unit_test(killed_and_resumed),
                                     cmocka_unit_test(torn_line),
                                     cmocka_unit_test(failures_are_recorded)};
  (void)open_device;
  (void)close_device;
  (void)small_config;
  return cmocka_run_group_tests(tests, sweep_once, NULL);
}
