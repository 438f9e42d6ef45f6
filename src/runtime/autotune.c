#include "runtime/autotune.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "runtime/cache.h"
#include "runtime/kernels.h"
#include "runtime/source.h"

enum { FORMAT = 1, MAX_ENTRIES = 4096, MAX_FILE = 1 << 20, MAX_VALUE = 65536, MAX_PATH = 4096 };

typedef struct entry {
  char key[FOVEA_TILE_KEY];
  fovea_tile tile;
} entry;

typedef struct entry_list {
  entry *entries;
  int count;
} entry_list;

struct fovea_autotuned {
  entry_list measured;
  bool recording_requests;
  int forced;
  fovea_autotune_request *requests;
  int request_count;
};

/* --- tiles ---------------------------------------------------------------------------------------------------------
 */

static const struct {
  const char *name;
  size_t offset;
} fields[] = {{"vector", offsetof(fovea_tile, vector)}, {"filters", offsetof(fovea_tile, filters)},
              {"pixels", offsetof(fovea_tile, pixels)}, {"channels", offsetof(fovea_tile, channels)},
              {"group", offsetof(fovea_tile, group)},   {"local", offsetof(fovea_tile, local)}};

enum { FIELDS = sizeof fields / sizeof *fields };

static int *field_of(fovea_tile *tile, int field) { return (int *)(void *)((char *)tile + fields[field].offset); }

static bool equal(fovea_tile a, fovea_tile b) {
  for (int i = 0; i < FIELDS; i++)
    if (*field_of(&a, i) != *field_of(&b, i)) return false;
  return true;
}

static bool has(const fovea_tile_list *list, fovea_tile tile) {
  for (int i = 0; i < list->count; i++)
    if (equal(list->tiles[i], tile)) return true;
  return false;
}

void fovea_tile_add(fovea_tile_list *list, fovea_tile tile) {
  if (list->count < FOVEA_MAX_TILES && !has(list, tile)) list->tiles[list->count++] = tile;
}

const char *fovea_tile_text(const fovea_tile *tile, char *text, size_t size) {
  fovea_tile t = *tile;
  size_t used = 0;
  text[0] = '\0';
  for (int i = 0; i < FIELDS && used < size; i++) {
    const int value = *field_of(&t, i);
    if (value == 0) continue;
    used += (size_t)snprintf(text + used, size - used, "%s%s %d", used ? ", " : "", fields[i].name, value);
  }
  return text;
}

/* --- what was measured, in memory ----------------------------------------------------------------------------------
 */

static entry *find(const entry_list *list, const char *key) {
  for (int i = 0; i < list->count; i++)
    if (strcmp(list->entries[i].key, key) == 0) return &list->entries[i];
  return NULL;
}

static fovea_status put(entry_list *list, const char *key, fovea_tile tile) {
  entry *e = find(list, key);
  if (e) {
    e->tile = tile;
    return FOVEA_OK;
  }
  if (strlen(key) >= FOVEA_TILE_KEY || list->count == MAX_ENTRIES)
    return fovea_fail(FOVEA_INVALID, "tuning: '%.100s' is too long, or there are %d already", key, list->count);
  entry *more = realloc(list->entries, (size_t)(list->count + 1) * sizeof *more);
  if (!more) return fovea_fail(FOVEA_NO_MEMORY, "tuning: host memory ran out");
  list->entries = more;
  e = &more[list->count++];
  snprintf(e->key, sizeof e->key, "%s", key);
  e->tile = tile;
  return FOVEA_OK;
}

static void take_out(entry_list *list, const char *key) {
  entry *e = find(list, key);
  if (e && list->entries) *e = list->entries[--list->count];
}

/* --- the file ------------------------------------------------------------------------------------------------------
 */

static void hash_text(XXH64_state_t *hash, const char *text) { XXH64_update(hash, text, strlen(text) + 1); }

static uint64_t hash_of(const fovea_device_info *device) {
  const char *const environment[] = {fovea_environment("FOVEA_VECTOR"), fovea_environment("POCL_WORK_GROUP_METHOD")};
  XXH64_state_t hash;
  XXH64_reset(&hash, FORMAT);
  hash_text(&hash, device->platform);
  hash_text(&hash, device->name);
  hash_text(&hash, device->vendor);
  hash_text(&hash, device->driver);
  hash_text(&hash, device->version);
  XXH64_update(&hash, &device->compute_units, sizeof device->compute_units);
  for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
    hash_text(&hash, environment[i] ? environment[i] : "");
  for (const fovea_kernel_file *k = fovea_kernel_files; k->name; k++) {
    char *text = NULL;
    if (fovea_source_read(k->name, &text) == FOVEA_OK) hash_text(&hash, text);
    free(text);
  }
  return XXH64_digest(&hash);
}

static bool file_path(uint64_t hash, char *path, size_t size) {
  char folder[MAX_PATH];
  if (!fovea_cache_directory(folder, sizeof folder)) return false;
  int n = snprintf(path, size, "%s/tuning-%016" PRIx64 ".json", folder, hash);
  return n > 0 && (size_t)n < size;
}

bool fovea_autotune_path(const fovea_device_info *device, char *path, size_t size) {
  return file_path(hash_of(device), path, size);
}

/* False for anything but an object of known names and small numbers. */
static bool parse_tile(const json_t *object, fovea_tile *tile) {
  size_t known = 0;
  *tile = (fovea_tile){0};
  for (int i = 0; i < FIELDS; i++) {
    const json_t *value = json_object_get(object, fields[i].name);
    if (!value) continue;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > MAX_VALUE) return false;
    *field_of(tile, i) = (int)json_integer_value(value);
    known++;
  }
  return known > 0 && known == json_object_size(object);
}

static void parse(const char *text, size_t size, uint64_t hash, entry_list *list) {
  json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
  const char *stored = json_string_value(json_object_get(root, "hash")), *key = NULL;
  char expected[17];
  snprintf(expected, sizeof expected, "%016" PRIx64, hash);
  json_t *value = NULL;
  if (stored && strcmp(stored, expected) == 0) {
    json_object_foreach(json_object_get(root, "tiles"), key, value) {
      fovea_tile tile;
      if (parse_tile(value, &tile)) (void)put(list, key, tile);
    }
  }
  json_decref(root);
}

/* Best effort, like the cache of programs: whatever fails leaves the list as it is, and the ops choose themselves. */
static void load(const fovea_device_info *device, entry_list *list) {
  const char *switched = fovea_environment("FOVEA_TUNING");
  char path[MAX_PATH];
  uint8_t *text = NULL;
  size_t size = 0;
  if (switched && strcmp(switched, "off") == 0) return;
  const uint64_t hash = hash_of(device);
  if (!file_path(hash, path, sizeof path)) return;
  if (fovea_file_read(path, MAX_FILE, &text, &size) == FOVEA_OK) parse((const char *)text, size, hash, list);
  free(text);
}

int fovea_autotune_stored(const fovea_device_info *device) {
  entry_list list = {0};
  load(device, &list);
  free(list.entries);
  return list.count;
}

static json_t *tile_json(fovea_tile tile) {
  json_t *object = json_object();
  for (int i = 0; i < FIELDS; i++)
    if (*field_of(&tile, i) != 0) json_object_set_new(object, fields[i].name, json_integer(*field_of(&tile, i)));
  return object;
}

static char *print(const fovea_device_info *device, const entry_list *list) {
  char hash[17];
  snprintf(hash, sizeof hash, "%016" PRIx64, hash_of(device));
  json_t *tiles = json_object();
  for (int i = 0; i < list->count; i++)
    json_object_set_new(tiles, list->entries[i].key, tile_json(list->entries[i].tile));
  json_t *root = json_pack("{s:s, s:o}", "hash", hash, "tiles", tiles);
  json_object_set_new(root, "device", json_string(device->name)); /* left out where the name is not UTF-8 */
  char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
  json_decref(root);
  return text;
}

/* --- the device's --------------------------------------------------------------------------------------------------
 */

/* NULL without memory. */
static fovea_autotuned *autotuned_of(fovea_device *device) {
  if (!device->autotuned) {
    device->autotuned = calloc(1, sizeof *device->autotuned);
    if (device->autotuned) load(&device->info, &device->autotuned->measured);
  }
  return device->autotuned;
}

void fovea_autotune_destroy(fovea_autotuned *autotuned) {
  if (!autotuned) return;
  free(autotuned->measured.entries);
  free(autotuned->requests);
  free(autotuned);
}

fovea_status fovea_autotune_set(fovea_device *device, const char *key, const fovea_tile *tile) {
  fovea_autotuned *t = autotuned_of(device);
  if (!t) return fovea_fail(FOVEA_NO_MEMORY, "tuning: host memory ran out");
  if (tile) return put(&t->measured, key, *tile);
  take_out(&t->measured, key);
  return FOVEA_OK;
}

fovea_status fovea_autotune_store(fovea_device *device) {
  const fovea_autotuned *t = autotuned_of(device);
  char folder[MAX_PATH], path[MAX_PATH];
  if (!t) return fovea_fail(FOVEA_NO_MEMORY, "tuning: host memory ran out");
  if (!fovea_cache_directory(folder, sizeof folder) || !fovea_autotune_path(&device->info, path, sizeof path))
    return fovea_fail(FOVEA_IO, "tuning: no folder for the cache: %s", fovea_cache_why_none());
  fovea_status status = fovea_directory_create(folder);
  if (status != FOVEA_OK) return status;
  char *text = print(&device->info, &t->measured);
  if (!text) return fovea_fail(FOVEA_NO_MEMORY, "tuning: host memory ran out");
  status = fovea_file_write(path, text, strlen(text));
  free(text);
  return status;
}

/* --- requests -----------------------------------------------------------------------------------------------------
 */

/* 0 without memory: the key is not requested. */
static int remember(fovea_autotuned *t, const char *key, const fovea_tile_list *list) {
  for (int i = 0; i < t->request_count; i++)
    if (strcmp(t->requests[i].key, key) == 0) {
      t->requests[i].list = *list; /* shorter where a kernel's limit was found since (fovea_launch_most_items) */
      return i + 1;
    }
  fovea_autotune_request *more = realloc(t->requests, (size_t)(t->request_count + 1) * sizeof *more);
  if (!more) return 0;
  t->requests = more;
  fovea_autotune_request *q = &more[t->request_count++];
  snprintf(q->key, sizeof q->key, "%s", key);
  q->list = *list;
  return t->request_count;
}

fovea_tile fovea_autotune_choose(fovea_device *device, const char *key, const fovea_tile_list *list, int *request) {
  fovea_autotuned *t = autotuned_of(device);
  *request = 0;
  if (!t) return list->tiles[0];
  if (t->recording_requests) *request = remember(t, key, list);
  if (t->recording_requests && t->forced < FOVEA_MAX_TILES) return list->tiles[t->forced < list->count ? t->forced : 0];
  const entry *e = find(&t->measured, key);
  return e && has(list, e->tile) ? e->tile : list->tiles[0];
}

fovea_status fovea_autotune_force(fovea_device *device, int forced) {
  fovea_autotuned *t = autotuned_of(device);
  if (!t) return fovea_fail(FOVEA_NO_MEMORY, "tuning: host memory ran out");
  t->recording_requests = forced >= 0;
  t->forced = forced;
  if (!t->recording_requests) t->request_count = 0;
  return FOVEA_OK;
}

bool fovea_autotune_forces(const fovea_device *device) {
  const fovea_autotuned *t = device->autotuned;
  return t && t->recording_requests && t->forced > 0 && t->forced < FOVEA_MAX_TILES;
}

int fovea_autotune_request_count(const fovea_device *device) {
  return device->autotuned ? device->autotuned->request_count : 0;
}

const fovea_autotune_request *fovea_autotune_get_request(const fovea_device *device, int number) {
  return &device->autotuned->requests[number - 1];
}
