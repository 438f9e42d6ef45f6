/* Programs are compiled once and kept on disk: on PoCL 3.1 a small one then takes 2 ms instead of 340.
 *
 * PoCL compiles a kernel at its first enqueue with each work-group size, and its binary of a program holds the IR and
 * the kernels that lie in its folder at that time, which is private to the process (driver_folder.h). So all that a
 * process compiled is in our files, with our hashes, and PoCL's own cache is not used. GPU drivers compile in
 * clBuildProgram.
 *
 * Binaries are asked for when the device is closed, since PoCL then compiles every kernel for any work-group size, 15 s
 * for a training network. A program gives the same binary ever after; so where kernels were launched by shapes that the
 * file does not have, the program is built from source again, with its kernels in the folder, and asked for that one's.
 */
#include "runtime/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "runtime/cache.h"
#include "runtime/compile_once.h"
#include "runtime/driver_folder.h"
#include "runtime/driver_watch.h"
#include "runtime/source.h"

typedef struct entry {
  char *key; /* file, newline, options */
  cl_program program;
  fovea_cache_key on_disk;
  fovea_cache_shapes launched; /* now or when the file on disk was written */
  bool unsaved;                /* there is no such file */
  bool grown;                  /* it lacks shapes */
  bool asked;                  /* the program was made of a binary, or gave one: it gives that one again */
} entry;

struct fovea_program_cache {
  entry *entries;
  size_t count;
  bool damage_told;
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

static void hash_text(XXH64_state_t *hash, const char *text) { XXH64_update(hash, text, strlen(text) + 1); }

/* Two seeds give 128 bits. */
static fovea_cache_key make_key(const fovea_device *device, const char *source, const char *options) {
  fovea_cache_key key;
  char platform_version[256] = "";
  clGetPlatformInfo(device->platform, CL_PLATFORM_VERSION, sizeof platform_version - 1, platform_version, NULL);
  /* It changes what PoCL compiles and may keep inside a binary. */
  const char *method = getenv("POCL_WORK_GROUP_METHOD");
  for (int i = 0; i < 2; i++) {
    XXH64_state_t hash;
    XXH64_reset(&hash, i ? 0x9e3779b97f4a7c15u : 0);
    hash_text(&hash, source);
    hash_text(&hash, options);
    hash_text(&hash, device->info.platform);
    hash_text(&hash, platform_version);
    hash_text(&hash, device->info.name);
    hash_text(&hash, device->info.vendor);
    hash_text(&hash, device->info.driver);
    hash_text(&hash, device->info.version);
    hash_text(&hash, method ? method : "");
    key.word[i] = XXH64_digest(&hash);
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
  error = clBuildProgram(p, (cl_uint)(1 + device->shard_count), device->ids, options, NULL, NULL);
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
  cl_int error = CL_SUCCESS, errors[1 + FOVEA_MOST_SHARDS] = {0};
  const cl_uint count = (cl_uint)(1 + device->shard_count);
  const unsigned char *binaries[1 + FOVEA_MOST_SHARDS] = {NULL};
  size_t sizes[1 + FOVEA_MOST_SHARDS] = {0};
  for (cl_uint i = 0; i < count; i++) binaries[i] = binary, sizes[i] = size;
  cl_program p = clCreateProgramWithBinary(device->context, count, device->ids, sizes, binaries, errors, &error);
  for (cl_uint i = 0; i < count && error == CL_SUCCESS; i++) error = errors[i];
  if (error == CL_SUCCESS) error = clBuildProgram(p, count, device->ids, options, NULL, NULL);
  if (error == CL_SUCCESS) return p;
  if (p) clReleaseProgram(p);
  return NULL;
}

/* That for the whole device, the first of the context; its parts take the same. */
static fovea_status store_binary(cl_program program, const entry *e) {
  unsigned char *binary = NULL;
  size_t size = 0;
  const cl_int error = fovea_program_binary(program, &binary, &size);
  if (error == CL_OUT_OF_HOST_MEMORY) return fovea_fail(FOVEA_NO_MEMORY, "out of memory for a binary");
  if (error != CL_SUCCESS)
    return fovea_fail(fovea_cl_status(error), "the driver gives no binary: %s", fovea_cl_error_name(error));
  fovea_status status = binary ? fovea_binary_store(&e->on_disk, binary, size, &e->launched) : FOVEA_OK;
  free(binary);
  return status;
}

/* Why nothing can be kept, in `why`, or "": found out before the driver is asked for a binary. */
static const char *why_not_kept(char *where, size_t size, char *why, size_t why_size) {
  why[0] = '\0';
  if (!fovea_cache_directory(where, size))
    snprintf(why, why_size, "%s", fovea_cache_why_none());
  else if (fovea_directory_create(where) != FOVEA_OK)
    snprintf(why, why_size, "%s", fovea_error_message());
  else if (fovea_folder_is_full(where))
    snprintf(why, why_size, "no file can be written in %.1900s, the disk may be full", where);
  return why;
}

enum { MOST_PATH = 4096, MOST_LINE = MOST_PATH + 2400 };

static void tell_compiling(const fovea_device *device) {
  char where[MOST_PATH], why[2048], line[MOST_LINE];
  if (!device->say) return;
  const bool kept = !*why_not_kept(where, sizeof where, why, sizeof why);
  snprintf(line, sizeof line, "compiling kernels for %s, %s%s", device->info.name,
           kept ? "to be kept in " : "each time anew: ", kept ? where : why);
  device->say(device->user, line);
}

static void tell_damaged(const fovea_device *device, const fovea_cache_key *key) {
  char path[MOST_PATH], line[MOST_LINE];
  if (!device->say || device->programs->damage_told || !fovea_binary_path(key, path, sizeof path)) return;
  device->programs->damage_told = true;
  snprintf(line, sizeof line, "%s is damaged: its kernels are compiled anew, as those of other such files", path);
  device->say(device->user, line);
}

static bool any_unsaved(const fovea_program_cache *cache) {
  bool any = false;
  for (size_t i = 0; i < cache->count; i++) any |= cache->entries[i].unsaved;
  return any;
}

static bool any_grown(const fovea_program_cache *cache) {
  bool any = false;
  for (size_t i = 0; i < cache->count; i++) any |= cache->entries[i].grown;
  return any;
}

static fovea_status build_again(fovea_device *device, const entry *e, cl_program *program) {
  char file[256], *source = NULL;
  const char *options = strchr(e->key, '\n') + 1;
  snprintf(file, sizeof file, "%.*s", (int)(options - 1 - e->key), e->key);
  fovea_status status = fovea_source_read(file, &source);
  char *full = malloc(strlen(options) + 256);
  if (!status && !full) status = fovea_fail(FOVEA_NO_MEMORY, "%s: out of memory", file);
  if (!status) {
    fovea_program_options(device, options, full, strlen(options) + 256);
    status = build_source(device, file, source, full, program);
  }
  free(full);
  free(source);
  return status;
}

static fovea_status save(fovea_device *device, entry *e) {
  cl_program again = NULL;
  fovea_status status = e->asked ? build_again(device, e, &again) : FOVEA_OK;
  if (!status) status = store_binary(again ? again : e->program, e);
  if (again) clReleaseProgram(again);
  e->asked = true;
  return status;
}

/* After a failure, of a full disk for instance, no other program is written. */
enum { MOST_FAILURES = 3 };

static void save_all(fovea_device *device) {
  fovea_program_cache *cache = device->programs;
  char first[2048] = "", line[MOST_LINE];
  int failures = 0;
  for (size_t i = 0; i < cache->count && failures < MOST_FAILURES; i++) {
    entry *e = &cache->entries[i];
    if (!e->unsaved && !e->grown) continue;
    if (save(device, e) != FOVEA_OK && failures++ == 0) snprintf(first, sizeof first, "%s", fovea_error_message());
  }
  fovea_cache_trim(FOVEA_CACHE_MOST);
  if (failures == 0 || !device->say) return;
  snprintf(line, sizeof line, "not all compiled kernels are kept, and the rest is compiled again next time: %s", first);
  device->say(device->user, line);
}

/* Only where a driver keeps kernels apart does a binary grow. */
static void forget_growth(fovea_program_cache *cache, bool also_unsaved) {
  for (size_t i = 0; i < cache->count; i++) {
    cache->entries[i].grown = false;
    if (also_unsaved) cache->entries[i].unsaved = false;
  }
}

/* A driver that is asked for binaries that it cannot give may end the process. */
static const char *why_not_asked(void) {
  const char *folder = fovea_driver_folder();
  if (fovea_memory_is_short()) return ": less than 512 MiB of memory are left for it";
  if (folder[0] && fovea_folder_is_full(folder)) return ": the driver's own folder is full or gone";
  return "";
}

static void save_where_possible(fovea_device *device) {
  char where[MOST_PATH], why[2048], line[MOST_LINE];
  if (*why_not_kept(where, sizeof where, why, sizeof why)) return; /* reported when they were compiled */
  const char *not_asked = why_not_asked();
  snprintf(line, sizeof line, "%skeeping the compiled kernels in %s%s", *not_asked ? "not " : "", where, not_asked);
  if (device->say) device->say(device->user, line);
  if (!*not_asked) save_all(device);
}

void fovea_program_cache_save(fovea_device *device) {
  fovea_program_cache *cache = device->programs;
  char message[2048];
  if (!cache) return;
  if (any_grown(cache) && !fovea_driver_folder_used()) forget_growth(cache, false);
  if (!any_unsaved(cache) && !any_grown(cache)) return;
  snprintf(message, sizeof message, "%s", fovea_error_message()); /* that of what ends here */
  fovea_driver_does("was compiling kernels, to keep them");
  save_where_possible(device);
  fovea_driver_does(NULL);
  forget_growth(cache, true);
  (void)fovea_fail(FOVEA_OK, "%s", message);
}

static bool has_shape(const fovea_cache_shapes *shapes, uint64_t shape) {
  for (size_t i = 0; i < shapes->count; i++)
    if (shapes->shape[i] == shape) return true;
  return false;
}

void fovea_program_launched(fovea_device *device, cl_program program, uint64_t shape) {
  fovea_program_cache *cache = device->programs;
  for (size_t i = 0; i < cache->count; i++) {
    entry *e = &cache->entries[i];
    if (e->program != program || has_shape(&e->launched, shape)) continue;
    if (e->launched.count == sizeof e->launched.shape / sizeof *e->launched.shape) return;
    e->launched.shape[e->launched.count++] = shape;
    e->grown = true;
  }
}

size_t fovea_program_cache_count(const fovea_program_cache *cache) { return cache->count; }

/* Out of the cache; NULL: none there, or none that the driver takes. */
static cl_program build_cached(fovea_device *device, const char *options, entry *out) {
  unsigned char *binary = NULL;
  size_t size = 0;
  char path[MOST_PATH];
  cl_program p = NULL;
  const fovea_cache_found found = fovea_binary_load(&out->on_disk, &binary, &size, &out->launched);
  if (found == FOVEA_CACHE_DAMAGED) tell_damaged(device, &out->on_disk);
  if (found == FOVEA_CACHE_GOOD && fovea_binary_path(&out->on_disk, path, sizeof path)) {
    fovea_driver_does("was reading compiled kernels");
    const bool marked = fovea_driver_folder_reading(path);
    p = build_binary(device, options, binary, size);
    if (marked) fovea_driver_folder_read();
    fovea_driver_does(NULL);
  }
  if (!p) out->launched.count = 0;
  free(binary);
  return p;
}

/* Of a device of the same kind, which keeps it on disk, too; NULL: there is none, or the driver does not take it. */
static cl_program build_as_another(fovea_device *device, const char *options, entry *out) {
  unsigned char *binary = NULL;
  size_t size = 0;
  if (!fovea_compile_once_begin(device, &out->on_disk, &binary, &size)) return NULL;
  fovea_driver_does("was reading compiled kernels");
  cl_program p = build_binary(device, options, binary, size);
  fovea_driver_does(NULL);
  out->asked = p != NULL;
  free(binary);
  return p;
}

static fovea_status build(fovea_device *device, const char *file, const char *options, entry *out) {
  char *source = NULL;
  fovea_status status = fovea_source_read(file, &source);
  if (status) return status;
  entry made = {.on_disk = make_key(device, source, options)};
  made.program = build_cached(device, options, &made);
  made.asked = made.program != NULL;
  if (!made.program) made.program = build_as_another(device, options, &made);
  made.unsaved = !made.program;
  if (made.unsaved) {
    if (!any_unsaved(device->programs)) tell_compiling(device);
    fovea_driver_does("was compiling kernels");
    status = build_source(device, file, source, options, &made.program);
    fovea_driver_does(NULL);
    fovea_compile_once_end(device, &made.on_disk, made.program);
  }
  if (!status) *out = made;
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
