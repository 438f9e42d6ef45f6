/* Preloaded (LD_PRELOAD) into a program that uses OpenCL: what it builds from source goes through SPIR-V, as in Intel's
 * driver for GPUs. THROUGH_SPIRV is a folder, which gets the source of each program and the module that
 * through_spirv.sh makes of it. A device that takes SPIR-V gets the module by clCreateProgramWithIL; for another it is
 * translated back to LLVM's bitcode, which cl_khr_spir lets it take. The source itself is never built: where the caller
 * asks about its program, the module's answers. */
#define _GNU_SOURCE
#undef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 300 /* clCreateProgramWithIL */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_STEM = 4096, MOST_PATH = MOST_STEM + 16, MOST_WORDS = 128, MOST_DEVICES = 16, MOST_LOG = 16384 };

typedef struct through {
  struct through *next;
  cl_program program, module; /* the caller's; what was built, NULL until then */
  cl_context context;
  char *source;
  char log[MOST_LOG]; /* of a build that made no module */
} through;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static through *programs;
static int count;

/* The loader's function, of which the one here has the name. */
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

static through *find(cl_program program) {
  pthread_mutex_lock(&lock);
  through *p = programs;
  while (p && p->program != program) p = p->next;
  pthread_mutex_unlock(&lock);
  return p;
}

static cl_program built(cl_program program) {
  const through *p = find(program);
  return p && p->module ? p->module : program;
}

/* --- a module ----------------------------------------------------------------------------------------------------- */

static bool write_source(const through *p, const char *stem) {
  char path[MOST_PATH];
  snprintf(path, sizeof path, "%s.cl", stem);
  FILE *file = fopen(path, "w");
  if (!file) return false;
  const bool written = fputs(p->source, file) >= 0;
  return (fclose(file) == 0) & written;
}

/* SIZE bytes of a file and a 0 behind them, the caller's to free; NULL if there is none. */
static unsigned char *read_file(const char *stem, const char *ending, size_t *size) {
  char path[MOST_PATH];
  snprintf(path, sizeof path, "%s.%s", stem, ending);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = calloc(1, *size + 1);
  if (bytes && fread(bytes, 1, *size, file) != *size) {
    free(bytes);
    bytes = NULL;
  }
  fclose(file);
  return bytes;
}

/* What is to be executed, words of `options`, which is changed. */
static bool make_words(char *stem, char *options, char *words[]) {
  static char script[] = THROUGH_SPIRV_SCRIPT;
  int n = 0;
  char *save = NULL;
  words[n++] = script, words[n++] = stem;
  for (char *word = strtok_r(options, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    if (n == MOST_WORDS - 1) return false;
    words[n++] = word;
  }
  words[n] = NULL;
  return true;
}

static bool execute(const char *stem, char *const words[]) {
  char path[MOST_PATH];
  snprintf(path, sizeof path, "%s.log", stem);
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen(path, "w", stderr)) _exit(127);
    unsetenv("LD_PRELOAD");
    execv(words[0], words);
    _exit(127);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* stem.spv and stem.bc; false, and why in the log. */
static bool make_module(through *p, char *stem, const char *options) {
  char *words[MOST_WORDS], *copy = strdup(options);
  const bool good = copy && write_source(p, stem) && make_words(stem, copy, words) && execute(stem, words);
  free(copy);
  if (good) return true;
  size_t size;
  unsigned char *said = read_file(stem, "log", &size);
  snprintf(p->log, sizeof p->log, "error: no SPIR-V in %s: %s", stem, said ? (char *)said : "it cannot be written");
  free(said);
  return false;
}

static bool takes_spirv(cl_device_id device) {
  char versions[256] = "";
  return clGetDeviceInfo(device, CL_DEVICE_IL_VERSION, sizeof versions - 1, versions, NULL) == CL_SUCCESS &&
         strstr(versions, "SPIR-V");
}

static cl_program create(const through *p, const char *stem, cl_uint devices_count, const cl_device_id *devices,
                         bool as_spirv, cl_int *error) {
  size_t size = 0, sizes[MOST_DEVICES];
  unsigned char *bytes = read_file(stem, as_spirv ? "spv" : "bc", &size);
  const unsigned char *binaries[MOST_DEVICES];
  cl_program made = NULL;
  *error = CL_INVALID_BINARY;
  if (!bytes || devices_count > MOST_DEVICES) return free(bytes), NULL;
  for (cl_uint i = 0; i < devices_count; i++) binaries[i] = bytes, sizes[i] = size;
  made = as_spirv ? clCreateProgramWithIL(p->context, bytes, size, error)
                  : clCreateProgramWithBinary(p->context, devices_count, devices, sizes, binaries, NULL, error);
  free(bytes);
  return *error == CL_SUCCESS ? made : NULL;
}

/* --- the calls ---------------------------------------------------------------------------------------------------- */

cl_program clCreateProgramWithSource(cl_context context, cl_uint texts_count, const char **texts, const size_t *lengths,
                                     cl_int *error) {
  through *p = calloc(1, sizeof *p);
  size_t size = 0;
  FILE *source = p ? open_memstream(&p->source, &size) : NULL;
  for (cl_uint i = 0; source && i < texts_count; i++)
    fwrite(texts[i], 1, lengths && lengths[i] ? lengths[i] : strlen(texts[i]), source);
  if (!source || fclose(source) != 0) abort();
  p->context = context;
  p->program = REAL(clCreateProgramWithSource)(context, texts_count, texts, lengths, error);
  pthread_mutex_lock(&lock);
  p->next = programs, programs = p;
  pthread_mutex_unlock(&lock);
  return p->program;
}

cl_int clBuildProgram(cl_program program, cl_uint devices_count, const cl_device_id *devices, const char *options,
                      void(CL_CALLBACK *told)(cl_program, void *), void *user) {
  through *p = find(program);
  const char *folder = getenv("THROUGH_SPIRV");
  char stem[MOST_STEM];
  if (!p || !folder || devices_count == 0) return CL_INVALID_OPERATION; /* nothing goes another way */
  pthread_mutex_lock(&lock);
  snprintf(stem, sizeof stem, "%s/%03d", folder, ++count);
  pthread_mutex_unlock(&lock);
  if (!make_module(p, stem, options ? options : "")) return CL_BUILD_PROGRAM_FAILURE;
  const bool as_spirv = takes_spirv(devices[0]);
  cl_int error;
  p->module = create(p, stem, devices_count, devices, as_spirv, &error);
  if (error != CL_SUCCESS) return error;
  char how[256];
  snprintf(how, sizeof how, "%s%s", as_spirv ? "" : "-x spir -spir-std=1.2 ",
           options && strstr(options, "-cl-fp32-correctly-rounded-divide-sqrt")
               ? "-cl-fp32-correctly-rounded-divide-sqrt"
               : "");
  return REAL(clBuildProgram)(p->module, devices_count, devices, how, told, user);
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *error) {
  return REAL(clCreateKernel)(built(program), name, error);
}

cl_int clGetProgramInfo(cl_program program, cl_program_info what, size_t room, void *to, size_t *size) {
  return REAL(clGetProgramInfo)(built(program), what, room, to, size);
}

cl_int clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what, size_t room, void *to,
                             size_t *size) {
  const through *p = find(program);
  if (!p || p->module || what != CL_PROGRAM_BUILD_LOG)
    return REAL(clGetProgramBuildInfo)(built(program), device, what, room, to, size);
  if (size) *size = strlen(p->log) + 1;
  if (to) snprintf(to, room, "%s", p->log);
  return CL_SUCCESS;
}

cl_int clReleaseProgram(cl_program program) {
  pthread_mutex_lock(&lock);
  through **at = &programs;
  while (*at && (*at)->program != program) at = &(*at)->next;
  through *p = *at;
  if (p) *at = p->next;
  pthread_mutex_unlock(&lock);
  if (p && p->module) REAL(clReleaseProgram)(p->module);
  if (p) free(p->source);
  free(p);
  return REAL(clReleaseProgram)(program);
}
