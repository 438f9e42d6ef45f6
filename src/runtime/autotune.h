/* Autotuning. A tile is a choice of macros and work-group size that fits a kernel to a device's registers and caches.
 * An op lists the tiles that are legal at a shape, its default first. `fovea bench --tune` measures them on this
 * device; the fastest is kept in the cache and used from then on. No tile changes a bit of a result. */
#ifndef FOVEA_RUNTIME_AUTOTUNE_H
#define FOVEA_RUNTIME_AUTOTUNE_H

#include "runtime/device.h"

/* Each op uses some of these and leaves the others 0. */
typedef struct fovea_tile {
  int vector;   /* images a work-item */
  int filters;  /* output channels a work-item */
  int pixels;   /* output pixels at a time */
  int channels; /* input channels at a time */
  int group;    /* tiles a work-item, one after the other; winograd_tiled.cl: tiles of filters a work-group */
  int local;    /* the most work-items of a work-group along the batch; 0: tuning.group */
} fovea_tile;

enum { FOVEA_MAX_TILES = 64, FOVEA_TILE_KEY = 96 };

typedef struct fovea_tile_list {
  fovea_tile tiles[FOVEA_MAX_TILES];
  int count;
} fovea_tile_list;

/* Appends a tile, unless the list has it or is full. */
void fovea_tile_add(fovea_tile_list *list, fovea_tile tile);

/* "vector 16, filters 5": what is not 0. Returns text. */
const char *fovea_tile_text(const fovea_tile *tile, char *text, size_t size);

/* The tile to use for `key`, which names the kernel and the shape: the measured one where the list has it, else the
 * list's first. *request: the number of this key in a recording of requests, from 1; 0 outside of one. */
fovea_tile fovea_autotune_choose(fovea_device *device, const char *key, const fovea_tile_list *list, int *request);

/* --- what was measured ---------------------------------------------------------------------------------------------
 */

/* $XDG_CACHE_HOME/fovea/tuning-HASH.json, else under ~/.cache; the hash is of what the device says of itself, of the
 * environment that changes its code, and of the kernels' sources. False: there is no such folder. */
bool fovea_autotune_path(const fovea_device_info *device, char *path, size_t size);

/* How many shapes have a measured tile: 0 with the environment's FOVEA_TUNING=off and wherever the file is missing or
 * not what was stored. */
int fovea_autotune_stored(const fovea_device_info *device);

/* Takes `tile` for `key` from now on; NULL: the op's own choice. FOVEA_NO_MEMORY, FOVEA_INVALID for too many. */
fovea_status fovea_autotune_set(fovea_device *device, const char *key, const fovea_tile *tile);

/* Writes all of them: to a temporary name, then renamed. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_autotune_store(fovea_device *device);

void fovea_autotune_destroy(fovea_autotuned *autotuned); /* takes NULL */

/* --- a recording of requests: which shapes does a network have? --------------------------------------------------- */

typedef struct fovea_autotune_request {
  char key[FOVEA_TILE_KEY];
  fovea_tile_list list;
} fovea_autotune_request;

/* Begins a recording of requests: every key that an op requests is numbered and answered with tile `forced` of its
 * list, or the first where the list is shorter; measured tiles are not used, unless `forced` is FOVEA_MAX_TILES.
 * Negative: ends the recording and forgets its requests. */
fovea_status fovea_autotune_force(fovea_device *device, int forced);

/* Whether a tile other than each list's first is forced. */
bool fovea_autotune_forces(const fovea_device *device);

/* Number 1 to the count; borrowed until the next request. */
int fovea_autotune_request_count(const fovea_device *device);
const fovea_autotune_request *fovea_autotune_get_request(const fovea_device *device, int number);

#endif
