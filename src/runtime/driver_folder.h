/* The folder in which a driver may keep what it compiles: private to the process, empty at its beginning, removed at
 * its end. So whatever the driver finds there it has compiled itself, or got from the cache (cache.h), which verifies.
 */
#ifndef FOVEA_RUNTIME_DRIVER_FOLDER_H
#define FOVEA_RUNTIME_DRIVER_FOLDER_H

#include <stdbool.h>

/* To be called before the process's first OpenCL call: removes the folders of dead processes, reads their logs for the
 * cause, and makes this one's, mode 0700, in the first of /dev/shm, $TMPDIR, /tmp and the cache's folder that has room
 * and lets code be run. It cannot fail: without a folder a driver that needs one has none. Does nothing when called
 * again, and nothing where the user has set POCL_CACHE_DIR. */
void fovea_driver_folder_make(void);

/* Between offer and withdraw POCL_CACHE_DIR names the folder: PoCL, the only driver known to read it, does so once,
 * when it is first asked for its devices. Withdrawn, so that child processes do not take it for their user's. Both do
 * nothing where the user has set it. */
void fovea_driver_folder_offer(void);
void fovea_driver_folder_withdraw(void);

/* "" where there is none. */
const char *fovea_driver_folder(void);

/* Why there is none: "/tmp/fovea-1000: Permission denied; ...", or why the user's is of no use; "" where there is no
 * such reason. */
const char *fovea_driver_folder_refusals(void);

/* Whether a driver keeps files there: then it compiles kernels apart from programs, and a program's binary grows. */
bool fovea_driver_folder_used(void);

/* Marks for the next process. The driver begins to read the cache's file `path`, which is false where
 * that could not be marked; it has read it, after true. */
bool fovea_driver_folder_reading(const char *path);
void fovea_driver_folder_read(void);

/* Logs that the process dies in the driver, perhaps (or perhaps not) by the code that it read. Async-signal-safe. */
void fovea_driver_folder_died(bool by_the_code);

/* A sentence about files that were set aside, since a process died with them; NULL: none. Once: then NULL. */
const char *fovea_driver_folder_note(void);

#endif
