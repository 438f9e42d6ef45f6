/* All of Fovea's public API, its version, and the rule on threads.
 *
 * Threads. Any number of threads may call the library at once, the first time in a process too.
 *
 * - A device may be shared: calls on it, and on the networks and autoencoders made on it, wait for each other, each a
 *   lock long. Threads that are to work at once each open a device of their own, which may be the same hardware; they
 *   then share nothing but the compute units.
 * - A network or an autoencoder is one thread's at a time. Calls of two on the same one do no damage, and each is done
 *   as a whole, but what one thread does in several (an evaluation and the reading of its result; an epoch, or any
 *   other call on an autoencoder, which is several on its network) may find the other's between.
 * - Nothing is used by one thread while another destroys or closes it.
 * - A graph is built by one thread; once a network is made of it, it is frozen, and any number may use it. Tables,
 *   designs, fits, data sets and safetensors files are only read by what takes them as const, and then any number may.
 * - A listener or a function that the caller gave runs in the thread of the call that runs it, which may hold the
 *   device's lock: it may call the library, but not wait for another thread that does so with this device.
 * - fovea_error_message is each thread's own.
 * - A program whose threads call OpenCL without this library as well makes its first such call itself, before they
 *   start. The environment is read while a device is opened and a network made; nobody may change it (setenv) at that
 *   time. */
#ifndef FOVEA_FOVEA_H
#define FOVEA_FOVEA_H

#include "fovea/augment.h"
#include "fovea/data.h"
#include "fovea/device.h"
#include "fovea/export.h"
#include "fovea/graph.h"
#include "fovea/network.h"
#include "fovea/onnx.h"
#include "fovea/ranks.h"
#include "fovea/safetensors.h"
#include "fovea/stats.h"
#include "fovea/status.h"
#include "fovea/vae.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers; CMake reads it here. MAJOR is that of the library's SONAME. */
#define FOVEA_VERSION_MAJOR 0
#define FOVEA_VERSION_MINOR 1
#define FOVEA_VERSION_PATCH 0
#define FOVEA_VERSION "0.1.0"

/* The version of the library that the program runs with, FOVEA_VERSION when it was built: "0.1.0". */
FOVEA_API const char *fovea_version(void);

#ifdef __cplusplus
}
#endif
#endif
