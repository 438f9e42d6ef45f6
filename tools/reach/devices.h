/* Several devices of one machine: what --device may name beside a single one. */
#ifndef FOVEA_TOOLS_REACH_DEVICES_H
#define FOVEA_TOOLS_REACH_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/device.h"

enum { DEVICES_MOST = 64, DEVICES_NAME = 320 };

typedef struct devices {
  size_t count;
  size_t index[DEVICES_MOST];            /* as fovea_device_open takes it */
  char name[DEVICES_MOST][DEVICES_NAME]; /* "device 1 (NAME)" */
} devices;

/* The devices that `selector` names: "all", every usable one; a list, "0,2" or "cpu,gpu", each of them as
 * fovea_device_open takes it; or one. NULL or "" is the one that fovea_device_open takes; with `alike` all of its type,
 * for processes that share a host. FOVEA_INVALID where one is none, is not usable or is named twice, and for more than
 * DEVICES_MOST; else as fovea_device_list. */
fovea_status devices_find(const char *selector, bool alike, devices *found);

/* Leaves those that process `place` of `count` on this host takes: each count-th, or one that others take, too, where
 * there are fewer devices than processes; then it returns true. */
bool devices_divide(devices *d, size_t place, size_t count);

/* "0,2" without the one at `without`; returns text. */
const char *devices_list(const devices *d, size_t without, char *text, size_t size);

#endif
