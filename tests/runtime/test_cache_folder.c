/* Where the cache is, by fovea_cache_set_folder and by the environment: processes of this very program use a
 * network, and then folders are looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fovea/network.h"
#include "support/device.h"
#include "support/tempdir.h"

/* --- what a process does: its arguments are paths for fovea_cache_set_folder, "-" for NULL
 * ----------------------------
 */

static void say(void *user, const char *line) {
  (void)user;
  printf("%s\n", line);
}

/* A network of one kernel, since most of these processes compile it. */
static fovea_status evaluate(fovea_device *on) {
  const uint8_t pixels[4] = {1, 2, 3, 4};
  const fovea_network_options options = {.batch = 1};
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  fovea_status status = fovea_graph_create(&graph);
  fovea_add_input(graph, 1, 2, 2);
  if (!status) status = fovea_network_create(on, graph, &options, &network);
  if (!status) status = fovea_network_evaluate(network, pixels, NULL, 1, 0);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  return status;
}

static fovea_status set(const char *path) { return fovea_cache_set_folder(strcmp(path, "-") == 0 ? NULL : path); }

/* Sets the first before the device is opened, and the second, if there is one, before it is closed. */
static int play(int argc, char **argv) {
  fovea_device *own = NULL;
  fovea_status status = set(argv[1]);
  if (!status) status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
  if (!status) fovea_device_tell(own, say, NULL);
  if (!status) status = evaluate(own);
  if (!status && argc > 2) status = set(argv[2]);
  fovea_device_close(own);
  if (status) printf("%s\n", fovea_error_message());
  return (int)status;
}

/* --- the process
 * ------------------------------------------------------------------------------------------------------
 */

static char root[512], said[1 << 14];

/* In one string that lives until the eighth call after it. */
static const char *in_root(const char *name) {
  static char paths[8][1024];
  static size_t next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", root, name);
  return path;
}

typedef struct setting {
  const char *home, *xdg, *first, *second; /* NULL: not set */
} setting;

static void set_variable(const char *name, const char *value) {
  if (value)
    setenv(name, value, 1);
  else
    unsetenv(name);
}

/* In the empty folder `here`, with `temporary` for temporary files; what it printed goes to `said`. */
static void become(const setting *s, int output) {
  set_variable("HOME", s->home);
  set_variable("XDG_CACHE_HOME", s->xdg);
  set_variable("TMPDIR", in_root("temporary"));
  unsetenv("POCL_CACHE_DIR");
  if (chdir(in_root("here")) != 0 || dup2(output, STDOUT_FILENO) < 0) _exit(126);
  execl("/proc/self/exe", "test", s->first, s->second, (char *)NULL);
  _exit(127);
}

static int run(const setting *s) {
  int ends[2], status = 0;
  size_t used = 0;
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) become(s, ends[1]);
  close(ends[1]);
  for (ssize_t n = 1; n > 0; used += n > 0 ? (size_t)n : 0) n = read(ends[0], said + used, sizeof said - 1 - used);
  said[used] = '\0';
  close(ends[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  char private[1024];
  snprintf(private, sizeof private, "ls -d /dev/shm/fovea-%lu/*-%ld-* 2>/dev/null", (unsigned long)geteuid(),
           (long)child);
  assert_int_not_equal(system(private), 0); /* PoCL's folder is gone */
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int count_files(const char *folder, const char *end) {
  DIR *d = opendir(folder);
  int n = 0;
  for (struct dirent *e; d && (e = readdir(d));) {
    char path[2048];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (e->d_name[0] == '.' && strlen(e->d_name) < 3 && strspn(e->d_name, ".") == strlen(e->d_name)) continue;
    if (lstat(path, &about) == 0 && S_ISDIR(about.st_mode))
      n += count_files(path, end);
    else
      n += strlen(path) > strlen(end) && strcmp(path + strlen(path) - strlen(end), end) == 0;
  }
  if (d) closedir(d);
  return n;
}

static int kept_in(const char *name) { return count_files(in_root(name), ".bin"); }
static int anything_in(const char *name) { return count_files(in_root(name), ""); }

static int start(void **state) {
  (void)state;
  static int number;
  char name[32];
  snprintf(name, sizeof name, "case%d/here/x", number++);
  snprintf(root, sizeof root, "%s", temp_file(name, "", 0));
  if (unlink(root) != 0) return -1;
  *strrchr(root, '/') = '\0';
  *strrchr(root, '/') = '\0';
  static const char *const folders[] = {"home", "xdg", "temporary"};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    if (mkdir(in_root(folders[i]), 0700) != 0) return -1;
  return 0;
}

static void run_well(setting s) {
  const int code = run(&s);
  if (code != 0) fail_msg("the process ended with %d: %s", code, said);
}

#define RUN(home, xdg, first) run_well((setting){home, xdg, first, NULL})
#define RUN_TWO(home, first, second) run_well((setting){home, NULL, first, second})

static void assert_said(const char *part) {
  if (!strstr(said, part)) fail_msg("'%s' is not in: %s", part, said);
}

/* --- the tests
 * -------------------------------------------------------------------------------------------------------- */

static void test_environment(void **state) {
  (void)state;
  RUN(in_root("home"), in_root("xdg"), "-");
  assert_true(kept_in("xdg/fovea") > 0);
  assert_int_equal(anything_in("home"), 0);
  RUN(in_root("home"), NULL, "-");
  assert_int_equal(kept_in("home/.cache/fovea"), kept_in("xdg/fovea"));
}

static void test_call_before_environment(void **state) {
  (void)state;
  char folder[1024];
  snprintf(folder, sizeof folder, "%s", in_root("a/b/cache"));
  RUN(in_root("home"), in_root("xdg"), folder);
  assert_said(folder);
  const int kept = kept_in("a/b/cache");
  assert_true(kept > 0);
  assert_int_equal(anything_in("home") + anything_in("xdg"), 0);
  RUN(in_root("home"), in_root("xdg"), folder); /* and found there */
  assert_null(strstr(said, "compiling"));
  assert_int_equal(kept_in("a/b/cache"), kept);
}

/* No file anywhere: not below the environment's folders, nor where the process is, nor among temporary files. */
static void test_none(void **state) {
  (void)state;
  RUN(in_root("home"), in_root("xdg"), "");
  assert_said("each time anew: fovea_cache_set_folder was told to have no cache");
  assert_null(strstr(said, "keeping"));
  assert_int_equal(anything_in(""), 0);
}

/* What was kept is not read either. */
static void test_none_beside_one(void **state) {
  (void)state;
  RUN(in_root("home"), in_root("xdg"), "-");
  const int kept = anything_in("xdg");
  RUN(in_root("home"), in_root("xdg"), "");
  assert_said("compiling kernels");
  assert_int_equal(anything_in("xdg"), kept);
}

/* /dev/null is a folder for nobody, not even for root. */
static void test_home_that_cannot_be_written(void **state) {
  (void)state;
  RUN("/dev/null/home", NULL, "");
  RUN("/dev/null/home", NULL, "-");
  assert_said("each time anew: ");
  assert_said("/dev/null/home");
  RUN("/dev/null/home", NULL, in_root("cache"));
  assert_true(kept_in("cache") > 0);
  RUN("/dev/null/home", NULL, "/dev/null/cache");
  assert_said("/dev/null/cache");
}

/* A variable that does not count is not refused. */
static void test_variables_that_do_not_count(void **state) {
  (void)state;
  const setting wrong = {"relative", NULL, "-", NULL};
  assert_int_equal(run(&wrong), FOVEA_INVALID);
  assert_said("HOME: 'relative'");
  RUN("relative", "also", "");
  RUN("relative", "also", in_root("cache"));
}

/* The device that is open then is closed into the new one, or into none. */
static void test_of_an_open_device(void **state) {
  (void)state;
  char first[1024], second[1024];
  snprintf(first, sizeof first, "%s", in_root("first"));
  snprintf(second, sizeof second, "%s", in_root("second"));
  RUN_TWO(in_root("home"), first, second);
  assert_int_equal(anything_in("first") + anything_in("home"), 0);
  assert_true(kept_in("second") > 0);
  RUN_TWO(in_root("home"), "", "-");
  assert_true(kept_in("home/.cache/fovea") > 0);
}

#define TEST(test) cmocka_unit_test_setup(test, start)

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      TEST(test_environment),      TEST(test_call_before_environment),     TEST(test_none),
      TEST(test_none_beside_one),  TEST(test_home_that_cannot_be_written), TEST(test_variables_that_do_not_count),
      TEST(test_of_an_open_device)};
  if (argc > 1) return play(argc, argv);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
