#include "runtime/enumerate.h"

#include <CL/cl_ext.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/environment.h"
#include "base/fail.h"
#include "runtime/device.h"
#include "runtime/driver_folder.h"
#include "runtime/driver_watch.h"
#include "runtime/first_call.h"

#define INSTALL_A_DRIVER "install a driver, e.g. Debian's pocl-opencl-icd for a CPU (apt install pocl-opencl-icd)"

/* Text that a driver gives may be padded (Intel's names) or longer than our field: both are cut. */
static void tidy(char *text) {
  size_t skip = strspn(text, " \t");
  memmove(text, text + skip, strlen(text + skip) + 1);
  size_t length = strlen(text);
  while (length > 0 && isspace((unsigned char)text[length - 1])) text[--length] = '\0';
}

static void copy_text(char *to, size_t size, const char *from) {
  snprintf(to, size, "%s", from);
  tidy(to);
}

static void platform_text(cl_platform_id platform, cl_platform_info what, char *text, size_t size) {
  char full[4096] = "";
  if (clGetPlatformInfo(platform, what, sizeof full - 1, full, NULL) != CL_SUCCESS) full[0] = '\0';
  copy_text(text, size, full);
}

static void device_text(cl_device_id id, cl_device_info what, char *text, size_t size) {
  char full[4096] = "";
  if (clGetDeviceInfo(id, what, sizeof full - 1, full, NULL) != CL_SUCCESS) full[0] = '\0';
  copy_text(text, size, full);
}

/* A driver that does not know a property leaves the fallback. */
static cl_ulong device_ulong(cl_device_id id, cl_device_info what, cl_ulong fallback) {
  cl_ulong value = 0;
  return clGetDeviceInfo(id, what, sizeof value, &value, NULL) == CL_SUCCESS ? value : fallback;
}

static cl_uint device_uint(cl_device_id id, cl_device_info what, cl_uint fallback) {
  cl_uint value = 0;
  return clGetDeviceInfo(id, what, sizeof value, &value, NULL) == CL_SUCCESS ? value : fallback;
}

static size_t device_size(cl_device_id id, cl_device_info what, size_t fallback) {
  size_t value = 0;
  return clGetDeviceInfo(id, what, sizeof value, &value, NULL) == CL_SUCCESS ? value : fallback;
}

static fovea_device_type device_type(cl_device_id id) {
  cl_ulong type = device_ulong(id, CL_DEVICE_TYPE, 0);
  if (type & CL_DEVICE_TYPE_GPU) return FOVEA_DEVICE_GPU;
  if (type & CL_DEVICE_TYPE_CPU) return FOVEA_DEVICE_CPU;
  if (type & CL_DEVICE_TYPE_ACCELERATOR) return FOVEA_DEVICE_ACCELERATOR;
  return FOVEA_DEVICE_OTHER;
}

/* Sets usable, or else why_not. Capabilities are asked; vendors are not listed. */
static void judge(cl_device_id id, fovea_device_info *info) {
  unsigned major = 0, minor = 0;
  bool has_version = sscanf(info->version, "OpenCL %u.%u", &major, &minor) == 2;
  char *why = info->why_not;
  size_t size = sizeof info->why_not;
  if (!device_uint(id, CL_DEVICE_AVAILABLE, CL_FALSE)) {
    snprintf(why, size, "is not available");
  } else if (!has_version) {
    snprintf(why, size, "does not say which OpenCL version it supports");
  } else if (major < 1 || (major == 1 && minor < 2)) {
    snprintf(why, size, "supports only OpenCL %u.%u, 1.2 is needed", major, minor);
  } else if (!device_uint(id, CL_DEVICE_COMPILER_AVAILABLE, CL_FALSE)) {
    snprintf(why, size, "has no online compiler");
  } else if (!device_uint(id, CL_DEVICE_ENDIAN_LITTLE, CL_FALSE)) {
    snprintf(why, size, "is big-endian");
  } else if (!(device_ulong(id, CL_DEVICE_SINGLE_FP_CONFIG, 0) & CL_FP_ROUND_TO_NEAREST)) {
    snprintf(why, size, "does not round 32-bit floats to nearest");
  } else if (info->max_work_group_size == 0 || info->max_allocation == 0 || info->global_memory == 0) {
    snprintf(why, size, "reports a limit of 0 (work-group size, buffer size or memory)");
  } else {
    info->usable = true;
  }
}

static void describe(cl_platform_id platform, cl_device_id id, fovea_device_info *info) {
  platform_text(platform, CL_PLATFORM_NAME, info->platform, sizeof info->platform);
  device_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
  device_text(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
  device_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
  device_text(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
  info->type = device_type(id);
  info->compute_units = device_uint(id, CL_DEVICE_MAX_COMPUTE_UNITS, 0);
  info->clock_mhz = device_uint(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, 0);
  info->native_float_width = device_uint(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, 1);
  info->global_memory = device_ulong(id, CL_DEVICE_GLOBAL_MEM_SIZE, 0);
  info->max_allocation = device_ulong(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, 0);
  info->local_memory = device_ulong(id, CL_DEVICE_LOCAL_MEM_SIZE, 0);
  info->max_work_group_size = device_size(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, 0);
  info->unified_memory = device_uint(id, CL_DEVICE_HOST_UNIFIED_MEMORY, CL_FALSE);
  cl_ulong fp = device_ulong(id, CL_DEVICE_SINGLE_FP_CONFIG, 0);
  info->correctly_rounded_divide_sqrt = (fp & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
  info->denormals = (fp & CL_FP_DENORM) != 0;
  info->fma = (fp & CL_FP_FMA) != 0;
  judge(id, info);
}

/* Appends the devices of one platform. One that cannot list its devices is passed over, since the others may work; its
 * error is left in *error, CL_SUCCESS where it only has none. */
static fovea_status add_platform(cl_platform_id platform, fovea_found **found, size_t *count, cl_int *error) {
  cl_uint n = 0;
  *error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &n);
  if (*error == CL_DEVICE_NOT_FOUND) *error = CL_SUCCESS;
  if (*error != CL_SUCCESS || n == 0) return FOVEA_OK;
  fovea_status status = FOVEA_OK;
  fovea_found *more = NULL;
  cl_device_id *ids = calloc(n, sizeof *ids);
  if (ids) more = realloc(*found, (*count + n) * sizeof *more);
  if (!more) {
    status = fovea_fail(FOVEA_NO_MEMORY, "out of memory while listing the OpenCL devices");
    goto done;
  }
  *found = more;
  *error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, n, ids, NULL);
  if (*error != CL_SUCCESS) goto done;
  memset(more + *count, 0, n * sizeof *more);
  for (cl_uint i = 0; i < n; i++) {
    fovea_found *one = &more[*count];
    one->platform = platform;
    one->id = ids[i];
    describe(platform, ids[i], &one->info);
    one->info.index = (*count)++;
  }
done:
  free(ids);
  return status;
}

/* The first variable that is set of those by which loaders and PoCL hide what is installed; NULL: none. */
static const char *hiding_variable(const char **value) {
  if ((*value = fovea_environment("OCL_ICD_VENDORS"))) return "OCL_ICD_VENDORS";
  if ((*value = fovea_environment("OCL_ICD_FILENAMES"))) return "OCL_ICD_FILENAMES";
  if ((*value = getenv("POCL_DEVICES"))) return "POCL_DEVICES"; /* empty, it hides all */
  return NULL;
}

/* Why there is nothing to list, which loaders and drivers do not say: a missing folder for the driver before a missing
 * driver. */
static fovea_status none_found(const char *what) {
  const char *refusals = fovea_driver_folder_refusals();
  if (fovea_memory_is_short())
    return fovea_fail(FOVEA_NO_MEMORY,
                      "%s, and there are less than 512 MiB of memory for a driver: raise the limit (ulimit -v)", what);
  if (refusals[0])
    return fovea_fail(FOVEA_IO,
                      "%s, and a driver has nowhere to compile (%s): unset POCL_CACHE_DIR, or set TMPDIR to a folder "
                      "that can be written",
                      what, refusals);
  const char *value = NULL, *variable = hiding_variable(&value);
  if (variable)
    return fovea_fail(FOVEA_DEVICE, "%s: %s is '%.200s', which says where to look; unset it, or " INSTALL_A_DRIVER,
                      what, variable, value);
  return fovea_fail(FOVEA_DEVICE, "%s: " INSTALL_A_DRIVER, what);
}

static fovea_status enumerate(fovea_found **found, size_t *count) {
  cl_uint platforms = 0;
  cl_platform_id *ids = NULL;
  fovea_found *all = NULL;
  size_t n = 0;
  fovea_status status = FOVEA_OK;

  cl_int error = clGetPlatformIDs(0, NULL, &platforms);
  if (error == CL_PLATFORM_NOT_FOUND_KHR || (error == CL_SUCCESS && platforms == 0)) {
    return none_found("no OpenCL platform found");
  }
  if (error == CL_SUCCESS) {
    ids = calloc(platforms, sizeof *ids);
    error = ids ? clGetPlatformIDs(platforms, ids, NULL) : CL_OUT_OF_HOST_MEMORY;
  }
  if (error != CL_SUCCESS) {
    status = fovea_fail(fovea_cl_status(error), "cannot list the OpenCL platforms: %s", fovea_cl_error_name(error));
    goto done;
  }
  for (cl_uint i = 0; i < platforms; i++) {
    cl_int one = CL_SUCCESS;
    status = add_platform(ids[i], &all, &n, &one);
    if (status) goto done;
    if (error == CL_SUCCESS) error = one;
  }
  if (n == 0) {
    char what[128];
    snprintf(what, sizeof what, "no OpenCL device found on %u platform(s)%s%s", (unsigned)platforms,
             error == CL_SUCCESS ? "" : ", one of which cannot list its own: ",
             error == CL_SUCCESS ? "" : fovea_cl_error_name(error));
    const bool memory = fovea_cl_status(error) == FOVEA_NO_MEMORY;
    status = memory ? fovea_fail(FOVEA_NO_MEMORY, "%s: memory ran out", what) : none_found(what);
    goto done;
  }
  *found = all;
  *count = n;
  all = NULL;
done:
  free(all);
  free(ids);
  return status;
}

fovea_status fovea_enumerate(fovea_found **found, size_t *count) {
  static bool listed; /* the drivers have been asked, and have looked where their folder is */
  fovea_status status = fovea_opencl_begin();
  if (status) return status;
  fovea_driver_does("was looking for devices");
  if (!listed) fovea_driver_folder_offer();
  status = enumerate(found, count);
  if (!listed) fovea_driver_folder_withdraw();
  listed |= status == FOVEA_OK;
  fovea_driver_loaded();
  fovea_driver_does(NULL);
  fovea_opencl_end();
  return status;
}

fovea_status fovea_device_list(fovea_device_info **list, size_t *count) {
  if (!list) return fovea_fail_null("list");
  if (!count) return fovea_fail_null("count");
  fovea_found *found = NULL;
  size_t n = 0;
  *list = NULL;
  *count = 0;
  fovea_status status = fovea_enumerate(&found, &n);
  if (status) return status;
  fovea_device_info *infos = calloc(n, sizeof *infos);
  if (infos) {
    for (size_t i = 0; i < n; i++) infos[i] = found[i].info;
    *list = infos;
    *count = n;
  } else {
    status = fovea_fail(FOVEA_NO_MEMORY, "out of memory while listing the OpenCL devices");
  }
  free(found);
  return status;
}

/* --- selection ----------------------------------------------------------------------------------------------- */

/* strcasestr, which POSIX does not have. */
static bool contains_nocase(const char *text, const char *part) {
  size_t length = strlen(part);
  for (; *text; text++) {
    size_t i = 0;
    while (i < length && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) i++;
    if (i == length) return true;
  }
  return false;
}

static bool is_index(const char *selector) { return *selector && selector[strspn(selector, "0123456789")] == '\0'; }

static bool matches(const fovea_device_info *info, const char *selector) {
  if (!*selector) return true;
  if (is_index(selector)) {
    char index[32];
    selector += strspn(selector, "0");
    snprintf(index, sizeof index, "%zu", info->index);
    return strcmp(*selector ? selector : "0", index) == 0;
  }
  if (strcasecmp(selector, "cpu") == 0) return info->type == FOVEA_DEVICE_CPU;
  if (strcasecmp(selector, "gpu") == 0) return info->type == FOVEA_DEVICE_GPU;
  return contains_nocase(info->name, selector) || contains_nocase(info->vendor, selector);
}

/* Whether a is to be preferred to b: a GPU to a CPU to the rest, a discrete one to one that shares the host's
 * memory, then the faster; of equals the first listed. */
static bool better(const fovea_device_info *a, const fovea_device_info *b) {
  static const int rank[] = {
      [FOVEA_DEVICE_GPU] = 3, [FOVEA_DEVICE_CPU] = 2, [FOVEA_DEVICE_ACCELERATOR] = 1, [FOVEA_DEVICE_OTHER] = 0};
  if (a->type != b->type) return rank[a->type] > rank[b->type];
  if (a->unified_memory != b->unified_memory) return !a->unified_memory;
  return (uint64_t)a->compute_units * a->clock_mhz > (uint64_t)b->compute_units * b->clock_mhz;
}

/* Appends "0 (name), 1 (name: why not)", cut where the text is full. */
static void list_names(const fovea_found *found, size_t count, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < count && used < size; i++) {
    const fovea_device_info *info = &found[i].info;
    int n = snprintf(text + used, size - used, "%s%zu (%s%s%s)", i ? ", " : "", info->index, info->name,
                     info->usable ? "" : ": ", info->usable ? "" : info->why_not);
    if (n < 0) return;
    used += (size_t)n;
  }
}

fovea_status fovea_select(const fovea_found *found, size_t count, const char *selector, size_t *chosen) {
  const fovea_device_info *best = NULL, *unusable = NULL;
  if (!selector) selector = "";
  for (size_t i = 0; i < count; i++) {
    const fovea_device_info *info = &found[i].info;
    if (!matches(info, selector)) continue;
    if (!info->usable) {
      if (!unusable) unusable = info;
    } else if (!best || better(info, best)) {
      best = info;
    }
  }
  if (best) {
    *chosen = best->index;
    return FOVEA_OK;
  }
  char names[1024];
  list_names(found, count, names, sizeof names);
  if (!*selector) return fovea_fail(FOVEA_DEVICE, "no usable OpenCL device; there are: %s", names);
  if (!unusable) return fovea_fail(FOVEA_INVALID, "no device matches '%.100s'; there are: %s", selector, names);
  return fovea_fail(FOVEA_INVALID, "device %zu (%s) %s; there are: %s", unusable->index, unusable->name,
                    unusable->why_not, names);
}
