/* The environment's variables, all of them, and what each may be. Nothing else of the library or the command reads one
 * that is not in this table. */
#ifndef FOVEA_BASE_ENVIRONMENT_H
#define FOVEA_BASE_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

typedef enum fovea_variable_kind {
  FOVEA_VARIABLE_CHOICE,   /* one of `values`, "1|2|shards" */
  FOVEA_VARIABLE_SECONDS,  /* since 1970, to the end of the year 9999 */
  FOVEA_VARIABLE_ABSOLUTE, /* a path from the root; what is there is looked at when it is used */
  FOVEA_VARIABLE_KERNELS,  /* a folder that holds OpenCL C */
  FOVEA_VARIABLE_ANY
} fovea_variable_kind;

/* Who reads it, and refuses a value that is not allowed. */
typedef enum fovea_variable_reader {
  FOVEA_READ_BY_DEVICES, /* fovea_device_open and fovea_network_create */
  FOVEA_READ_BY_CACHE,   /* the same two, unless fovea_cache_set_folder was called */
  FOVEA_READ_BY_SUMMARIES,
  FOVEA_READ_ELSEWHERE, /* not by the library: by the command, a script, a test */
  FOVEA_READ_BY_ANY
} fovea_variable_reader;

typedef struct fovea_variable {
  const char *name;
  fovea_variable_kind kind;
  fovea_variable_reader reader;
  const char *values; /* as help shows them */
  const char *help;
} fovea_variable;

/* NULL past the last. */
const fovea_variable *fovea_environment_variable(size_t index);

/* The value; NULL where it is not set or empty, which is the same. */
const char *fovea_environment(const char *name);

/* FOVEA_INVALID, with the name, the value and what is allowed, for the first variable of that reader whose value is not
 * allowed. */
fovea_status fovea_environment_check(fovea_variable_reader reader);

#endif
