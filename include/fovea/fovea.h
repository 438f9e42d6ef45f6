/* All of Fovea's public API, its version, and the rule on threads.
 *
 * Threads. Any number of threads may call the library at once, the first time in a process too, under one rule: a
 * device and everything that is made on it (networks, autoencoders) is used by one thread at a time. Threads that are
 * to work at once each open a device of their own, which may be the same hardware; they then share nothing but the
 * compute units. Such an object may pass from one thread to another where the program makes the one's calls happen
 * before the other's. A graph is built by one thread; once a network is made of it, it is frozen, and any number may
 * use it. Tables, designs, fits, data sets and safetensors files are only read by what takes them as const, and then
 * any number may. fovea_error_message is each thread's own. A program whose threads call OpenCL without this library as
 * well makes its first such call itself, before they start. The environment is read while a device is opened and a
 * network made; nobody may change it (setenv) at that time. */
#ifndef FOVEA_FOVEA_H
#define FOVEA_FOVEA_H

#include "fovea/data.h"
#include "fovea/device.h"
#include "fovea/export.h"
#include "fovea/graph.h"
#include "fovea/network.h"
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
