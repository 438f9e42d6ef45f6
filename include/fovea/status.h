/* Status codes, the sentence that goes with them, what holds for the arguments of every function, and who frees what.
 *
 * Arguments are checked: where one must not be NULL and is, where a number, a size or the value of an enum is out of
 * its range, and where a rate or weight is NaN or infinite, the function does nothing and returns FOVEA_INVALID, and
 * the message says which argument of what. "May be NULL" stands where it is so. A function that returns no status
 * answers such a call harmlessly: destroy, close and free do nothing, a count or a size is 0, a pointer is NULL, a bool
 * is false, fovea_add_... returns -1, and where the answer is another one its comment says so.
 *
 * What cannot be seen is not promised: a pointer to nothing or to what was destroyed, an array shorter than told, an
 * index into the caller's images, a tensor's number taken from another graph. The numbers in arrays of floats may be
 * any.
 *
 * Ownership. An object is ended by the function of its type that undoes what made it: what was opened is closed, every
 * other is destroyed (fovea_..._close, fovea_..._destroy). Memory that is no object, an array or a text that a function
 * makes for its caller, is ended by fovea_free and not by free(), which may be another allocator's. All of them take
 * NULL. What is borrowed says so, and nobody frees it.
 *
 * Callbacks. Each gets the `user` that was given with it, which the library hands over and never looks at. */
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

/* Frees an array or a text that the library made for its caller. Takes NULL. */
FOVEA_API void fovea_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif
