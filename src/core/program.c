/* What the disk cache is worth on PoCL 3.1, which has a cache of its own (~/.cache/pocl): a small program costs 340 ms
 * with both cold, 48 ms with PoCL's warm, 2 ms with ours warm. A binary of PoCL's has the program's IR and whatever
 * kernels were compiled when it was read; the rest is compiled at a kernel's first enqueue with each work-group size
 * (40 to 80 ms, once, then out of PoCL's cache). Drivers of GPUs compile in clBuildProgram, all of which ours saves.
 * Binaries are asked for only when the device is closed: PoCL then compiles every kernel for any work-group size, 15 s
 * for a training network's 51 programs, which used to stand before the first step. To have PoCL use those kernels from
 * the start (POCL_WORK_GROUP_SPECIALIZATION=0) took 1.03 to 1.07 of a step's time. */
#include "core/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/binary_cache.h"
#include "core/fail.h"
#include "core/source.h"
#include "core/xxh64.h"

typedef struct entry {
  char *key; /* file, newline, options */
  cl_program program;
  fovea_cache_key on_disk;
  bool unsaved;
} entry;

struct fovea_program_cache {
  entry *entries;
  size_t count;
};

fovea_status fovea_program_cache_create(fovea_program_cache **cache) {
  fovea_program_cache *c = calloc(1, sizeof *c);
  if (!c) return fovea_fail(FOVEA_NO_MEMORY, "out of memory for the program cache");
  *cache = c;
  return FOVEA_OK;
}

void fovea_program_cache_destroy(fovea_program_cache *cache) {
  if (!cache) return;
  for (size_t i = 0; i < cache->count; i++) {
    clReleaseProgram(cache->entries[i].program);
    free(cache->entries[i].key);
  }
  free(cache->entries);
  free(cache);
}

static void hash_text(fovea_xxh64 *hash, const char *text) { fovea_xxh64_put(hash, text, strlen(text) + 1); }

/* Two seeds give 128 bits. */
static fovea_cache_key make_key(const fovea_device *device, const char *source, const char *options) {
  fovea_cache_key key;
  char platform_version[256] = "";
  clGetPlatformInfo(device->platform, CL_PLATFORM_VERSION, sizeof platform_version - 1, platform_version, NULL);
  /* It changes what PoCL compiles and may keep inside a binary. */
  const char *method = getenv("POCL_WORK_GROUP_METHOD");
  for (int i = 0; i < 2; i++) {
    fovea_xxh64 hash;
    fovea_xxh64_begin(&hash, i ? 0x9e3779b97f4a7c15u : 0);
    hash_text(&hash, source);
    hash_text(&hash, options);
    hash_text(&hash, device->info.platform);
    hash_text(&hash, platform_version);
    hash_text(&hash, device->info.name);
    hash_text(&hash, device->info.vendor);
    hash_text(&hash, device->info.driver);
    hash_text(&hash, device->info.version);
    hash_text(&hash, method ? method : "");
    key.word[i] = fovea_xxh64_end(&hash);
  }
  return key;
}

/* The beginning of the log, from the first error if it has one, since warnings may fill pages before it. */
static void build_log(const fovea_device *device, cl_program program, char *text, size_t size) {
  size_t length = 0;
  snprintf(text, size, "no build log");
  if (clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &length) != CL_SUCCESS) return;
  char *log = calloc(1, length + 1);
  if (!log) return;
  if (clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, length, log, NULL) == CL_SUCCESS) {
    const char *start = strstr(log, "error:");
    while (start && start > log && start[-1] != '\n') start--;
    if (!start) start = log;
    start += strspn(start, " \t\r\n");
    if (*start) snprintf(text, size, "%s", start);
    size_t end = strlen(text);
    while (end > 0 && strchr(" \t\r\n", text[end - 1])) text[--end] = '\0';
  }
  free(log);
}

static fovea_status build_source(fovea_device *device, const char *file, const char *source, const char *options,
                                 cl_program *program) {
  cl_int error = CL_SUCCESS;
  cl_program p = clCreateProgramWithSource(device->context, 1, &source, NULL, &error);
  if (error != CL_SUCCESS) {
    fovea_status status = fovea_cl_check(device, error, "cannot make a program");
    return fovea_fail_in(status, "%s", file);
  }
  error = clBuildProgram(p, (cl_uint)(1 + device->part_count), device->ids, options, NULL, NULL);
  if (error != CL_SUCCESS) {
    char log[1200];
    build_log(device, p, log, sizeof log);
    clReleaseProgram(p);
    return fovea_fail(fovea_cl_status(error), "%s does not build on %s with \"%s\": %s: %s", file, device->info.name,
                      options, fovea_cl_error_name(error), log);
  }
  *program = p;
  return FOVEA_OK;
}

/* NULL when the driver does not take the binary. */
static cl_program build_binary(fovea_device *device, const char *options, const unsigned char *binary, size_t size) {
  cl_int error = CL_SUCCESS, errors[1 + FOVEA_MOST_PARTS] = {0};
  const cl_uint count = (cl_uint)(1 + device->part_count);
  const unsigned char *binaries[1 + FOVEA_MOST_PARTS];
  size_t sizes[1 + FOVEA_MOST_PARTS];
  for (cl_uint i = 0; i < count; i++) binaries[i] = binary, sizes[i] = size;
  cl_program p = clCreateProgramWithBinary(device->context, count, device->ids, sizes, binaries, errors, &error);
  for (cl_uint i = 0; i < count && error == CL_SUCCESS; i++) error = errors[i];
  if (error == CL_SUCCESS) error = clBuildProgram(p, count, device->ids, options, NULL, NULL);
  if (error == CL_SUCCESS) return p;
  if (p) clReleaseProgram(p);
  return NULL;
}

/* That for the whole device, the first of the context; its parts take the same. */
static void store_binary(cl_program program, const fovea_cache_key *key) {
  size_t sizes[1 + FOVEA_MOST_PARTS] = {0};
  unsigned char *binaries[1 + FOVEA_MOST_PARTS] = {NULL};
  if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof sizes, sizes, NULL) != CL_SUCCESS || sizes[0] == 0)
    return;
  binaries[0] = malloc(sizes[0]);
  if (!binaries[0]) return;
  if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binaries, binaries, NULL) == CL_SUCCESS)
    fovea_binary_store(key, binaries[0], sizes[0]);
  free(binaries[0]);
}

static void tell(const fovea_device *device, bool at_end) {
  enum { MOST_PATH = 4096 };
  char where[MOST_PATH], line[MOST_PATH + 400];
  if (!device->say) return;
  const bool kept = fovea_cache_directory(where, sizeof where);
  if (at_end && !kept) return;
  if (at_end)
    snprintf(line, sizeof line, "keeping the compiled kernels in %s", where);
  else
    snprintf(line, sizeof line, "compiling kernels for %s, %s%s", device->info.name,
             kept ? "to be kept in " : "each time anew: neither HOME nor XDG_CACHE_HOME is an absolute path",
             kept ? where : "");
  device->say(line);
}

static bool any_unsaved(const fovea_program_cache *cache) {
  bool any = false;
  for (size_t i = 0; i < cache->count; i++) any |= cache->entries[i].unsaved;
  return any;
}

void fovea_program_cache_save(fovea_device *device) {
  fovea_program_cache *cache = device->programs;
  if (!cache) return;
  if (any_unsaved(cache)) tell(device, true);
  for (size_t i = 0; i < cache->count; i++) {
    entry *e = &cache->entries[i];
    if (e->unsaved) store_binary(e->program, &e->on_disk);
    e->unsaved = false;
  }
}

size_t fovea_program_cache_count(const fovea_program_cache *cache) { return cache->count; }

static fovea_status build(fovea_device *device, const char *file, const char *options, entry *out) {
  char *source = NULL;
  unsigned char *binary = NULL;
  size_t size = 0;
  cl_program p = NULL;
  fovea_status status = fovea_source_read(file, &source);
  if (status) return status;
  fovea_cache_key key = make_key(device, source, options);
  if (fovea_binary_load(&key, &binary, &size)) p = build_binary(device, options, binary, size);
  const bool unsaved = !p;
  if (unsaved && !any_unsaved(device->programs)) tell(device, false);
  if (unsaved) status = build_source(device, file, source, options, &p);
  if (!status) *out = (entry){.program = p, .on_disk = key, .unsaved = unsaved};
  free(binary);
  free(source);
  return status;
}

/* The options of every build before those of this one. Division: correctly rounded by the device, or the kernels
 * correct it by an fma step. -w: PoCL prints its count of warnings to stderr, and a float16 on a machine without
 * AVX-512 gives one a function (an ABI that inlined functions do not have). */
void fovea_program_options(const fovea_device *device, const char *options, char *text, size_t size) {
  snprintf(text, size, "-cl-std=CL1.2 -w -DFOVEA_V=%d %s%s%s", device->tuning.vector,
           device->info.correctly_rounded_divide_sqrt ? "-cl-fp32-correctly-rounded-divide-sqrt"
                                                      : "-DFOVEA_CORRECT_DIVISION",
           *options ? " " : "", options);
}

fovea_status fovea_program_get(fovea_device *device, const char *file, const char *options, cl_program *program) {
  fovea_program_cache *cache = device->programs;
  fovea_status status = FOVEA_OK;
  entry made = {0};
  if (!options) options = "";
  size_t size = strlen(file) + strlen(options) + 256;
  char *key = malloc(2 * size), *full = key ? key + size : NULL;
  if (!key) return fovea_fail(FOVEA_NO_MEMORY, "%s: out of memory", file);
  snprintf(key, size, "%s\n%s", file, options);
  for (size_t i = 0; i < cache->count; i++) {
    if (strcmp(cache->entries[i].key, key) == 0) {
      *program = cache->entries[i].program;
      goto done;
    }
  }
  entry *more = realloc(cache->entries, (cache->count + 1) * sizeof *more);
  if (!more) {
    status = fovea_fail(FOVEA_NO_MEMORY, "%s: out of memory", file);
    goto done;
  }
  cache->entries = more;
  fovea_program_options(device, options, full, size);
  status = build(device, file, full, &made);
  if (status) goto done;
  made.key = key;
  cache->entries[cache->count++] = made;
  *program = made.program;
  key = NULL;
done:
  free(key);
  return status;
}
