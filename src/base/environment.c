#include "base/environment.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

static const fovea_variable variables[] = {
    {"FOVEA_BLAS", FOVEA_VARIABLE_CHOICE, FOVEA_READ_BY_DEVICES, "builtin|clblast|auto",
     "what computes dense layers' products; auto: the faster one here [builtin]"},
    {"FOVEA_CL_DIR", FOVEA_VARIABLE_KERNELS, FOVEA_READ_BY_DEVICES, "DIR",
     "a folder whose kernels are taken before the built-in ones"},
    {"FOVEA_COMMAND_BUFFER", FOVEA_VARIABLE_CHOICE, FOVEA_READ_BY_DEVICES, "on|off",
     "record a pass once and replay it, where the device can [off]"},
    {"FOVEA_QUEUES", FOVEA_VARIABLE_CHOICE, FOVEA_READ_BY_DEVICES, "1|2|shards",
     "command queues of a pass; shards: one for each part of a device that can be divided"},
    {"FOVEA_TUNING", FOVEA_VARIABLE_CHOICE, FOVEA_READ_BY_DEVICES, "on|off",
     "use the tiles that fovea bench --tune found [on]"},
    {"FOVEA_VECTOR", FOVEA_VARIABLE_CHOICE, FOVEA_READ_BY_DEVICES, "1", "take the path of a GPU on any device"},
    {"FOVEA_DEMO_OUT", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "DIR", "where samples/demo.sh writes"},
    {"FOVEA_TEST_CASE", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "NAME", "the one case that the op tests run"},
    {"FOVEA_TEST_DEVICE", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "DEVICE", "the device that the tests run on"},
    {"XDG_CACHE_HOME", FOVEA_VARIABLE_ABSOLUTE, FOVEA_READ_BY_CACHE, "/DIR",
     "compiled kernels and found tiles are kept in its folder fovea [~/.cache]"},
    {"HOME", FOVEA_VARIABLE_ABSOLUTE, FOVEA_READ_BY_CACHE, "/DIR", "the ~ of that; without either, nothing is kept"},
    {"POCL_WORK_GROUP_METHOD", FOVEA_VARIABLE_ANY, FOVEA_READ_BY_DEVICES, "METHOD",
     "how PoCL compiles; kernels are kept for each method"},
    {"POCL_CACHE_DIR", FOVEA_VARIABLE_ANY, FOVEA_READ_BY_DEVICES, "DIR",
     "PoCL's own cache, then used unchecked, instead of a private folder that goes with the process"},
    {"TMPDIR", FOVEA_VARIABLE_ABSOLUTE, FOVEA_READ_BY_DEVICES, "/DIR",
     "where that private folder is, unless there is room in /dev/shm [/tmp]"},
    {"PATH", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "DIR:DIR...",
     "where PoCL looks for the linker ld, which the command misses when compiling fails"},
    {"OCL_ICD_VENDORS", FOVEA_VARIABLE_ANY, FOVEA_READ_BY_DEVICES, "DIR",
     "where the loader of OpenCL looks for drivers"},
    {"OCL_ICD_FILENAMES", FOVEA_VARIABLE_ANY, FOVEA_READ_BY_DEVICES, "FILE", "a driver for it to add"},
    {"POCL_DEVICES", FOVEA_VARIABLE_ANY, FOVEA_READ_BY_DEVICES, "LIST", "the devices that PoCL shows"},
    {"OMPI_COMM_WORLD_SIZE", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "N",
     "set by mpirun: this process is one of N ranks"},
    {"PMI_SIZE", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "N", "the same, set by other launchers"},
    {"SLURM_STEP_NUM_TASKS", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "N", "the same, set by Slurm's srun"},
    {"TERM", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "NAME",
     "the terminal; progress is printed in lines where it is dumb or not set"},
    {"POSIXLY_CORRECT", FOVEA_VARIABLE_ANY, FOVEA_READ_ELSEWHERE, "1",
     "no option of the command stands after an operand, as POSIX has it"},
    {"SOURCE_DATE_EPOCH", FOVEA_VARIABLE_SECONDS, FOVEA_READ_BY_SUMMARIES, "SECONDS",
     "the time that fovea regress prints, since 1970 [now]"},
};
enum { VARIABLES = sizeof variables / sizeof *variables };

const fovea_variable *fovea_environment_variable(size_t index) { return index < VARIABLES ? &variables[index] : NULL; }

const char *fovea_environment(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static bool is_choice(const char *values, const char *value) {
  const size_t length = strlen(value);
  for (const char *at = values;; at++) {
    const size_t n = strcspn(at, "|");
    if (n == length && memcmp(at, value, n) == 0) return true;
    at += n;
    if (!*at) return false;
  }
}

/* The last second of the year 9999, that a date's four digits can tell. */
static bool is_seconds(const char *value) {
  static const char last[] = "253402300799";
  const size_t length = strlen(value), most = sizeof last - 1;
  if (value[strspn(value, "0123456789")]) return false;
  return length < most || (length == most && strcmp(value, last) <= 0);
}

/* Or the folder of what they include. */
static bool is_kernel_file(const char *name) {
  const char *dot = strrchr(name, '.');
  if (strcmp(name, "common") == 0) return true;
  return dot && (strcmp(dot, ".cl") == 0 || strcmp(dot, ".clh") == 0);
}

static bool has_kernels(DIR *folder) {
  bool found = false;
  for (struct dirent *entry; !found && (entry = readdir(folder));) found = is_kernel_file(entry->d_name);
  return found;
}

/* What the kernels share lies in common/, which may be all that the folder has. */
static bool has_common(const char *folder) {
  char path[4096];
  const int length = snprintf(path, sizeof path, "%s/common", folder);
  DIR *common = length > 0 && (size_t)length < sizeof path ? opendir(path) : NULL;
  const bool found = common && has_kernels(common);
  if (common) closedir(common);
  return found;
}

static fovea_status check_kernels(const fovea_variable *v, const char *value) {
  DIR *folder = opendir(value);
  if (!folder) {
    const bool not_it = errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP;
    return fovea_fail(not_it || errno == ENAMETOOLONG ? FOVEA_INVALID
                      : errno == ENOMEM               ? FOVEA_NO_MEMORY
                                                      : FOVEA_IO,
                      "%s: '%.200s' is not a folder to read kernels from: %s", v->name, value, strerror(errno));
  }
  const bool found = has_kernels(folder) || has_common(value);
  closedir(folder);
  if (found) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: the folder '%.200s' has no kernel in it, no file .cl or .clh", v->name, value);
}

static fovea_status check(const fovea_variable *v) {
  const char *value = fovea_environment(v->name);
  if (!value) return FOVEA_OK;
  switch (v->kind) {
    case FOVEA_VARIABLE_CHOICE:
      if (is_choice(v->values, value)) return FOVEA_OK;
      return fovea_fail(FOVEA_INVALID, "%s: '%.200s' is not %s%s", v->name, value,
                        strchr(v->values, '|') ? "one of " : "", v->values);
    case FOVEA_VARIABLE_SECONDS:
      if (is_seconds(value)) return FOVEA_OK;
      return fovea_fail(FOVEA_INVALID, "%s: '%.200s' is not a whole number of seconds from 0 to 253402300799", v->name,
                        value);
    case FOVEA_VARIABLE_ABSOLUTE:
      if (*value == '/') return FOVEA_OK;
      return fovea_fail(FOVEA_INVALID, "%s: '%.200s' is not an absolute path, one that begins with /", v->name, value);
    case FOVEA_VARIABLE_KERNELS:
      return check_kernels(v, value);
    case FOVEA_VARIABLE_ANY:
      break;
  }
  return FOVEA_OK;
}

fovea_status fovea_environment_check(fovea_variable_reader reader) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < VARIABLES && !status; i++)
    if (reader == FOVEA_READ_BY_ANY || variables[i].reader == reader) status = check(&variables[i]);
  return status;
}
