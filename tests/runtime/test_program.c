/* Programs: includes, build failures, and the cache on disk with everything that can be wrong with it. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/cache.h"
#include "runtime/driver_folder.h"
#include "runtime/program.h"
#include "runtime/source.h"

static char root[256];
static fovea_device *device;

static void write_file(const char *name, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/cl/%s", root, name);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  assert_int_equal(fclose(f), 0);
}

static void in_root(const char *name, char path[512]) { snprintf(path, 512, "%s/%.200s", root, name); }

static int setup(void **state) {
  (void)state;
  char path[512];
  unsetenv("POCL_CACHE_DIR"); /* a user's own keeps kernels apart, and our files as they are */
  snprintf(root, sizeof root, "/tmp/fovea-program-XXXXXX");
  if (!mkdtemp(root)) return 1;
  in_root("cl", path);
  if (mkdir(path, 0777)) return 1;
  setenv("FOVEA_CL_DIR", path, 1);
  in_root("cache", path);
  setenv("XDG_CACHE_HOME", path, 1);
  write_file("good.cl",
             "#include \"one.clh\"\n#include \"one.clh\"\n  # include \"two.clh\"\n"
             "__kernel void good(__global float *x) { x[get_global_id(0)] = ONE + TWO + K; }\n");
  write_file("one.clh", "#include \"two.clh\"\n__constant float once = 1;\n#define ONE once\n");
  write_file("two.clh", "__constant float twice = 2;\n#define TWO twice");
  write_file("bad.cl", "#include \"one.clh\"\n\n__kernel void bad(__global float *x) { x[0] = undeclared; }\n");
  write_file("lost.cl", "\n#include \"nowhere.clh\"\n");
  return fovea_device_open(NULL, &device) != FOVEA_OK;
}

static int teardown(void **state) {
  (void)state;
  char command[512];
  fovea_device_close(device);
  snprintf(command, sizeof command, "rm -rf '%s'", root);
  return system(command) != 0;
}

/* As a new process would find it: nothing in memory. */
static fovea_status get_fresh(const char *options, cl_program *program) {
  fovea_device_close(device);
  device = NULL;
  fovea_status status = fovea_device_open(NULL, &device);
  if (status == FOVEA_OK) status = fovea_program_get(device, "good.cl", options, program);
  if (status == FOVEA_OK) fovea_program_cache_save(device);
  return status;
}

/* Given to the device with `hear`. */
static struct heard {
  int lines;
  char first[8000], last[8000];
} heard;

static void hear(void *user, const char *line) {
  struct heard *h = user;
  if (h->lines++ == 0) snprintf(h->first, sizeof h->first, "%s", line);
  snprintf(h->last, sizeof h->last, "%s", line);
}

/* Whether the program runs and gives what K asks for. */
static void assert_works(cl_program program, float k) {
  cl_int error = 0;
  float y = 0;
  size_t one = 1;
  cl_kernel kernel = clCreateKernel(program, "good", &error);
  assert_int_equal(error, CL_SUCCESS);
  cl_mem x = clCreateBuffer(device->context, CL_MEM_READ_WRITE, sizeof y, NULL, &error);
  assert_int_equal(error, CL_SUCCESS);
  assert_int_equal(clSetKernelArg(kernel, 0, sizeof x, &x), CL_SUCCESS);
  assert_int_equal(clEnqueueNDRangeKernel(device->queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL), CL_SUCCESS);
  assert_int_equal(clEnqueueReadBuffer(device->queue, x, CL_TRUE, 0, sizeof y, &y, 0, NULL, NULL), CL_SUCCESS);
  assert_true(y == 3 + k);
  clReleaseMemObject(x);
  clReleaseKernel(kernel);
}

/* The one file of the cache; the number of files is returned. */
static int cache_file(char path[512]) {
  char folder[512];
  int n = 0;
  in_root("cache/fovea", folder);
  DIR *d = opendir(folder);
  if (!d) return 0;
  for (struct dirent *e; (e = readdir(d));) {
    size_t length = strlen(e->d_name);
    if (length < 5 || strcmp(e->d_name + length - 4, ".bin") != 0) continue;
    assert_true((size_t)snprintf(path, 512, "%.200s/%.200s", folder, e->d_name) < 512);
    n++;
  }
  closedir(d);
  return n;
}

/* Also of what the open device would save when it is closed. */
static void clear_cache(void) {
  char command[600];
  fovea_program_cache_save(device);
  snprintf(command, sizeof command, "rm -rf '%s/cache/fovea'", root);
  assert_int_equal(system(command), 0);
}

static unsigned char *slurp(const char *path, size_t *size) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  unsigned char *data = malloc(1 << 24);
  assert_non_null(data);
  *size = fread(data, 1, 1 << 24, f);
  fclose(f);
  return data;
}

static void spit(const char *path, const unsigned char *data, size_t size) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, size, f), size);
  assert_int_equal(fclose(f), 0);
}

static void includes(void **state) {
  (void)state;
  char *text = NULL;
  assert_int_equal(fovea_source_read("good.cl", &text), FOVEA_OK);
  char *first = strstr(text, "once = 1");
  assert_non_null(first);
  assert_null(strstr(first + 1, "once = 1"));
  assert_null(strstr(text, "include"));
  assert_non_null(strstr(text, "#line 2 \"good.cl\"\n"));
  free(text);
  assert_int_equal(fovea_source_read("fill.cl", &text), FOVEA_OK); /* embedded, not in FOVEA_CL_DIR */
  free(text);
  assert_int_equal(fovea_source_read("lost.cl", &text), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "lost.cl:2: no kernel file nowhere.clh"));
}

static void memory_cache(void **state) {
  (void)state;
  cl_program a = NULL, b = NULL, c = NULL;
  const size_t before = fovea_program_cache_count(device->programs);
  assert_int_equal(fovea_program_get(device, "good.cl", "-DK=1", &a), FOVEA_OK);
  assert_int_equal(fovea_program_get(device, "good.cl", "-DK=1", &b), FOVEA_OK);
  assert_int_equal(fovea_program_get(device, "good.cl", "-DK=2", &c), FOVEA_OK);
  assert_ptr_equal(a, b);
  assert_int_equal(fovea_program_cache_count(device->programs), before + 2);
  assert_ptr_not_equal(a, c);
  assert_works(a, 1);
  assert_works(c, 2);
}

static void build_failure(void **state) {
  (void)state;
  cl_program p = NULL;
  assert_int_equal(fovea_program_get(device, "bad.cl", "-DQ=7", &p), FOVEA_DEVICE);
  assert_null(p);
  const char *message = fovea_error_message();
  if (!strstr(message, "bad.cl") || !strstr(message, "-DQ=7") || !strstr(message, "undeclared"))
    fail_msg("%s", message);
  assert_int_equal(fovea_program_get(device, "none.cl", "", &p), FOVEA_INVALID);
}

static void cold_and_warm(void **state) {
  (void)state;
  char path[512];
  struct stat before, after;
  cl_program p = NULL;
  clear_cache();
  assert_int_equal(get_fresh("-DK=3", &p), FOVEA_OK);
  assert_works(p, 3);
  assert_int_equal(cache_file(path), 1);
  assert_int_equal(stat(path, &before), 0);
  assert_int_equal(get_fresh("-DK=3", &p), FOVEA_OK);
  assert_works(p, 3);
  assert_int_equal(stat(path, &after), 0);
  assert_true(before.st_ino == after.st_ino); /* read, not written anew */
  assert_int_equal(get_fresh("-DK=4", &p), FOVEA_OK);
  assert_works(p, 4);
  assert_int_equal(cache_file(path), 2);
}

/* Saving may take longer than building: it is left until nobody waits for the device. */
static void saved_at_the_close(void **state) {
  (void)state;
  char path[512];
  cl_program p = NULL;
  clear_cache();
  fovea_device_close(device);
  device = NULL;
  assert_int_equal(fovea_device_open(NULL, &device), FOVEA_OK);
  assert_int_equal(fovea_program_get(device, "good.cl", "-DK=9", &p), FOVEA_OK);
  assert_int_equal(fovea_program_get(device, "good.cl", "-DK=10", &p), FOVEA_OK);
  assert_int_equal(cache_file(path), 0);
  fovea_device_close(device);
  device = NULL;
  assert_int_equal(cache_file(path), 2);
  assert_int_equal(fovea_device_open(NULL, &device), FOVEA_OK);
}

/* A binary is of one platform, device, driver, and way of compiling; for any other it is as if it were not there. */
static void every_part_of_the_key(void **state) {
  (void)state;
  enum { PARTS = 6 };
  char path[512];
  cl_program p = NULL;
  const char *method = getenv("POCL_WORK_GROUP_METHOD");
  char *before = method ? strdup(method) : NULL;
  clear_cache();
  for (int i = 0; i < PARTS; i++) {
    fovea_device_close(device);
    device = NULL;
    assert_int_equal(fovea_device_open(NULL, &device), FOVEA_OK);
    fovea_device_info *info = &device->info;
    char *const parts[PARTS - 1] = {info->platform, info->name, info->vendor, info->driver, info->version};
    if (i > 0) parts[i - 1][0] = '?';
    assert_int_equal(fovea_program_get(device, "good.cl", "-DK=8", &p), FOVEA_OK);
    fovea_program_cache_save(device);
    assert_int_equal(cache_file(path), i + 1);
  }
  setenv("POCL_WORK_GROUP_METHOD", before && strcmp(before, "loopvec") == 0 ? "workitemrepl" : "loopvec", 1);
  assert_int_equal(get_fresh("-DK=8", &p), FOVEA_OK);
  assert_int_equal(cache_file(path), PARTS + 1);
  if (before)
    setenv("POCL_WORK_GROUP_METHOD", before, 1);
  else
    unsetenv("POCL_WORK_GROUP_METHOD");
  free(before);
  assert_int_equal(get_fresh("-DK=8", &p), FOVEA_OK);
  assert_works(p, 8);
  assert_int_equal(cache_file(path), PARTS + 1);
}

/* Each wrong file is taken for none, built from source, and replaced by the right one. */
static void damaged(void **state) {
  (void)state;
  char path[512];
  size_t size = 0;
  struct stat before, after;
  cl_program p = NULL;
  clear_cache();
  assert_int_equal(get_fresh("-DK=5", &p), FOVEA_OK);
  assert_int_equal(cache_file(path), 1);
  unsigned char *slurped = slurp(path, &size), *good = realloc(slurped, size + 1);
  assert_non_null(good);
  assert_true(size > 100);
  const size_t flips[] = {0, 9, 24, 33, 40, 47, 48, size / 2, size - 1};
  const size_t cuts[] = {0, 7, 47, 48, 49, size / 2, size - 1};
  size_t flip_count = sizeof flips / sizeof *flips, cut_count = sizeof cuts / sizeof *cuts;
  for (size_t i = 0; i < flip_count + cut_count + 1; i++) {
    good[size] = 'x';
    if (i < flip_count) good[flips[i]] ^= 0x10;
    spit(path, good, i < flip_count ? size : i < flip_count + cut_count ? cuts[i - flip_count] : size + 1);
    if (i < flip_count) good[flips[i]] ^= 0x10;
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(get_fresh("-DK=5", &p), FOVEA_OK);
    assert_works(p, 5);
    assert_int_equal(stat(path, &after), 0);
    if (before.st_ino == after.st_ino) fail_msg("damage %zu was not noticed", i);
  }
  free(good);
}

/* A well-formed file whose content no driver takes. */
static void refused_binary(void **state) {
  (void)state;
  char path[512];
  size_t size = 0;
  cl_program p = NULL;
  fovea_cache_key key;
  clear_cache();
  assert_int_equal(get_fresh("-DK=6", &p), FOVEA_OK);
  assert_int_equal(cache_file(path), 1);
  unsigned char *good = slurp(path, &size);
  memcpy(&key, good + 8, sizeof key);
  free(good);
  static const unsigned char junk[64] = "this is no program";
  fovea_cache_shapes shapes = {0};
  assert_int_equal(fovea_binary_store(&key, junk, sizeof junk, &shapes), FOVEA_OK);
  unsigned char *stored = NULL;
  assert_int_equal(fovea_binary_load(&key, &stored, &size, &shapes), FOVEA_CACHE_GOOD);
  assert_int_equal(size, sizeof junk);
  free(stored);
  assert_int_equal(get_fresh("-DK=6", &p), FOVEA_OK);
  assert_works(p, 6);
}

/* Once for all that is compiled, once for all that is kept, and never for what was found. */
static void what_is_told(void **state) {
  (void)state;
  char cache[512];
  cl_program p = NULL;
  clear_cache();
  in_root("cache/fovea", cache);
  heard.lines = 0;
  for (int warm = 0; warm < 2; warm++) {
    fovea_device_close(device);
    device = NULL;
    assert_int_equal(fovea_device_open(NULL, &device), FOVEA_OK);
    fovea_device_tell(device, hear, &heard);
    assert_int_equal(fovea_program_get(device, "good.cl", "-DK=8", &p), FOVEA_OK);
    assert_int_equal(fovea_program_get(device, "good.cl", "-DK=9", &p), FOVEA_OK);
    assert_int_equal(heard.lines, warm ? 2 : 1);
    if (!warm) assert_non_null(strstr(heard.last, "compiling kernels for "));
    fovea_program_cache_save(device);
    fovea_program_cache_save(device);
    assert_int_equal(heard.lines, 2);
    assert_non_null(strstr(heard.last, "keeping the compiled kernels in "));
    assert_non_null(strstr(heard.last, cache));
  }
}

/* What was damaged is said, once for all files; what is simply not there is not. */
static void damage_is_told(void **state) {
  (void)state;
  char path[512];
  size_t size = 0;
  cl_program p = NULL;
  clear_cache();
  assert_int_equal(get_fresh("-DK=11", &p), FOVEA_OK);
  assert_int_equal(cache_file(path), 1);
  unsigned char *good = slurp(path, &size);
  good[size / 2] ^= 1;
  spit(path, good, size);
  free(good);
  fovea_device_close(device);
  device = NULL;
  assert_int_equal(fovea_device_open(NULL, &device), FOVEA_OK);
  fovea_device_tell(device, hear, &heard);
  heard.lines = 0;
  assert_int_equal(fovea_program_get(device, "good.cl", "-DK=11", &p), FOVEA_OK);
  assert_int_equal(heard.lines, 2);
  assert_non_null(strstr(heard.first, path));
  assert_non_null(strstr(heard.first, "is damaged"));
  assert_works(p, 11);
}

/* A program's file is written anew when its kernels were launched by a shape that it did not have, and not again. */
static void grown(void **state) {
  (void)state;
  char path[512];
  size_t sizes[3];
  cl_program p = NULL;
  clear_cache();
  assert_int_equal(get_fresh("-DK=12", &p), FOVEA_OK); /* saved before it ran */
  for (int i = 0; i < 3; i++) {
    struct stat about;
    assert_int_equal(cache_file(path), 1);
    assert_int_equal(stat(path, &about), 0);
    sizes[i] = (size_t)about.st_size;
    assert_works(p, 12);
    fovea_program_launched(device, p, 77);
    assert_int_equal(get_fresh("-DK=12", &p), FOVEA_OK);
  }
  if (!fovea_driver_folder_used()) skip(); /* this driver's binaries have all that there is */
  assert_true(sizes[1] > sizes[0] + 1000);
  assert_true(sizes[2] == sizes[1]);
}

/* The oldest go first, until the rest fits; measured tiles stay. */
static void trimmed(void **state) {
  (void)state;
  static const char *const names[] = {"a.bin", "b.bin", "c.bin.set-aside", "tuning-1.json", "d.bin"};
  static const bool stays[] = {false, true, true, true, true};
  enum { FILES = sizeof names / sizeof *names };
  char name[64], path[512];
  unsigned char block[100] = {0};
  clear_cache();
  in_root("cache/fovea", path);
  assert_int_equal(fovea_directory_create(path), FOVEA_OK);
  for (int i = 0; i < FILES; i++) {
    snprintf(name, sizeof name, "cache/fovea/%.40s", names[i]);
    in_root(name, path);
    spit(path, block, sizeof block);
    const struct timespec when[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
    assert_int_equal(utimensat(AT_FDCWD, path, when, 0), 0);
  }
  fovea_cache_trim(399);
  for (int i = 0; i < FILES; i++) {
    snprintf(name, sizeof name, "cache/fovea/%.40s", names[i]);
    in_root(name, path);
    assert_int_equal(access(path, F_OK) == 0, stays[i]);
  }
  clear_cache();
}

static void unwritable(void **state) {
  (void)state;
  char path[512], cache[512];
  cl_program p = NULL;
  clear_cache();
  in_root("cache/fovea", path);
  spit(path, (const unsigned char *)"a file", 6); /* root may write anywhere, but not make a folder of a file */
  fovea_device_tell(device, hear, &heard);
  assert_int_equal(fovea_program_get(device, "good.cl", "-DK=14", &p), FOVEA_OK);
  assert_non_null(strstr(heard.last, "each time anew: cannot make the directory"));
  assert_int_equal(get_fresh("-DK=7", &p), FOVEA_OK);
  assert_works(p, 7);
  unlink(path);
  unsetenv("XDG_CACHE_HOME");
  char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
  unsetenv("HOME");
  assert_int_equal(get_fresh("-DK=7", &p), FOVEA_OK);
  assert_works(p, 7);
  in_root("cache", cache);
  setenv("XDG_CACHE_HOME", cache, 1);
  if (home) setenv("HOME", home, 1);
  free(home);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(includes),
      cmocka_unit_test(memory_cache),
      cmocka_unit_test(build_failure),
      cmocka_unit_test(cold_and_warm),
      cmocka_unit_test(damaged),
      cmocka_unit_test(refused_binary),
      cmocka_unit_test(what_is_told),
      cmocka_unit_test(unwritable),
      cmocka_unit_test(every_part_of_the_key),
      cmocka_unit_test(saved_at_the_close),
      cmocka_unit_test(damage_is_told),
      cmocka_unit_test(grown),
      cmocka_unit_test(trimmed),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
