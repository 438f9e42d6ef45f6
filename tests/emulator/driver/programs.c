/* Programs: compiled by the engine's script to a folder, EMULATOR_CACHE, which keeps them under a hash of device,
 * source and options. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/driver.h"

enum { MOST_PATH = 4096, MOST_OPTIONS = 128 };

static size_t length_of(const char **texts, const size_t *lengths, cl_uint i) {
  return lengths && lengths[i] ? lengths[i] : strlen(texts[i]);
}

cl_program CL_API_CALL driver_create_program(cl_context context, cl_uint count, const char **texts,
                                             const size_t *lengths, cl_int *error) {
  (void)context;
  size_t total = 1, at = 0;
  for (cl_uint i = 0; i < count; i++) total += length_of(texts, lengths, i);
  cl_program p = calloc(1, sizeof *p);
  char *source = calloc(1, total);
  if (error) *error = p && source ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
  if (!p || !source) {
    free(p);
    free(source);
    return NULL;
  }
  p->dispatch = &driver_dispatch;
  p->references = 1;
  p->source = source;
  for (cl_uint i = 0; i < count; at += length_of(texts, lengths, i), i++)
    memcpy(source + at, texts[i], length_of(texts, lengths, i));
  return p;
}

/* The device gives none. */
cl_program CL_API_CALL driver_create_from_binary(cl_context context, cl_uint count, const cl_device_id *devices,
                                                 const size_t *lengths, const unsigned char **binaries, cl_int *status,
                                                 cl_int *error) {
  (void)context, (void)count, (void)devices, (void)lengths, (void)binaries;
  if (status) *status = CL_INVALID_BINARY;
  if (error) *error = CL_INVALID_BINARY;
  return NULL;
}

cl_int CL_API_CALL driver_retain_program(cl_program p) {
  p->references++;
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_release_program(cl_program p) {
  if (--p->references > 0) return CL_SUCCESS;
  if (p->module) driver_engine()->unload(p->module);
  free(p->source);
  free(p);
  return CL_SUCCESS;
}

/* --- compilation -------------------------------------------------------------------------------------------------- */

/* FNV-1a, of each text with the 0 behind it. */
static uint64_t hash(uint64_t h, const char *text) {
  for (bool more = true; more; text++) {
    more = *text != '\0';
    h = (h ^ (uint8_t)*text) * 1099511628211u;
  }
  return h;
}

static bool write_source(const char *stem, const char *source) {
  char path[MOST_PATH + 64], made[MOST_PATH + 96];
  snprintf(path, sizeof path, "%s.cl", stem);
  snprintf(made, sizeof made, "%s.%ld", path, (long)getpid());
  FILE *file = fopen(made, "w");
  if (!file) return false;
  const bool written = fputs(source, file) >= 0;
  if ((fclose(file) == 0) & written && rename(made, path) == 0) return true;
  const int why = errno;
  unlink(made);
  errno = why;
  return false;
}

/* What is to be executed, its words cut out of `options`, which is changed. */
static bool make_words(char *script, const char *stem, char *options, char *words[]) {
  int count = 0;
  char *save = NULL;
  words[count++] = script;
  words[count++] = (char *)(uintptr_t)driver_engine()->target();
  words[count++] = (char *)(uintptr_t)stem;
  for (char *word = strtok_r(options, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    if (count == MOST_OPTIONS - 1) return false;
    words[count++] = word;
  }
  words[count] = NULL;
  return true;
}

/* Runs it, with what it says to STEM.log. */
static bool execute(const char *stem, char *const words[]) {
  char path[MOST_PATH + 64];
  snprintf(path, sizeof path, "%s.log", stem);
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen(path, "w", stderr)) _exit(127);
    unsetenv("LD_PRELOAD"); /* a sanitizer, a fault that a test injects: they are not for the compiler */
    execv(words[0], words);
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void read_log(cl_program p, const char *stem) {
  char path[MOST_PATH + 64];
  snprintf(path, sizeof path, "%s.log", stem);
  FILE *file = fopen(path, "r");
  if (!file) return;
  char said[sizeof p->log];
  const size_t count = fread(said, 1, sizeof said - 1, file);
  if (count) memcpy(p->log, said, count), p->log[count] = '\0';
  fclose(file);
}

static bool compile(cl_program p, const char *stem, const char *options) {
  char path[MOST_PATH + 64], script[MOST_PATH], *words[MOST_OPTIONS], *copy = strdup(options);
  const char *scripts = getenv("EMULATOR_SCRIPTS");
  snprintf(script, sizeof script, "%s/%s", scripts && *scripts ? scripts : EMULATOR_SCRIPTS, driver_engine()->script);
  snprintf(path, sizeof path, "%s%s", stem, driver_engine()->made);
  bool good = access(path, R_OK) == 0;
  if (!good) {
    const bool written = copy && write_source(stem, p->source);
    if (!written)
      snprintf(p->log, sizeof p->log, "error: %s.cl cannot be written: %s; EMULATOR_CACHE is a folder to write to",
               stem, strerror(errno));
    else
      snprintf(p->log, sizeof p->log, "error: %s.cl cannot be compiled by %s", stem, script);
    good = written && make_words(script, stem, copy, words) && execute(stem, words);
    if (written && !good) read_log(p, stem);
  }
  free(copy);
  return good;
}

cl_int CL_API_CALL driver_build(cl_program p, cl_uint count, const cl_device_id *devices, const char *options,
                                void(CL_CALLBACK *told)(cl_program, void *), void *user) {
  (void)count, (void)devices;
  char stem[MOST_PATH - 64], message[1024], all[8192];
  const char *folder = getenv("EMULATOR_CACHE");
  if (!folder || !*folder) folder = "/tmp/fovea-emulator";
  const int length = snprintf(all, sizeof all, "%s %s", options ? options : "", driver_engine()->options);
  if (length < 0 || length >= (int)sizeof all) return CL_INVALID_BUILD_OPTIONS;
  if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
    snprintf(p->log, sizeof p->log, "error: EMULATOR_CACHE: the folder %s cannot be made: %s", folder, strerror(errno));
    return CL_BUILD_PROGRAM_FAILURE;
  }
  uint64_t h = hash(14695981039346656037u, driver_engine()->target());
  h = hash(hash(h, all), p->source);
  snprintf(stem, sizeof stem, "%s/%016llx", folder, (unsigned long long)h);
  p->log[0] = '\0';
  if (!compile(p, stem, all)) return CL_BUILD_PROGRAM_FAILURE;
  p->log[0] = '\0';
  if (p->module) driver_engine()->unload(p->module);
  p->module = driver_engine()->load(stem, message, sizeof message);
  if (!p->module) {
    snprintf(p->log, sizeof p->log, "error: %s: %s", driver_engine()->target(), message);
    return CL_BUILD_PROGRAM_FAILURE;
  }
  if (told) told(p, user);
  return CL_SUCCESS;
}

/* --- information -------------------------------------------------------------------------------------------------- */

cl_int CL_API_CALL driver_program_info(cl_program p, cl_program_info what, size_t room, void *to, size_t *size) {
  const size_t no_binary = 0;
  const cl_uint one = 1;
  (void)p;
  if (what == CL_PROGRAM_BINARY_SIZES) return driver_answer(&no_binary, sizeof no_binary, room, to, size);
  if (what == CL_PROGRAM_NUM_DEVICES) return driver_answer(&one, sizeof one, room, to, size);
  return CL_INVALID_VALUE;
}

cl_int CL_API_CALL driver_build_info(cl_program p, cl_device_id device, cl_program_build_info what, size_t room,
                                     void *to, size_t *size) {
  (void)device;
  if (what == CL_PROGRAM_BUILD_LOG) return driver_answer(p->log, strlen(p->log) + 1, room, to, size);
  return CL_INVALID_VALUE;
}
