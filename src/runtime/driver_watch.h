/* What the process is doing inside an OpenCL driver, for whoever has to say so when it dies there. */
#ifndef FOVEA_RUNTIME_DRIVER_WATCH_H
#define FOVEA_RUNTIME_DRIVER_WATCH_H

#include <stdbool.h>

/* A clause such as "was compiling kernels", a string that stays; NULL: nothing special. Of several threads the last one
 * counts. */
void fovea_driver_does(const char *what);

/* A device was opened (1) or closed (-1): while one is open, the driver's threads may be running kernels. */
void fovea_driver_opened(int change);

/* The clause, "was compiling or running kernels" while a device is open, or NULL. Async-signal-safe. */
const char *fovea_driver_doing(void);

/* `call` is called, from then on, whenever the drivers have been asked for their devices: the first time loads them,
 * and LLVM, which drivers bring with them, then takes the signals of a crash for itself. NULL: nobody. */
void fovea_driver_when_loaded(void (*call)(void));
void fovea_driver_loaded(void);

/* Whether as much memory as a compiler may allocate at once cannot be had. PoCL 3.1 does not check the allocation of
 * its 256 MiB. Async-signal-safe. */
bool fovea_memory_is_short(void);

/* Whether no file of some KiB can be written in `folder`: it is gone, full or forbidden. Async-signal-safe. */
bool fovea_folder_is_full(const char *folder);

#endif
