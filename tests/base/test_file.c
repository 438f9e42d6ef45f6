/* Files: what is written is read, and what fails leaves the old file. The system calls are our own here, so that the
 * n-th of them can fail; a limit on file sizes gives true short writes. */
#define _GNU_SOURCE /* syscall */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "support/tempdir.h"

enum call { WRITE, FSYNC, RENAME, CALLS };
static int countdown[CALLS]; /* the n-th call from now fails, and all after it when `forever`; 0: none */
static int forever, reason, halves, interruptions;

static int fails(enum call call) {
  if (countdown[call] == 0) return 0;
  if (--countdown[call] > 0) return 0;
  if (forever) countdown[call] = 1;
  errno = reason;
  return 1;
}

ssize_t write(int descriptor, const void *data, size_t size) {
  if (fails(WRITE)) return -1;
  if (interruptions > 0) {
    interruptions--;
    errno = EINTR;
    return -1;
  }
  return syscall(SYS_write, descriptor, data, halves && size > 1 ? size / 2 : size);
}

int fsync(int descriptor) { return fails(FSYNC) ? -1 : (int)syscall(SYS_fsync, descriptor); }

int rename(const char *from, const char *to) {
  return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, -100 /* AT_FDCWD */, from, -100, to, 0);
}

static int no_faults(void **state) {
  (void)state;
  memset(countdown, 0, sizeof countdown);
  forever = halves = interruptions = 0;
  reason = EIO;
  return 0;
}

static void assert_content(const char *path, const char *expected) {
  uint8_t *data;
  size_t size;
  assert_int_equal(fovea_file_read(path, 1 << 20, &data, &size), FOVEA_OK);
  assert_string_equal((char *)data, expected);
  assert_int_equal(size, strlen(expected));
  free(data);
}

static void assert_message(const char *part) {
  if (strstr(fovea_error_message(), part) == NULL) fail_msg("no '%s' in: %s", part, fovea_error_message());
}

static void assert_no_temporary(const char *path) {
  char temporary[2048];
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  assert_int_not_equal(access(temporary, F_OK), 0);
}

static void test_write_replaces(void **state) {
  (void)state;
  const char *path = temp_path("a.txt");
  assert_int_equal(fovea_file_write(path, "old", 3), FOVEA_OK);
  assert_content(path, "old");
  assert_int_equal(fovea_file_write(path, "", 0), FOVEA_OK);
  assert_content(path, "");
  assert_no_temporary(path);
}

static void test_write_in_pieces_with_short_writes(void **state) {
  (void)state;
  const char *path = temp_path("pieces.txt");
  fovea_file *file;
  halves = 1;
  interruptions = 3;
  assert_int_equal(fovea_file_begin(path, &file), FOVEA_OK);
  assert_int_equal(fovea_file_put(file, "hello, ", 7), FOVEA_OK);
  assert_int_equal(fovea_file_put(file, "world", 5), FOVEA_OK);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_int_equal(fovea_file_commit(file), FOVEA_OK);
  assert_content(path, "hello, world");
}

static void test_abandon_leaves_the_old_file(void **state) {
  (void)state;
  const char *path = temp_file("abandon.txt", "old", 3);
  fovea_file *file;
  assert_int_equal(fovea_file_begin(path, &file), FOVEA_OK);
  assert_int_equal(fovea_file_put(file, "new", 3), FOVEA_OK);
  fovea_file_abandon(file);
  fovea_file_abandon(NULL);
  assert_content(path, "old");
  assert_no_temporary(path);
}

static void test_every_fault_leaves_the_old_file(void **state) {
  (void)state;
  static const struct {
    const char *name;
    enum call call;
    int nth, error;
    const char *content; /* afterwards */
  } cases[] = {
      {"first write", WRITE, 1, ENOSPC, "old"},
      {"second write", WRITE, 2, EIO, "old"},
      {"fsync", FSYNC, 1, EIO, "old"},
      {"rename", RENAME, 1, EACCES, "old"},
      {"fsync of the folder", FSYNC, 2, EIO, "new!"},
  };
  for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
    const char *path = temp_file("fault.txt", "old", 3);
    no_faults(NULL);
    halves = 1;
    forever = (int)i % 2;
    reason = cases[i / 2].error;
    countdown[cases[i / 2].call] = cases[i / 2].nth;
    fovea_status status = fovea_file_write(path, "new!", 4);
    no_faults(NULL);
    if (status != FOVEA_IO) fail_msg("%s: status %d", cases[i / 2].name, status);
    assert_message(path);
    assert_message(strerror(cases[i / 2].error));
    assert_content(path, cases[i / 2].content);
    assert_no_temporary(path);
  }
}

static void test_commit_after_a_failed_put_fails(void **state) {
  (void)state;
  const char *path = temp_file("failed.txt", "old", 3);
  fovea_file *file;
  assert_int_equal(fovea_file_begin(path, &file), FOVEA_OK);
  countdown[WRITE] = 1;
  assert_int_equal(fovea_file_put(file, "new", 3), FOVEA_IO);
  assert_int_equal(fovea_file_put(file, "new", 3), FOVEA_IO);
  assert_int_equal(fovea_file_commit(file), FOVEA_IO);
  assert_content(path, "old");
  assert_no_temporary(path);
}

static void set_size_limit(rlim_t size) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = size;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_disk_that_fills_up(void **state) {
  (void)state;
  static char big[100000];
  const char *path = temp_file("full.txt", "old", 3);
  const char *lines = temp_file("full.csv", "a,b\n", 4);
  set_size_limit(10);
  fovea_status status = fovea_file_write(path, big, sizeof big);
  fovea_status appended = fovea_file_append_line(lines, "1234567890");
  set_size_limit(RLIM_INFINITY);
  assert_int_equal(status, FOVEA_IO);
  assert_int_equal(appended, FOVEA_IO);
  assert_content(path, "old");
  assert_content(lines, "a,b\n");
  assert_no_temporary(path);
}

static void test_two_writers(void **state) {
  (void)state;
  const char *path = temp_path("two.txt");
  fovea_file *first, *second;
  assert_int_equal(fovea_file_begin(path, &first), FOVEA_OK);
  assert_int_equal(fovea_file_begin(path, &second), FOVEA_IO);
  assert_message("another process");
  assert_int_equal(fovea_file_put(first, "one", 3), FOVEA_OK);
  assert_int_equal(fovea_file_commit(first), FOVEA_OK);
  assert_content(path, "one");
}

static void test_a_dead_writers_temporary_is_reused(void **state) {
  (void)state;
  temp_file("dead.txt.tmp", "a torn file, longer than the new one", 36);
  const char *path = temp_path("dead.txt");
  assert_int_equal(fovea_file_write(path, "new", 3), FOVEA_OK);
  assert_content(path, "new");
  assert_no_temporary(path);
}

static void test_impossible_paths(void **state) {
  (void)state;
  uint8_t *data;
  size_t size;
  const char *under = temp_path("plain/below");
  temp_file("plain", "x", 1);
  assert_int_equal(fovea_file_write(under, "x", 1), FOVEA_IO);
  assert_message(under);
  assert_int_equal(fovea_file_append_line(under, "x"), FOVEA_IO);
  assert_int_equal(fovea_file_read(under, 10, &data, &size), FOVEA_IO);
  assert_int_equal(fovea_directory_create(under), FOVEA_IO);
  assert_int_equal(fovea_directory_create(temp_path("plain")), FOVEA_IO);
  assert_int_equal(fovea_directory_create(""), FOVEA_IO);
  assert_int_equal(fovea_directory_create("/proc/self/fovea"), FOVEA_IO);
  assert_int_equal(fovea_file_read(temp_path("absent"), 10, &data, &size), FOVEA_IO);
  assert_message("No such file");
  assert_int_equal(fovea_file_read("/dev/zero", 10, &data, &size), FOVEA_IO);
  assert_int_equal(fovea_file_read("/tmp", 1 << 30, &data, &size), FOVEA_IO);
}

/* A device or a pipe is no file to be replaced. */
static void test_a_pipe_stays(void **state) {
  (void)state;
  const char *path = temp_path("pipe");
  struct stat about;
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(fovea_file_write(path, "x", 1), FOVEA_IO);
  assert_non_null(strstr(fovea_error_message(), "no regular file"));
  assert_int_equal(stat(path, &about), 0);
  assert_true(S_ISFIFO(about.st_mode));
}

static void test_read_limit(void **state) {
  (void)state;
  uint8_t *data;
  size_t size;
  const char *path = temp_file("ten", "0123456789", 10);
  assert_int_equal(fovea_file_read(path, 9, &data, &size), FOVEA_INVALID);
  assert_message("10 bytes");
  assert_int_equal(fovea_file_read(path, 10, &data, &size), FOVEA_OK);
  assert_int_equal(size, 10);
  free(data);
}

static void test_append(void **state) {
  (void)state;
  const char *path = temp_path("lines.csv");
  assert_int_equal(fovea_file_append_line(path, "epoch,loss"), FOVEA_OK);
  assert_int_equal(fovea_file_append_line(path, "1,0.5"), FOVEA_OK);
  assert_content(path, "epoch,loss\n1,0.5\n");
  assert_int_equal(fovea_file_append_line(path, "2,\n"), FOVEA_INVALID);
  assert_content(path, "epoch,loss\n1,0.5\n");
  temp_file("torn.csv", "a,b\n1,", 6);
  path = temp_path("torn.csv");
  assert_int_equal(fovea_file_append_line(path, "2,3"), FOVEA_OK);
  assert_content(path, "a,b\n1,\n2,3\n");
  countdown[FSYNC] = 1;
  assert_int_equal(fovea_file_append_line(path, "4,5"), FOVEA_IO);
  assert_content(path, "a,b\n1,\n2,3\n");
  halves = 1;
  assert_int_equal(fovea_file_append_line(path, "6,7"), FOVEA_IO);
  assert_content(path, "a,b\n1,\n2,3\n");
}

static void test_directory_create(void **state) {
  (void)state;
  const char *path = temp_path("one/two//three/");
  assert_int_equal(fovea_directory_create(path), FOVEA_OK);
  assert_int_equal(fovea_directory_create(path), FOVEA_OK);
  assert_int_equal(fovea_file_write(temp_path("one/two/three/x"), "x", 1), FOVEA_OK);
  assert_int_equal(fovea_directory_create("/"), FOVEA_OK);
}

/* Known answers of python-xxhash 3, seeds 0 and 0x9E3779B1; bytes are i * 7 + 1 modulo 256. */
static void test_xxh64(void **state) {
  (void)state;
  static const struct {
    size_t size;
    uint64_t seed, hash;
  } cases[] = {
      {0, 0x0u, 0xef46db3751d8e999u},    {0, 0x9e3779b1u, 0xac75fda2929b17efu},
      {1, 0x0u, 0x8a4127811b21e730u},    {3, 0x0u, 0xb6e6c910c2fd373au},
      {4, 0x0u, 0x22eda2cf6af4c124u},    {7, 0x0u, 0x34084d91a233a751u},
      {8, 0x0u, 0xc6f1803a5e0b3222u},    {12, 0x0u, 0x9178b724dce384c0u},
      {31, 0x0u, 0x6ab1c40e29f50073u},   {32, 0x0u, 0x5a0756fbe9ecd3d1u},
      {33, 0x0u, 0xdc50cdc37bb9c183u},   {33, 0x9e3779b1u, 0x157ce0e9c56b5988u},
      {63, 0x0u, 0x10dd94885c71894au},   {64, 0x0u, 0x90083da9cdb9d795u},
      {100, 0x0u, 0xd248bfc5208b0b16u},  {100, 0x9e3779b1u, 0xbccf07579af475cdu},
      {1024, 0x0u, 0x84b6d3f9f48b9584u},
  };
  uint8_t bytes[1024];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t piece = 1; piece <= cases[i].size + 1; piece += 5) {
      XXH64_state_t hash;
      XXH64_reset(&hash, cases[i].seed);
      for (size_t at = 0; at < cases[i].size; at += piece)
        XXH64_update(&hash, bytes + at, piece < cases[i].size - at ? piece : cases[i].size - at);
      assert_int_equal(XXH64_digest(&hash), cases[i].hash);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_write_replaces, no_faults),
      cmocka_unit_test_setup(test_write_in_pieces_with_short_writes, no_faults),
      cmocka_unit_test_setup(test_abandon_leaves_the_old_file, no_faults),
      cmocka_unit_test_setup(test_every_fault_leaves_the_old_file, no_faults),
      cmocka_unit_test_setup(test_commit_after_a_failed_put_fails, no_faults),
      cmocka_unit_test_setup(test_a_disk_that_fills_up, no_faults),
      cmocka_unit_test_setup(test_two_writers, no_faults),
      cmocka_unit_test_setup(test_a_dead_writers_temporary_is_reused, no_faults),
      cmocka_unit_test_setup(test_impossible_paths, no_faults),
      cmocka_unit_test_setup(test_a_pipe_stays, no_faults),
      cmocka_unit_test_setup(test_read_limit, no_faults),
      cmocka_unit_test_setup(test_append, no_faults),
      cmocka_unit_test_setup(test_directory_create, no_faults),
      cmocka_unit_test(test_xxh64),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
