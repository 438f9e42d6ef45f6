/* Status codes, the sentence that goes with them, and what holds for the arguments of every function.
 *
 * Arguments are checked: where one must not be NULL and is, where a number, a size or the value of an enum is out of
 * its range, and where a rate or weight is NaN or infinite, the function does nothing and returns FOVEA_INVALID, and
 * the message says which argument of what. "May be NULL" stands where it is so. A function that returns no status
 * answers such a call harmlessly: destroy, close and free do nothing, a count or a size is 0, a pointer is NULL, a bool
 * is false, fovea_add_... returns -1, and where the answer is another one its comment says so.
 *
 * What cannot be seen is not promised: a pointer to nothing or to what was destroyed, an array shorter than told, an
 * index into the caller's images, a tensor's number taken from another graph. The numbers in arrays of floats may be
 * any. */
#ifndef FOVEA_STATUS_H
#define FOVEA_STATUS_H

#include "fovea/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a Fovea function returns. The numbers are the command's exit codes. After any status but FOVEA_OK the
 * out-parameters are as they were before the call, unless a function says otherwise. */
typedef enum fovea_status {
  FOVEA_OK = 0,
  FOVEA_MISMATCH = 1,  /* a check or a comparison failed, or training met a NaN or an infinity */
  FOVEA_INVALID = 2,   /* bad usage, or input that is not what it must be */
  FOVEA_DEVICE = 3,    /* no usable OpenCL device, or it failed */
  FOVEA_NO_MEMORY = 4, /* host or device memory ran out, or would */
  FOVEA_IO = 5         /* a file could not be read or written */
} fovea_status;

/* The sentence of this thread's last failure: what, where, with which value, and what to do. Never NULL; empty
 * before the first failure. Valid until the thread's next failing call. */
FOVEA_API const char *fovea_error_message(void);

#ifdef __cplusplus
}
#endif
#endif
