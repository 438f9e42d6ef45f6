/* `fovea sweep` on several devices of one machine, in shards and merged: the table of one process on one device, and
 * what happens when a device fails, the process is killed, or something does not fit together. */
#include "model/small.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/command.h"
#include "support/images.h"

enum { SIDE = 8, TRAIN = 48, TEST = 16, CONFIGS = 4, LINE = 1024 };

#define SETTINGS " --arch 4,3,2 --depth 1 --batch 16 --epochs 1 --factors batchnorm,dropout "
/* PoCL's two kinds of a CPU, two devices of other kernels. */
#define TWO "POCL_DEVICES='basic pthread' "

static const char *const configs[CONFIGS] = {"relu-spatial-bn-drop-s768", "relu-spatial-bn-nodrop-s768",
                                             "relu-spatial-nobn-drop-s768", "relu-spatial-nobn-nodrop-s768"};

static char data[1024], other_data[1024], whole[1024];

static bool there(const char *path) { return access(path, F_OK) == 0; }

typedef char contents[1 << 14];

static void text_of(const char *path, contents t) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  OK(fovea_file_read(path, sizeof(contents) - 1, &bytes, &size));
  memcpy(t, bytes, size + 1);
  free(bytes);
}

static void replace(const char *path, const char *from, const char *to) {
  contents was, is;
  text_of(path, was);
  const char *at = strstr(was, from);
  if (at == NULL) fail_msg("%s has no '%s'", path, from);
  const size_t before = (size_t)(at - was), after = strlen(at + strlen(from));
  memcpy(is, was, before);
  memcpy(is + before, to, strlen(to));
  memcpy(is + before + strlen(to), at + strlen(from), after);
  OK(fovea_file_write(path, is, before + strlen(to) + after));
}

/* A line without what is time: its 10 fields before, and the one after. */
static const char *without_time(const char **text) {
  static char lines[2][LINE];
  static size_t next;
  char *line = lines[next++ % 2];
  const size_t length = strcspn(*text, "\n");
  size_t kept = 0, commas = 0;
  for (size_t i = 0; i < length && i < LINE - 1; i++) {
    commas += (*text)[i] == ',';
    if (commas < 10 || commas > 11) line[kept++] = (*text)[i];
  }
  line[kept] = '\0';
  *text += length + ((*text)[length] == '\n');
  return line;
}

/* The rows are those of the whole sweep, in its order. */
static void assert_same_results(const char *dir) {
  contents a, b;
  text_of(in(whole, "results.csv"), a);
  text_of(in(dir, "results.csv"), b);
  const char *x = a, *y = b;
  for (int i = 0; i <= CONFIGS; i++) assert_string_equal(without_time(&x), without_time(&y));
  assert_string_equal(x, "");
  assert_string_equal(y, "");
}

static void assert_complete(const char *dir) {
  char name[256];
  assert_same_results(dir);
  for (int c = 0; c < CONFIGS; c++) {
    snprintf(name, sizeof name, "%s/checkpoint.safetensors", configs[c]);
    assert_same_bytes(in(whole, name), in(dir, name));
  }
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

/* --- devices ----------------------------------------------------------------------------------------------------- */

static void all_devices(void **state) {
  (void)state;
  const char *dir = temp_path("all");
  ENDS_IN(TWO, 0, "4 to train on 2 devices, device 0 (", "sweep --data %s" SETTINGS "--out %s --device all", data, dir);
  assert_output("Analysis of variance, type 2");
  assert_complete(dir);
}

static void lists_that_are_none(void **state) {
  (void)state;
  static const struct {
    const char *list, *message;
  } wrong[] = {{"0,0", "which is in the list already"},
               {"0,basic", "'basic' is device 0 ("},
               {"0,7", "no device matches '7'"},
               {"0,", "an empty name"},
               {"all,0", "no device matches 'all'"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ENDS_IN(TWO, 2, wrong[i].message, "sweep --data %s" SETTINGS "--out %s --device %s", data, temp_path("refused"),
            wrong[i].list);
  assert_false(there(temp_path("refused")));
}

/* However it fails, it is named, and the sweep is as if it had not been there. */
static void a_device_fails(void **state) {
  (void)state;
  static const struct {
    const char *how, *message;
  } ways[] = {{"error", "fails and is left out from here on, what it trained goes to another: relu-spatial-"},
              {"abort", "is left out from here on, and the others go on from what is saved"},
              {"crash", "ended by SIGSEGV"}};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    char environment[2048];
    const char *dir = temp_path(ways[i].how);
    snprintf(environment, sizeof environment, TWO "LD_PRELOAD='%s' REACH_FAULT='pthread 100 %s'", FAILING_DRIVER,
             ways[i].how);
    ENDS_IN(environment, 0, ways[i].message, "sweep --data %s" SETTINGS "--out %s --device all", data, dir);
    assert_output("device 1 (pthread");
    assert_complete(dir);
  }
}

/* Where nobody is left to go on, stdout has the sentence, too. */
static void the_driver_ends_it(void **state) {
  (void)state;
  static const struct {
    const char *option, *begins;
  } ways[] = {{"--json", "{\"schema\": 1, \"command\": \"train\", \"error\": {\"message\": \"ended by SIGSEGV while"},
              {"--log-json", "{\"schema\": 1, \"event\": \"end\", \"time\": 1"}};
  char environment[2048];
  snprintf(environment, sizeof environment, "LD_PRELOAD='%s' REACH_FAULT='pthread 100 crash'", FAILING_DRIVER);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    ENDS_IN(environment, 3, ways[i].begins,
            "train --data %s --arch 4,3,2 --depth 1 --batch 16 --epochs 1 --out %s %s 2>/dev/null", data,
            temp_path(ways[i].option), ways[i].option);
    assert_output("\"status\": \"device\", \"exit_code\": 3}}\n");
  }
}

static void all_devices_fail(void **state) {
  (void)state;
  char environment[2048];
  const char *dir = temp_path("none");
  snprintf(environment, sizeof environment, "LD_PRELOAD='%s' REACH_FAULT='pthread 400 error'", FAILING_DRIVER);
  ENDS_IN(environment, 3, "CL_OUT_OF_RESOURCES", "sweep --data %s" SETTINGS "--out %s --device all", data, dir);
  ENDS(0, "to train on", "sweep --data %s --out %s --resume", data, dir);
  assert_complete(dir);
}

static void killed_and_resumed(void **state) {
  (void)state;
  char arguments[4000];
  const char *dir = temp_path("killed");
  snprintf(arguments, sizeof arguments, "sweep --data %s" SETTINGS "--out %s --resume --device all", data, dir);
  setenv("POCL_DEVICES", "basic pthread", 1);
  process p = process_start(arguments, output, sizeof output);
  assert_int_equal(process_wait_for(&p, "to train"), 0);
  kill(p.pid, SIGKILL);
  process_end(&p);
  p = process_start(arguments, output, sizeof output);
  assert_int_equal(process_wait_for(&p, "to train"), 0);
  kill(p.pid, SIGTERM);
  assert_int_equal(process_end(&p), 128 + SIGTERM);
  unsetenv("POCL_DEVICES");
  assert_output("SIGTERM");
  ENDS_IN(TWO, 0, "device 1 (", "%s --device 1,basic", arguments);
  assert_complete(dir);
}

/* --- shards ------------------------------------------------------------------------------------------------------ */

static char *shards[3];

static void make_shards(void) {
  for (int i = 0; i < 3; i++) {
    char name[64];
    snprintf(name, sizeof name, "shard%d", i + 1);
    shards[i] = strdup(temp_path(name));
    assert_non_null(shards[i]);
    ENDS(0, "fovea sweep --merge joins all 3", "sweep --data %s" SETTINGS "--out %s --shard %d/3", data, shards[i],
         i + 1);
  }
}

static void shards_are_merged(void **state) {
  (void)state;
  char checkpoint[256], a[1400], b[1400];
  const char *dir = temp_path("merged");
  make_shards();
  ENDS(0, "Analysis of variance, type 2", "sweep --merge %s %s %s --out %s", shards[2], shards[0], shards[1], dir);
  assert_output("3 shards are joined");
  assert_same_results(dir);
  for (int c = 0; c < CONFIGS; c++) {
    int found = 0;
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", configs[c]);
    for (int i = 0; i < 3; i++) {
      snprintf(b, sizeof b, "%s", in(shards[i], checkpoint));
      if (!there(b)) continue;
      snprintf(a, sizeof a, "%s", in(whole, checkpoint));
      assert_same_bytes(a, b);
      found++;
    }
    assert_int_equal(found, 1);
  }
  static const char *const files[] = {"regression.json", "differences.png", "interactions.png", "coefficients.png"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(a, sizeof a, "%s", in(whole, files[i]));
    assert_same_bytes(a, in(dir, files[i]));
  }
  ENDS(0, "0 to train", "sweep --data %s --out %s --resume", data, dir); /* it is a sweep's folder as any */
  contents config;
  text_of(in(dir, "config.json"), config);
  assert_non_null(strstr(config, shards[0])); /* and still says where its networks are */
}

static void merging_refuses(void **state) {
  (void)state;
  const char *dir = temp_path("unmerged");
  char config[1400];
  ENDS(2, "these are missing: 2/3", "sweep --merge %s %s --out %s", shards[0], shards[2], dir);
  ENDS(2, "are both shard 1/3", "sweep --merge %s %s %s --out %s", shards[0], shards[1], shards[0], dir);
  ENDS(2, "is not the folder of a shard", "sweep --merge %s %s --out %s", shards[0], whole, dir);
  ENDS(5, "there is no such folder", "sweep --merge %s/nowhere --out %s", shards[0], dir);
  ENDS(2, "the folders of the shards are missing", "sweep --merge --out %s", dir);
  ENDS(2, "takes no --lr", "sweep --merge %s --out %s --lr 0.1", shards[0], dir);
  snprintf(config, sizeof config, "%s", in(shards[1], "config.json"));
  static const struct {
    const char *from, *to, *message;
  } changes[] = {{"\"epochs\": 1", "\"epochs\": 3", "are not of one sweep: epochs is 1 and 3"},
                 {"\"version\": \"", "\"version\": \"9", "are not of one sweep: version is"},
                 {"\"train_hash\": \"xxh64:", "\"train_hash\": \"xxh64:f", "are not of one sweep: train_hash is"},
                 {"\"shard\": \"2/3\"", "\"shard\": \"2/4\"", "one of 4"}};
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    replace(config, changes[i].from, changes[i].to);
    ENDS(2, changes[i].message, "sweep --merge %s %s %s --out %s", shards[0], shards[1], shards[2], dir);
    replace(config, changes[i].to, changes[i].from);
  }
  contents results;
  text_of(in(shards[0], "results.csv"), results);
  const char *end = strrchr(results, ',');
  while (end > results && end[-1] != '\n') end--;
  OK(fovea_file_write(in(shards[0], "results.csv"), results, (size_t)(end - results)));
  ENDS(2, "go on in it with --resume (shard 1/3)", "sweep --merge %s %s %s --out %s", shards[0], shards[1], shards[2],
       dir);
  ENDS(2, "has shard 1/3 of its sweep, and this is --shard 2/3", "sweep --data %s --out %s --resume --shard 2/3", data,
       shards[0]);
  ENDS(2, "was", "sweep --data %s --out %s --resume", other_data, shards[0]);
  assert_false(there(dir));
  ENDS(0, "shard 1/3, 1 configuration, 1 to train", "sweep --data %s --out %s --resume", data, shards[0]);
  ENDS(0, "Analysis of variance", "sweep --merge %s %s %s --out %s", shards[0], shards[1], shards[2], dir);
  ENDS(2, "is one of the shards", "sweep --merge %s %s %s --out %s/", shards[0], shards[1], shards[2], shards[1]);
  ENDS(2, "of an earlier run already; choose another", "sweep --merge %s %s %s --out %s", shards[0], shards[1],
       shards[2], dir);
}

static void shards_that_are_none(void **state) {
  (void)state;
  static const char *const wrong[] = {"9/8", "0/8", "3", "3/", "/3", "-1/2", "1/0", "a/b", "1/2/3", "1/999999"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ENDS(2, "is not a part of a whole", "sweep --data %s" SETTINGS "--out %s --shard %s", data, temp_path("refused"),
         wrong[i]);
  ENDS(2, "has none of the 4 configurations", "sweep --data %s" SETTINGS "--out %s --shard 5/8", data,
       temp_path("refused"));
  ENDS(2, "unexpected argument 'x'", "sweep --data %s" SETTINGS "--out %s x", data, temp_path("refused"));
  ENDS(2, "--data DIR is required", "sweep --out %s", temp_path("refused"));
  assert_false(there(temp_path("refused")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_devices),          cmocka_unit_test(lists_that_are_none),
      cmocka_unit_test(a_device_fails),       cmocka_unit_test(the_driver_ends_it),
      cmocka_unit_test(all_devices_fail),     cmocka_unit_test(killed_and_resumed),
      cmocka_unit_test(shards_are_merged),    cmocka_unit_test(merging_refuses),
      cmocka_unit_test(shards_that_are_none),
  };
  (void)open_device;
  (void)close_device;
  (void)small_config;
  (void)images;
  (void)assert_message;
  const int failed = cmocka_run_group_tests(tests, sweep_once, NULL);
  for (int i = 0; i < 3; i++) free(shards[i]);
  return failed;
}
