/* The one place through which a process's first OpenCL call goes. */
#ifndef FOVEA_RUNTIME_FIRST_CALL_H
#define FOVEA_RUNTIME_FIRST_CALL_H

#include "fovea/status.h"

/* Every OpenCL call that may be a process's first, and what devices share, stands between these two: one thread at a
 * time is there. Loaders of drivers (ocl-icd 2.3) and drivers (PoCL 3.1) find their parts in the first call without a
 * lock of their own. Not to be nested. With another status than FOVEA_OK, fovea_opencl_end is not to be called. */
fovea_status fovea_opencl_begin(void);
void fovea_opencl_end(void);

#endif
