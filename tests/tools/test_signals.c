/* How `fovea train` and `fovea sweep` are stopped: what each signal leaves, says and returns, once and twice, while
 * there is something to save and while there is not; and what they print where. */
#include "model/small.h"

#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fovea/safetensors.h"
#include "support/process.h"

#define NET " --arch 4,3,2 --depth 1 --bn-momentum 0.9 --data " FASHION
/* An epoch of it lasts until the test is done with it. */
#define LONG NET " --batch 64 --limit-test 64 --epochs 2 --out "
#define SHORT "train" NET " --batch 16 --limit-train 256 --limit-test 64 --epochs 1 --out "

enum { WIDE = 200, NARROW = 20 };

static char output[1 << 16];

static void assert_output(const char *part) {
  if (strstr(output, part) == NULL) fail_msg("'%s' is not in: %s", part, output);
}

static void assert_no_output(const char *part) {
  if (strstr(output, part) != NULL) fail_msg("'%s' is in: %s", part, output);
}

static bool there(const char *dir, const char *name) {
  char path[1200];
  struct stat about;
  snprintf(path, sizeof path, "%s/%s", dir, name);
  return stat(path, &about) == 0;
}

static void pause_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

/* Starts it and waits for its first losses: from then on there is something to save. */
static process start(const char *what, const char *out, const char *more) {
  char arguments[2048];
  snprintf(arguments, sizeof arguments, "%s" LONG "%s %s", what, out, more);
  process p = process_start_on_terminal(arguments, "xterm", WIDE, output, sizeof output);
  if (process_wait_for(&p, "loss") != 0) fail_msg("no step was done: %s", output);
  return p;
}

static const struct {
  int number;
  const char *name;
} signals[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* Twice, as timeout and terminals do it. */
static void each_saves(void **state) {
  (void)state;
  for (size_t i = 0; i < SIGNALS; i++) {
    char said[64];
    const char *run = temp_path(signals[i].name);
    process p = start("train", run, "");
    kill(p.pid, signals[i].number);
    kill(p.pid, signals[i].number);
    assert_int_equal(process_end(&p), 128 + signals[i].number);
    snprintf(said, sizeof said, "fovea: %s: finishing the step under way and saving", signals[i].name);
    assert_output(said);
    assert_output("stopped at epoch 1 of 2");
    assert_true(there(run, "checkpoint.safetensors"));
  }
}

static void two_kinds_at_once(void **state) {
  (void)state;
  const char *run = temp_path("logout");
  process p = start("train", run, "");
  kill(p.pid, SIGTERM);
  kill(p.pid, SIGHUP);
  const int code = process_end(&p);
  assert_true(code == 128 + SIGTERM || code == 128 + SIGHUP);
  assert_true(there(run, "checkpoint.safetensors"));
}

/* The step must not end before the second signal: stopped meanwhile, it cannot. */
static void a_later_one_ends_at_once(void **state) {
  (void)state;
  const char *run = temp_path("twice");
  process p = start("train", run, "--batch 512");
  kill(p.pid, SIGINT);
  assert_int_equal(process_wait_for(&p, "finishing the step"), 0);
  kill(p.pid, SIGSTOP);
  pause_ms(2200);
  kill(p.pid, SIGINT);
  kill(p.pid, SIGCONT);
  assert_int_equal(process_end(&p), 128 + SIGINT);
  assert_output("SIGINT again: ended at once");
  assert_no_output("stopped at epoch");
}

static void ignored_stays_ignored(void **state) {
  (void)state;
  signal(SIGHUP, SIG_IGN); /* as nohup does; inherited */
  process p = start("train", temp_path("nohup"), "");
  signal(SIGHUP, SIG_DFL);
  kill(p.pid, SIGHUP);
  pause_ms(100);
  kill(p.pid, SIGTERM);
  assert_int_equal(process_end(&p), 128 + SIGTERM);
  assert_no_output("SIGHUP");
}

/* Nothing is learned, nor there to go on from: the compiler, which may take a minute, is not waited for. */
static void compiling_is_not_waited_for(void **state) {
  (void)state;
  char arguments[2048], before[1024] = "";
  const char *run = temp_path("compiling"), *cache = getenv("XDG_CACHE_HOME");
  if (cache != NULL) snprintf(before, sizeof before, "%s", cache);
  setenv("XDG_CACHE_HOME", temp_path("cache"), 1);
  snprintf(arguments, sizeof arguments, "train" LONG "%s --json", run);
  process p = process_start(arguments, output, sizeof output);
  if (cache != NULL)
    setenv("XDG_CACHE_HOME", before, 1);
  else
    unsetenv("XDG_CACHE_HOME");
  assert_int_equal(process_wait_for(&p, "compiling kernels"), 0);
  kill(p.pid, SIGINT);
  assert_int_equal(process_end(&p), 128 + SIGINT);
  assert_output("SIGINT: ended; nothing had begun, start it again");
  assert_output("\"stopped\": true");
  assert_no_output("--resume");
  assert_no_output("loss");
  assert_false(there(run, "checkpoint.safetensors"));
  assert_false(there(run, "config.json"));
  p = start("train", run, ""); /* as it says */
  kill(p.pid, SIGTERM);
  assert_int_equal(process_end(&p), 128 + SIGTERM);
  assert_output("go on with --resume");
  assert_true(there(run, "checkpoint.safetensors"));
}

/* stdout alone. */
static void json_says_stopped(void **state) {
  (void)state;
  process p = start("train", temp_path("json"), "--json");
  kill(p.pid, SIGTERM);
  assert_int_equal(process_end(&p), 128 + SIGTERM);
  const char *begin = strstr(output, "{\r\n");
  assert_non_null(begin);
  json_t *json = json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL);
  assert_true(json_is_true(json_object_get(json, "stopped")));
  assert_true(json_integer_value(json_object_get(json, "images_done")) > 0);
  json_decref(json);
}

static void a_sweep_is_stopped(void **state) {
  (void)state;
  const char *out = temp_path("sweep");
  process p = start("sweep", out, "--factors dropout");
  kill(p.pid, SIGTERM);
  assert_int_equal(process_end(&p), 128 + SIGTERM);
  assert_output("stopped with 0 of 2 configurations done");
  assert_true(there(out, "relu-spatial-bn-drop-s768/checkpoint.safetensors"));
}

/* --- streams and terminals --------------------------------------------------------------------------------------- */

/* What a process's descriptor is of; "" where that cannot be known, or it has none. */
static void descriptor_of(pid_t pid, int descriptor, char target[1200]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/%ld/fd/%d", (long)pid, descriptor);
  const ssize_t n = readlink(link, target, 1199);
  target[n > 0 ? n : 0] = '\0';
}

/* Without the three descriptors the run's own files would be opened as them, and messages go into those. */
static void closed_streams(void **state) {
  (void)state;
  char arguments[2048], target[3][1200];
  const char *run = temp_path("closed");
  if (access("/proc/self/fd/0", F_OK) != 0) skip();
  snprintf(arguments, sizeof arguments, "train" LONG "%s", run);
  const pid_t pid = process_start_closed(arguments);
  while (!there(run, ".lock") && waitpid(pid, NULL, WNOHANG) == 0) pause_ms(20);
  for (int i = 0; i < 3; i++) descriptor_of(pid, i, target[i]);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  for (int i = 0; i < 3; i++) assert_string_equal(target[i], "/dev/null");
  snprintf(arguments, sizeof arguments, SHORT "%s <&- >&-", temp_path("unprinted"));
  assert_int_equal(process_fovea("", arguments, output, sizeof output), 5);
  assert_output("standard output could not be written");
}

/* What a run prints on a terminal. */
static void on_terminal(const char *name, const char *term, int columns) {
  char arguments[2048];
  snprintf(arguments, sizeof arguments, SHORT "%s", temp_path(name));
  process p = process_start_on_terminal(arguments, term, columns, output, sizeof output);
  assert_int_equal(process_end(&p), 0);
}

/* A line that is drawn over must not wrap. */
static void narrow_terminal(void **state) {
  (void)state;
  on_terminal("narrow", "xterm", NARROW);
  size_t drawn = 0;
  for (const char *end = output; (end = strstr(end, "\033[K")) != NULL; end++) {
    const char *begin = end;
    while (begin > output && begin[-1] != '\r') begin--;
    if (end - begin >= NARROW) fail_msg("%d columns: '%.*s'", (int)(end - begin), (int)(end - begin), begin);
    drawn += end > begin;
  }
  assert_true(drawn > 0);
}

static void dumb_terminal(void **state) {
  (void)state;
  on_terminal("dumb", "dumb", NARROW);
  assert_no_output("\033");
  assert_output("100% 256 images");
  for (const char *s = output; (s = strchr(s, '\r')) != NULL; s++) assert_int_equal(s[1], '\n');
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_saves),
      cmocka_unit_test(two_kinds_at_once),
      cmocka_unit_test(a_later_one_ends_at_once),
      cmocka_unit_test(ignored_stays_ignored),
      cmocka_unit_test(compiling_is_not_waited_for),
      cmocka_unit_test(json_says_stopped),
      cmocka_unit_test(a_sweep_is_stopped),
      cmocka_unit_test(closed_streams),
      cmocka_unit_test(narrow_terminal),
      cmocka_unit_test(dumb_terminal),
  };
  (void)open_device;
  (void)close_device;
  (void)small_config;
  (void)images;
  (void)assert_message;
  (void)assert_same_bytes;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
