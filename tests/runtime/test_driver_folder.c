/* What a driver compiles, and what is to be said when it dies of it, through the command: damaged, missing, full and
 * forbidden folders, little memory, no linker, dead processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fovea/device.h"
#include "runtime/cache.h"
#include "runtime/driver_folder.h"
#include "support/process.h"
#include "support/sample.h"
#include "support/tempdir.h"

#define TRAIN " train --arch 2,1 --depth 1 --latent 1 --batch 16 --epochs 1 --data "

static char root[512], said[1 << 16];

/* In one string that lives until the eighth call after it. */
__attribute__((format(printf, 1, 2))) static const char *text(const char *format, ...) {
  static char texts[8][4096];
  static size_t next;
  char *one = texts[next++ % 8];
  va_list rest;
  va_start(rest, format);
  vsnprintf(one, sizeof texts[0], format, rest);
  va_end(rest);
  return one;
}

static void shell(const char *command) { assert_int_equal(system(command), 0); }

/* The cache of a training, complete, as NAME. */
static const char *copy_cache(const char *name) {
  static char path[1024]; /* until the next copy */
  snprintf(path, sizeof path, "%s/%s", root, name);
  shell(text("rm -rf '%s' && cp -r '%s/warm' '%s'", path, root, path));
  return path;
}

/* The exit code; what was said is in `said`. */
static int train(const char *environment, const char *cache) {
  shell(text("rm -rf '%s/run'", root));
  return process_fovea(text("%s XDG_CACHE_HOME='%s'", environment, cache),
                       text(TRAIN "'%s/data' --out '%s/run'", root, root), said, sizeof said);
}

static bool same_checkpoint(const char *run) {
  return system(text("cmp -s '%s/%s/checkpoint.safetensors' '%s/first.safetensors'", root, run, root)) == 0;
}

static void assert_trains(const char *environment, const char *cache) {
  const int code = train(environment, cache);
  if (code != 0) fail_msg("exit code %d, after it said: %s", code, said);
  if (!same_checkpoint("run")) fail_msg("other numbers, after it said: %s", said);
}

/* It ends in this code, and last of all in a sentence with these words in it. */
static void assert_ends(int code, int expected, const char *words) {
  size_t end = strlen(said);
  while (end > 0 && said[end - 1] == '\n') said[--end] = '\0';
  const char *last = strrchr(said, '\n');
  last = last ? last + 1 : said;
  if (code != expected || strncmp(last, "fovea: ", 7) != 0 || !strstr(last, words))
    fail_msg("exit code %d, not %d with '%s'; it said: %s", code, expected, words, said);
}

static void write_idx(const char *name, unsigned char count) {
  enum { SIDE = 4 };
  unsigned char bytes[16 + 255 * SIDE * SIDE] = {0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
  const size_t size = (size_t)count * SIDE * SIDE;
  for (size_t i = 0; i < size; i++) bytes[16 + i] = (unsigned char)(i * 37 % 251);
  (void)temp_file(name, bytes, 16 + size);
}

static int setup(void **state) {
  (void)state;
  unsetenv("POCL_CACHE_DIR"); /* a user's own, which is left alone */
  snprintf(root, sizeof root, "%s", temp_path("."));
  root[strlen(root) - 2] = '\0';
  write_idx("data/train-images-idx3-ubyte", 20);
  write_idx("data/t10k-images-idx3-ubyte", 5);
  const int code = train("", text("%s/warm", root));
  if (code != 0) fprintf(stderr, "exit code %d: %s\n", code, said);
  return code || system(text("cp '%s/run/checkpoint.safetensors' '%s/first.safetensors'", root, root));
}

/* --- the files ------------------------------------------------------------------------------------------------ */

/* All that is in the cache is enough: nothing is compiled, linked, or taken from elsewhere. */
static void complete(void **state) {
  (void)state;
  const char *cache = copy_cache("alone");
  shell(text("cd '%s' && for f in *; do test $f = fovea || rm -rf $f; done", cache));
  assert_trains("PATH=/nonexistent", cache);
  assert_null(strstr(said, "compiling"));
  assert_null(strstr(said, "keeping"));
}

/* Damages every sixth file under `cache`, a round another; returns how many. */
static int damage(const char *cache, int round, bool cut) {
  char path[2048], list[1024];
  int number = 0, damaged = 0;
  snprintf(list, sizeof list, "%s/list", root);
  shell(text("find '%s' -type f -size +0 | sort > '%s'", cache, list));
  FILE *files = fopen(list, "r");
  assert_non_null(files);
  while (fgets(path, sizeof path, files)) {
    path[strcspn(path, "\n")] = '\0';
    if (number++ % 6 != round) continue;
    uint8_t *bytes = NULL;
    size_t size = 0;
    assert_int_equal(fovea_file_read(path, 1 << 26, &bytes, &size), FOVEA_OK);
    const size_t place = ((size_t)number * 2654435761u + (size_t)round * 40503u) % size;
    bytes[place] ^= (uint8_t)(1u << number % 8);
    if (cut && size > 100) size = 100;
    assert_int_equal(fovea_file_write(path, bytes, size), FOVEA_OK);
    free(bytes);
    damaged++;
  }
  fclose(files);
  return damaged;
}

static void damaged_files(void **state) {
  (void)state;
  const char *cache = copy_cache("damaged");
  for (int round = 0; round < 6; round += (int)every()) {
    assert_true(damage(cache, round, round % 2) > 0);
    assert_trains("", cache);
    if (!strstr(said, "is damaged")) fail_msg("it did not say that files are damaged: %s", said);
    assert_trains("", cache);
    assert_null(strstr(said, "is damaged"));
  }
}

/* The folder of compiled kernels may go at any time. */
static void deleted_meanwhile(void **state) {
  (void)state;
  const char *cache = copy_cache("deleted");
  shell(text("rm -rf '%s/run'", root));
  setenv("XDG_CACHE_HOME", cache, 1);
  process p = process_start(text(TRAIN "%s/data --out %s/run", root, root), said, sizeof said);
  assert_int_equal(process_wait_for(&p, "parameters"), 0);
  shell(text("rm -rf '%s'", cache));
  assert_int_equal(process_end(&p), 0);
  assert_true(same_checkpoint("run"));
}

static void two_at_once(void **state) {
  (void)state;
  static char other[1 << 16];
  setenv("XDG_CACHE_HOME", copy_cache("shared"), 1);
  shell(text("rm -rf '%s/run' '%s/run2'", root, root));
  process a = process_start(text(TRAIN "%s/data --out %s/run", root, root), said, sizeof said);
  process b = process_start(text(TRAIN "%s/data --out %s/run2", root, root), other, sizeof other);
  assert_int_equal(process_end(&a), 0);
  assert_int_equal(process_end(&b), 0);
  assert_true(same_checkpoint("run") && same_checkpoint("run2"));
}

/* --- no folder ------------------------------------------------------------------------------------------------ */

static void no_cache(void **state) {
  (void)state;
  const char *none = "HOME=/proc/none XDG_CACHE_HOME=/proc/none TMPDIR=/proc/none";
  const int code = process_fovea(none, "devices", said, sizeof said);
  if (code != 0) fail_msg("exit code %d: %s", code, said);
}

/* With files of no byte allowed, no folder is of use. */
static void no_folder_at_all(void **state) {
  (void)state;
  const int code = process_fovea("ulimit -f 0;", "devices", said, sizeof said);
  if (code == 0) skip(); /* a driver that needs none */
  assert_ends(code, 5, "a driver has nowhere to compile");
  assert_non_null(strstr(said, "set TMPDIR"));
  assert_ends(process_fovea("POCL_CACHE_DIR=/proc/none", "devices", said, sizeof said), 5,
              "no file can be written in POCL_CACHE_DIR, /proc/none");
}

static void files_too_large(void **state) {
  (void)state;
  assert_ends(train("ulimit -f 16;", text("%s/small", root)), 5, "it cannot write its files in ");
}

/* As a script of the issue has it; only root may mount. */
static void full_disk(void **state) {
  (void)state;
  shell(text("mkdir -p '%s/disk'", root));
  if (system(text("mount -t tmpfs -o size=300k none '%s/disk' 2>/dev/null", root)) != 0) {
    print_message("skipped: no file system can be mounted here\n");
    skip();
  }
  const int code = train("", text("%s/disk", root));
  shell(text("umount '%s/disk'", root));
  if (code != 0) fail_msg("exit code %d: %s", code, said);
  assert_true(same_checkpoint("run"));
  if (!strstr(said, "not all compiled kernels are kept") && !strstr(said, "each time anew: "))
    fail_msg("it did not say that the cache cannot be written: %s", said);
}

/* --- deaths --------------------------------------------------------------------------------------------------- */

static void no_linker(void **state) {
  (void)state;
  const int code = train("PATH=/nonexistent", text("%s/unlinked", root));
  if (code == 0) skip(); /* a driver that links by itself */
  assert_ends(code, 3, "no linker 'ld' on PATH");
}

static void little_memory(void **state) {
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  skip(); /* its own memory is beyond any such limit */
#endif
  static const int limits[] = {200000, 250000, 300000, 350000, 400000, 500000};
  int ended = 0;
  for (size_t i = 0; i < 2 * sizeof limits / sizeof *limits; i++) {
    if (i % 4 == 2 || i / 2 % every() > 0) continue; /* to compile everything takes seconds */
    const char *cache = i % 2 ? copy_cache("poor") : text("%s/cold%zu", root, i);
    const int code = train(text("ulimit -v %d;", limits[i / 2]), cache);
    ended += code == 4;
    if (code == 127) continue; /* not even its libraries fit: the system speaks */
    if (code == 0)
      assert_true(same_checkpoint("run"));
    else
      assert_ends(code, 4, "memory");
  }
  assert_true(ended > 0);
}

/* Every file is what was stored, by its hash, but no shared object in it can be loaded. */
static void spoil(const char *cache) {
  setenv("XDG_CACHE_HOME", cache, 1);
  DIR *d = opendir(text("%s/fovea", cache));
  assert_non_null(d);
  for (struct dirent *e; (e = readdir(d));) {
    uint8_t *file = NULL;
    unsigned char *binary = NULL;
    size_t size = 0;
    fovea_cache_key key;
    fovea_cache_shapes shapes;
    if (!strstr(e->d_name, ".bin")) continue;
    assert_int_equal(fovea_file_read(text("%s/fovea/%s", cache, e->d_name), 1 << 26, &file, &size), FOVEA_OK);
    memcpy(&key, file + 8, sizeof key);
    free(file);
    assert_int_equal(fovea_binary_load(&key, &binary, &size, &shapes), FOVEA_CACHE_GOOD);
    for (size_t i = 0; i + 4 < size; i++)
      if (memcmp(binary + i, "\177ELF", 4) == 0) binary[i] = 0;
    assert_int_equal(fovea_binary_store(&key, binary, size, &shapes), FOVEA_OK);
    free(binary);
  }
  closedir(d);
}

/* Files that kill the driver are set aside by the next process, which says so: those that were read, then all. */
static void deadly_files(void **state) {
  (void)state;
  const char *cache = copy_cache("deadly");
  spoil(cache);
  const int code = train("", cache);
  if (code == 0) skip(); /* a driver that looks before it loads, or has other files */
  assert_ends(code, 3, "set aside at the next start");
  assert_ends(train("", cache), 3, "set aside at the next start"); /* of what the first did not come to */
  assert_trains("", cache);
  if (!strstr(said, "are set aside")) fail_msg("it did not say so: %s", said);
  shell(text("ls '%s/fovea' | grep -q 'bin.set-aside$'", cache));
}

/* --- what dead processes leave ---------------------------------------------------------------------------------- */

/* The folder of a process in any of the places, or "". */
static const char *folder_of(pid_t pid) {
  static char path[1024];
  const char *find = text("find /dev/shm /tmp '%s' -maxdepth 4 -name 'run-%ld-*' 2>/dev/null", root, (long)pid);
  path[0] = '\0';
  FILE *pipe = popen(find, "r");
  assert_non_null(pipe);
  if (!fgets(path, sizeof path, pipe)) path[0] = '\0';
  while (fgetc(pipe) != EOF) continue;
  pclose(pipe);
  path[strcspn(path, "\n")] = '\0';
  return path;
}

/* Its files go, and what it had of the cache stays. */
static void killed_while_compiling(void **state) {
  (void)state;
  const char *cache = copy_cache("killed");
  setenv("XDG_CACHE_HOME", cache, 1);
  shell(text("cd '%s/fovea' && rm -f $(ls *.bin | tail -n 5) && ls > '%s/before'", cache, root));
  shell(text("rm -rf '%s/run'", root));
  process p = process_start(text(TRAIN "%s/data --out %s/run", root, root), said, sizeof said);
  assert_int_equal(process_wait_for(&p, "compiling"), 0);
  kill(p.pid, SIGKILL);
  const pid_t pid = p.pid;
  assert_int_equal(process_end(&p), -SIGKILL);
  assert_string_not_equal(folder_of(pid), "");
  assert_int_equal(process_fovea("", "devices", said, sizeof said), 0);
  assert_string_equal(folder_of(pid), "");
  shell(text("cd '%s/fovea' && ls | cmp - '%s/before'", cache, root));
}

/* What a log says of two files of the cache, and which of them are set aside. */
static void logs(void **state) {
  (void)state;
  static const struct {
    const char *log;
    bool a, b;
  } cases[] = {{"", false, false},
               {"reading A\nread\n", false, false},
               {"reading A\n", true, false},
               {"reading A\nread\nreading B\n", false, true},
               {"reading A\nread\nreading B\ndied\n", false, true},
               {"reading A\nread\nreading B\nexcused\n", false, false},
               {"reading A\nread\nreading B\nread\n", false, false},
               {"reading A\nread\nreading B\nread\ndied\n", true, true},
               {"reading A\nread\nreading B\nread\nexcused\n", false, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/tmp/fovea-%lu/run-1-%zu", root, (unsigned long)geteuid(), i);
    shell(text("mkdir -p '%s/kernels/AB' '%s/two' && chmod 700 '%s/..'", folder, root, folder));
    shell(text("rm -f '%s/two/'* && touch '%s/two/A' '%s/two/B' '%s/kernels/AB/x.so'", root, root, root, folder));
    shell(text("printf '%s' | sed 's:^reading :&%s/two/:' > '%s/log'", cases[i].log, root, folder));
    assert_int_equal(process_fovea(text("TMPDIR='%s/tmp'", root), "devices", said, sizeof said), 0);
    if (access(folder, F_OK) == 0) fail_msg("case %zu: the folder is still there", i);
    const bool a = access(text("%s/two/A.set-aside", root), F_OK) == 0,
               b = access(text("%s/two/B.set-aside", root), F_OK) == 0;
    if (a != cases[i].a || b != cases[i].b) fail_msg("case %zu: A %d, B %d", i, a, b);
  }
}

/* --- in this process ------------------------------------------------------------------------------------------ */

static void private_and_unnamed(void **state) {
  (void)state;
  fovea_device_info *list = NULL;
  size_t count = 0;
  struct stat about;
  assert_int_equal(fovea_device_list(&list, &count), FOVEA_OK);
  fovea_free(list);
  assert_null(getenv("POCL_CACHE_DIR")); /* child processes have their own */
  assert_int_equal(stat(fovea_driver_folder(), &about), 0);
  assert_int_equal(about.st_mode & 0777, 0700);
}

int main(int argc, char **argv) {
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(complete),
                                     cmocka_unit_test(damaged_files),
                                     cmocka_unit_test(deleted_meanwhile),
                                     cmocka_unit_test(two_at_once),
                                     cmocka_unit_test(no_cache),
                                     cmocka_unit_test(no_folder_at_all),
                                     cmocka_unit_test(files_too_large),
                                     cmocka_unit_test(full_disk),
                                     cmocka_unit_test(no_linker),
                                     cmocka_unit_test(little_memory),
                                     cmocka_unit_test(deadly_files),
                                     cmocka_unit_test(killed_while_compiling),
                                     cmocka_unit_test(logs),
                                     cmocka_unit_test(private_and_unnamed)};
  return cmocka_run_group_tests(tests, setup, NULL);
}
