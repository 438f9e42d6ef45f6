/* Status codes and the sentence that goes with them. */
#ifndef FOVEA_STATUS_H
#define FOVEA_STATUS_H

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
const char *fovea_error_message(void);

#ifdef __cplusplus
}
#endif
#endif
