/* `fovea sweep --resume` on folders that something happened to: a damaged or another's checkpoint, a configuration that
 * is gone, lines twice. What is right goes on, what is made anew is said, what cannot be told is refused. */
#include "model/small.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/command.h"
#include "support/images.h"

enum { SIDE = 8, TRAIN = 48, TEST = 16, CONFIGS = 4 };

#define SETTINGS " --arch 4,3,2 --depth 1 --batch 16 --epochs 2 --factors batchnorm,dropout "

static const char *const configs[CONFIGS] = {"relu-spatial-bn-drop-s768", "relu-spatial-bn-nodrop-s768",
                                             "relu-spatial-nobn-drop-s768", "relu-spatial-nobn-nodrop-s768"};

static char data[1024], other_data[1024], whole[1024];

#define RESUME "sweep --data %s --out %s --resume"

/* --- files ------------------------------------------------------------------------------------------------------- */

static const char *of(const char *dir, int config, const char *name) {
  char file[256];
  snprintf(file, sizeof file, "%s/%s", configs[config], name);
  return in(dir, file);
}

static bool there(const char *path) {
  struct stat about;
  return stat(path, &about) == 0;
}

static void copy(const char *from, const char *to) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  OK(fovea_file_read(from, 1 << 24, &bytes, &size));
  OK(fovea_file_write(to, bytes, size));
  free(bytes);
}

/* A copy of the whole sweep, whose results.csv has the first `lines` configurations. */
static const char *folder(const char *name, int lines) {
  static char path[1024];
  static const char *const files[] = {"checkpoint.safetensors", "config.json", "metrics.csv",
                                      "reconstructions-epoch002.png"};
  snprintf(path, sizeof path, "%s", temp_path(name));
  assert_int_equal(mkdir(path, 0777), 0);
  copy(in(whole, "config.json"), in(path, "config.json"));
  for (int c = 0; c < CONFIGS; c++) {
    assert_int_equal(mkdir(in(path, configs[c]), 0777), 0);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) copy(of(whole, c, files[f]), of(path, c, files[f]));
  }
  uint8_t *text = NULL;
  size_t size = 0, end = 0;
  OK(fovea_file_read(in(whole, "results.csv"), 1 << 20, &text, &size));
  for (int i = 0; i <= lines; i++) end += strcspn((char *)text + end, "\n") + 1;
  OK(fovea_file_write(in(path, "results.csv"), text, end));
  free(text);
  return path;
}

/* Line `index` of results.csv, from 0 for the header. */
static void result_line(const char *dir, int index, char line[1024]) {
  uint8_t *text = NULL;
  size_t size = 0;
  OK(fovea_file_read(in(dir, "results.csv"), 1 << 20, &text, &size));
  const char *s = (const char *)text;
  for (; index > 0 && *s != '\0'; index--) s += strcspn(s, "\n") + 1;
  snprintf(line, 1024, "%.*s", (int)strcspn(s, "\n"), s);
  free(text);
}

/* Whether results.csv has these configurations, once each, with what the whole sweep found, and no other. */
static void assert_results(const char *dir, const int *places, int count) {
  for (int i = 0; i < count; i++) {
    char a[1024], b[1024];
    bool found = false;
    result_line(whole, places[i] + 1, a);
    for (int line = 1; line <= count && !found; line++) {
      result_line(dir, line, b);
      size_t n = 0; /* up to parameters; what follows is time */
      for (int commas = 0; commas < 10 && a[n] != '\0'; n++) commas += a[n] == ',';
      found = strncmp(a, b, n) == 0;
    }
    if (!found) fail_msg("%s: no line like '%s'", dir, a);
  }
  char end[1024];
  result_line(dir, count + 1, end);
  assert_string_equal(end, "");
}

static void assert_complete(const char *dir) {
  assert_results(dir, (const int[]){0, 1, 2, 3}, CONFIGS);
  for (int c = 0; c < CONFIGS; c++)
    assert_same_bytes(of(whole, c, "checkpoint.safetensors"), of(dir, c, "checkpoint.safetensors"));
}

static int sweep_once(void **state) {
  (void)state;
  image_sets(data, "data", TRAIN, TEST, SIDE, 0);
  image_sets(other_data, "other-data", TRAIN, TEST, SIDE, 1);
  snprintf(whole, sizeof whole, "%s", temp_path("whole"));
  if (fovea("sweep --data %s" SETTINGS "--out %s", data, whole) == 0) return 0;
  fprintf(stderr, "%s\n", output);
  return -1;
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

static void a_damaged_checkpoint(void **state) {
  (void)state;
  char said[200];
  const char *dir = folder("damaged", 1);
  uint8_t *bytes = NULL;
  size_t size = 0;
  OK(fovea_file_read(of(dir, 1, "checkpoint.safetensors"), 1 << 24, &bytes, &size));
  bytes[size / 2] ^= 1;
  OK(fovea_file_write(of(dir, 1, "checkpoint.safetensors"), bytes, size));
  free(bytes);
  snprintf(said, sizeof said, "fovea: %s: ", configs[1]);
  ENDS(0, said, RESUME, data, dir);
  assert_output("set aside as checkpoint.damaged.safetensors and trained anew");
  assert_true(there(of(dir, 1, "checkpoint.damaged.safetensors")));
  assert_complete(dir);
}

/* Whole, but not this configuration's: left alone, in words, while the others are trained. */
static void anothers_checkpoint(void **state) {
  (void)state;
  char said[200];
  const char *dir = folder("anothers", 1);
  copy(of(whole, 0, "checkpoint.safetensors"), of(dir, 1, "checkpoint.safetensors"));
  snprintf(said, sizeof said, "fovea: %s is left out: ", configs[1]);
  ENDS(2, said, RESUME, data, dir);
  assert_output("the checkpoint is of another run than config.json");
  assert_results(dir, (const int[]){0, 2, 3}, 3);
  assert_same_bytes(of(whole, 0, "checkpoint.safetensors"), of(dir, 1, "checkpoint.safetensors"));
}

static void the_configuration_is_gone(void **state) {
  (void)state;
  const char *dir = folder("recovered", 2);
  unlink(in(dir, "config.json"));
  ENDS(0, "config.json is gone; the settings are those that the configurations' folders have", RESUME, data, dir);
  assert_output("4 configurations, 2 to train");
  assert_complete(dir);
  assert_true(there(in(dir, "config.json")));
  dir = folder("unproved", 2);
  unlink(in(dir, "config.json"));
  for (int c = 0; c < CONFIGS; c++) unlink(of(dir, c, "config.json"));
  ENDS(2, "proves its settings", RESUME, data, dir);
  ENDS(2, "proves its settings", RESUME SETTINGS, data, dir);
  assert_results(dir, (const int[]){0, 1}, 2);
}

static void other_data_or_settings(void **state) {
  (void)state;
  const char *dir = folder("other-settings", 2);
  ENDS(2, "the content of --data's training images", RESUME, other_data, dir);
  ENDS(2, "--epochs was 2", RESUME " --epochs 3", data, dir);
  char line[1024];
  result_line(dir, 1, line);
  char *run = strrchr(line, ',') + 1;
  memset(run, run[0] == '0' ? '1' : '0', strlen(run));
  dir = folder("other-run", 0);
  OK(fovea_file_append_line(in(dir, "results.csv"), line));
  ENDS(2, "is of the run", RESUME, data, dir);
  ENDS(2, "has config.json", "sweep --data %s" SETTINGS "--out %s", data, dir);
}

static void lines_twice(void **state) {
  (void)state;
  char line[1024];
  const char *dir = folder("twice", 3);
  result_line(dir, 2, line);
  OK(fovea_file_append_line(in(dir, "results.csv"), line));
  ENDS(2, "lines 3 and 5 are both of relu-spatial-bn-nodrop-s768", "regress %s", in(dir, "results.csv"));
  ENDS(0, "1 repeated lines are dropped", RESUME, data, dir);
  assert_complete(dir);
  char *loss = line; /* another test_loss, the seventh field */
  for (int commas = 0; commas < 6; loss++) commas += *loss == ',';
  loss[2] = loss[2] == '9' ? '8' : '9';
  OK(fovea_file_append_line(in(dir, "results.csv"), line));
  ENDS(2, "lines 3 and 6 have different results of relu-spatial-bn-nodrop-s768", RESUME, data, dir);
}

/* A sweep of the version before runs had names goes on, and its lines get them. */
static void an_older_sweep(void **state) {
  (void)state;
  char header[1024], first[1024], text[2100];
  const char *dir = folder("older", 1);
  result_line(dir, 0, header);
  result_line(dir, 1, first);
  *strrchr(header, ',') = '\0';
  *strrchr(first, ',') = '\0';
  snprintf(text, sizeof text, "%s\n%s\n", header, first);
  OK(fovea_file_write(in(dir, "results.csv"), text, strlen(text)));
  json_t *json = json_load_file(in(dir, "config.json"), 0, NULL);
  json_object_del(json, "train_hash");
  json_object_del(json, "test_hash");
  assert_int_equal(json_dump_file(json, in(dir, "config.json"), 0), 0);
  json_decref(json);
  ENDS(0, "begun by an older version", RESUME, data, dir);
  assert_complete(dir);
  result_line(whole, 0, header);
  result_line(dir, 0, first);
  assert_string_equal(first, header);
}

static void seeds_beyond_the_largest(void **state) {
  (void)state;
  const char *out = temp_path("unused");
  ENDS(2, "--seed: '9007199254740993'", "sweep --data %s --seed 9007199254740993 --out %s", data, out);
  ENDS(2, "beyond the largest seed", "sweep --data %s --seed 9007199254740992 --seeds 2 --out %s", data, out);
  assert_false(there(out));
}

static char *text_of(const char *path) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  OK(fovea_file_read(path, 1 << 20, &bytes, &size));
  char *text = strdup((const char *)bytes);
  assert_non_null(text);
  free(bytes);
  return text;
}

/* What is there must be in the plan: a regression of some of the lines would pass for one of all. */
static void another_plan(void **state) {
  (void)state;
  static const struct {
    const char *options, *table, *says;
  } narrower[] = {
      {"--factors dropout", "results.csv", "has 2 of its 4 configurations, such as relu-spatial-nobn-drop-s768"},
      {"--factors batchnorm=off,dropout=on", "results.csv", "has 3 of its 4 configurations, such as relu-spatial-bn-"},
      {"--seed 769", "results.csv", "has 4 of its 4 configurations, such as relu-spatial-bn-drop-s768"},
      {"--factors batchnorm,dropout,latent=2", "results.csv",
       "has the factors activation,attention,batchnorm,dropout, and these --factors make "
       "activation,attention,batchnorm,dropout,latent: a sweep that is resumed may have more levels and seeds"},
      {"--factors 'batchnorm,dropout=0|0.2'", "results.csv",
       "but its levels are not written so, relu,spatial,on,0,768: write --factors as they were"},
      {"--factors dropout", "failed.csv", "has 1 of its 1 configurations, such as relu-spatial-nobn-drop-s768"}};
  static const char failed[] =
      "config,activation,attention,batchnorm,dropout,seed,reason\n"
      "relu-spatial-nobn-drop-s768,relu,spatial,off,on,768,a loss\n";
  for (size_t i = 0; i < sizeof narrower / sizeof *narrower; i++) {
    char name[32];
    snprintf(name, sizeof name, "narrower%zu", i);
    const bool failures = strcmp(narrower[i].table, "failed.csv") == 0;
    const char *dir = folder(name, failures ? 2 : CONFIGS);
    OK(fovea_file_append_line(in(dir, "results.csv"), "torn"));
    if (failures) OK(fovea_file_write(in(dir, "failed.csv"), failed, strlen(failed)));
    char *results = text_of(in(dir, "results.csv")), *config = text_of(in(dir, "config.json"));
    ENDS(2, narrower[i].says, RESUME " %s", data, dir, narrower[i].options);
    assert_output(narrower[i].table);
    char *results_now = text_of(in(dir, "results.csv")), *config_now = text_of(in(dir, "config.json"));
    assert_string_equal(results, results_now);
    assert_string_equal(config, config_now);
    assert_false(there(in(dir, "regression.txt")));
    free(results);
    free(config);
    free(results_now);
    free(config_now);
  }
  const char *dir = folder("wider", CONFIGS);
  ENDS(0, "8 configurations, 4 to train", RESUME " --seeds 2", data, dir);
  ENDS(0, "16 configurations, 8 to train", RESUME " --factors batchnorm,dropout,attention", data, dir);
}

/* Changes a digit of field `index`, from 0, of the first configuration's line, or its first letter. */
static void change_field(const char *dir, int index) {
  char *text = text_of(in(dir, "results.csv")), *at = strchr(text, '\n') + 1;
  for (int commas = 0; commas < index; at++) commas += *at == ',';
  if (index >= 6) at += strcspn(at, "123456789");
  *at = "x98"[*at == '9' ? 2 : *at >= '0' && *at <= '9' ? 1 : 0];
  OK(fovea_file_write(in(dir, "results.csv"), text, strlen(text)));
  free(text);
}

/* A configuration's own folder knows what it found. */
static void changed_numbers(void **state) {
  (void)state;
  static const char *const losses[] = {"test_loss", "test_bce", "test_kl"};
  char said[200];
  const char *dir = NULL;
  for (int i = 0; i < 3; i++) {
    char name[32];
    snprintf(name, sizeof name, "changed%d", i);
    dir = folder(name, CONFIGS - 1);
    change_field(dir, 6 + i);
    char *before = text_of(in(dir, "results.csv"));
    snprintf(said, sizeof said, "%s has a %s of '", configs[0], losses[i]);
    for (int without = 0; without < 2; without++) {
      ENDS(2, said, RESUME, data, dir);
      assert_output("and its own folder");
      char *after = text_of(in(dir, "results.csv"));
      assert_string_equal(before, after);
      free(after);
      unlink(of(dir, 0, "checkpoint.safetensors")); /* metrics.csv has them too */
    }
    free(before);
  }
  unlink(of(dir, 0, "metrics.csv")); /* nothing contradicts */
  ENDS(0, "4 configurations, 1 to train", RESUME, data, dir);
  dir = folder("changed-level", CONFIGS);
  change_field(dir, 1);
  ENDS(2, "but its levels are not written so, relu,spatial,on,on,768", RESUME, data, dir);
}

/* A rate of 0 is right where dropout is never on. That nothing will be regressed is said before it is trained. */
static void one_configuration(void **state) {
  (void)state;
  const char *out = temp_path("one");
  ENDS(0, "one configuration gives no regression",
       "sweep --data %s" SETTINGS "--factors dropout=off --dropout 0 --out %s", data, out);
  const char *warning = strstr(output, "one configuration gives"),
             *after = strstr(output, "no regression, which needs");
  assert_true(after != NULL && warning < after);
  assert_true(there(in(out, "relu-spatial-bn-nodrop-s768/checkpoint.safetensors")));
}

/* What was said on the way stands in what is saved: who failed, short moving averages, a single seed. */
static void what_was_said_is_saved(void **state) {
  (void)state;
  char *text = text_of(in(whole, "regression.txt")), line[256];
  assert_memory_equal(text, "Remarks\n- after 6 steps at --bn-momentum 0.99 batch normalization's moving averages are",
                      84);
  assert_non_null(
      strstr(text, "still 94% of what they began with, and test losses measure that, too: train for more steps.\n"));
  assert_non_null(strstr(
      text, "\n- with one seed what is called noise is what the factors do together; --seeds 3 or more tells.\n\n"));
  free(text);
  const char *dir = folder("unlucky", CONFIGS);
  static const char header[] = "config,activation,attention,batchnorm,dropout,seed,reason\n";
  OK(fovea_file_write(in(dir, "failed.csv"), header, strlen(header)));
  for (int c = 0; c < CONFIGS; c++) {
    snprintf(line, sizeof line, "%.*s769,relu,spatial,%s,%s,769,a loss of %d", (int)strlen(configs[c]) - 3, configs[c],
             c < 2 ? "on" : "off", c % 2 ? "off" : "on", c);
    OK(fovea_file_append_line(in(dir, "failed.csv"), line));
  }
  ENDS(0,
       "4 of 8 configurations have no result and are left out of the fit, failed.csv says why: "
       "relu-spatial-bn-drop-s769, ",
       RESUME " --seeds 2", data, dir);
  text = text_of(in(dir, "regression.txt"));
  assert_non_null(
      strstr(text, "\n- 4 of 8 configurations have no result and are left out of the fit, failed.csv says why: "));
  free(text);
  json_t *json = json_load_file(in(dir, "regression.json"), 0, NULL), *left_out = json_object_get(json, "left_out");
  assert_int_equal(json_array_size(json_object_get(json, "remarks")), 3);
  assert_int_equal(json_array_size(left_out), 4);
  assert_string_equal(json_string_value(json_object_get(json_array_get(left_out, 3), "config")),
                      "relu-spatial-nobn-nodrop-s769");
  assert_string_equal(json_string_value(json_object_get(json_array_get(left_out, 3), "reason")), "a loss of 3");
  json_decref(json);
  dir = folder("level", 2);
  OK(fovea_file_write(in(dir, "failed.csv"), header, strlen(header)));
  for (int c = 2; c < CONFIGS; c++) {
    snprintf(line, sizeof line, "%s,relu,spatial,off,%s,768,a loss of %d", configs[c], c % 2 ? "off" : "on", c);
    OK(fovea_file_append_line(in(dir, "failed.csv"), line));
  }
  ENDS(0, "batchnorm = off has no results: all its 2 networks failed", RESUME, data, dir);
  assert_output("batchnorm: only on has results, and nothing can be said of what it does\n");
}

/* A part of a factorial stays one until it is completed, and says so; its baseline stays, too. */
static void a_part(void **state) {
  (void)state;
  static const char aliases[] = "dropout is set as attention x batchnorm";
  char dir[1024];
  snprintf(dir, sizeof dir, "%s", temp_path("part"));
  ENDS(0, "/part has nothing of a sweep yet; starting from the beginning",
       RESUME
       " --arch 4,3,2 --depth 1 --batch 16 --epochs 1 --factors 'batchnorm,dropout,attention=none|spatial' "
       "--fraction 1/2 --baseline attention=spatial",
       data, dir);
  assert_output("these are 4 of 8 configurations, by --fraction 1/2\n");
  ENDS(0, "these are 4 of 8 configurations, by --fraction 1/2, as it was begun; --fraction 1/1 completes it\n", RESUME,
       data, dir);
  assert_output("4 configurations, 0 to train");
  char *text = text_of(in(dir, "regression.txt"));
  assert_non_null(strstr(text, "\n- these are 4 of 8 configurations, by --fraction 1/2, as"));
  assert_non_null(strstr(text, aliases));
  assert_non_null(strstr(text, "\n  none - spatial "));
  free(text);
  ENDS(0, "8 configurations, 4 to train", RESUME " --fraction 1/1", data, dir);
  assert_null(strstr(output, "these are"));
  ENDS(0, "8 configurations, 0 to train", RESUME, data, dir);
  snprintf(dir, sizeof dir, "%s", temp_path("random"));
  ENDS(0, "these are 2 of 4 configurations, by --random 2\n",
       "sweep --data %s --out %s --arch 4,3,2 --depth 1 --batch 16 --epochs 1 --factors batchnorm,dropout --random 2",
       data, dir);
  ENDS(0, "by --random 2, as it was begun; --fraction 1/1 completes it\n", RESUME, data, dir);
  ENDS(0, "4 configurations, 2 to train", RESUME " --fraction 1/1", data, dir);
}

/* What would be ignored is refused before anything is made. */
static void ignored_options(void **state) {
  (void)state;
  static const struct {
    const char *options, *says;
  } cases[] = {
      {"--factors 'latent=2|8' --latent 4", "--latent is given, but --factors has latent=2|8, which sets it"},
      {"--activation elu", "--activation is given, but --factors has activation, which sets it"},
      {"--factors 'dropout=0|0.1' --dropout 0.2", "--factors has dropout=0|0.1"},
      {"--attention none", "--factors has attention, which sets it"},
      {"--factors dropout --baseline attention=none", "'attention=none' is not FACTOR=LEVEL of a factor that varies"},
      {"--factors dropout --baseline dropout", "'dropout' is not FACTOR=LEVEL"},
      {"--factors 'activation=elu|relu' --baseline activation=selu",
       "activation has no level 'selu'; it has elu, relu"},
      {"--factors 'latent=2|8' --baseline latent=8", "latent has numbers, and a slope instead of a baseline"},
      {"--factors 'dropout=0|0.1' --baseline dropout=0.1", "dropout has numbers"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ENDS(2, cases[i].says, "sweep --data %s --out %s %s", data, temp_path("ignored"), cases[i].options);
    assert_false(there(temp_path("ignored")));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_damaged_checkpoint),
      cmocka_unit_test(anothers_checkpoint),
      cmocka_unit_test(the_configuration_is_gone),
      cmocka_unit_test(other_data_or_settings),
      cmocka_unit_test(lines_twice),
      cmocka_unit_test(an_older_sweep),
      cmocka_unit_test(seeds_beyond_the_largest),
      cmocka_unit_test(another_plan),
      cmocka_unit_test(changed_numbers),
      cmocka_unit_test(one_configuration),
      cmocka_unit_test(what_was_said_is_saved),
      cmocka_unit_test(a_part),
      cmocka_unit_test(ignored_options),
  };
  (void)open_device;
  (void)close_device;
  (void)small_config;
  (void)images;
  (void)assert_message;
  return cmocka_run_group_tests(tests, sweep_once, NULL);
}
