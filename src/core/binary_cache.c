#include "core/binary_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/xxh64.h"

enum { MAX_PATH = 4096, MAX_BINARY = 256 << 20 };

/* What a cache file begins with; native byte order, since the cache never leaves the machine. */
typedef struct header {
  char magic[8];
  fovea_cache_key key;
  uint64_t size;
  uint64_t hash; /* XXH64 of the binary, seeded by its size */
} header;

static const char magic[8] = {'f', 'o', 'v', 'e', 'a', 'b', 'i', '1'};

/* The XDG base directory specification has relative paths ignored. */
bool fovea_cache_directory(char *path, size_t size) {
  const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int n = -1;
  if (xdg && xdg[0] == '/') {
    n = snprintf(path, size, "%s/fovea", xdg);
  } else if (home && home[0] == '/') {
    n = snprintf(path, size, "%s/.cache/fovea", home);
  }
  return n > 0 && (size_t)n < size;
}

static bool file_path(const fovea_cache_key *key, char path[MAX_PATH]) {
  if (!fovea_cache_directory(path, MAX_PATH)) return false;
  size_t used = strlen(path);
  int n = snprintf(path + used, MAX_PATH - used, "/%016" PRIx64 "%016" PRIx64 ".bin", key->word[0], key->word[1]);
  return n > 0 && (size_t)n < MAX_PATH - used;
}

static header make_header(const fovea_cache_key *key, const unsigned char *binary, size_t size) {
  header h = {.key = *key, .size = size};
  memcpy(h.magic, magic, sizeof magic);
  fovea_xxh64 hash;
  fovea_xxh64_begin(&hash, size);
  fovea_xxh64_put(&hash, binary, size);
  h.hash = fovea_xxh64_end(&hash);
  return h;
}

bool fovea_binary_load(const fovea_cache_key *key, unsigned char **binary, size_t *size) {
  char path[MAX_PATH];
  uint8_t *data = NULL;
  size_t length = 0;
  if (!file_path(key, path)) return false;
  if (fovea_file_read(path, MAX_BINARY, &data, &length) != FOVEA_OK) return false;
  bool good = length > sizeof(header);
  if (good) {
    header expected = make_header(key, data + sizeof(header), length - sizeof(header));
    good = memcmp(data, &expected, sizeof expected) == 0;
  }
  if (good) {
    *size = length - sizeof(header);
    memmove(data, data + sizeof(header), *size);
    *binary = data;
  } else {
    free(data);
  }
  return good;
}

void fovea_binary_store(const fovea_cache_key *key, const unsigned char *binary, size_t size) {
  char path[MAX_PATH];
  if (!fovea_cache_directory(path, sizeof path) || fovea_directory_create(path) != FOVEA_OK || !file_path(key, path))
    return;
  header h = make_header(key, binary, size);
  fovea_file *file = NULL;
  if (fovea_file_begin(path, &file) != FOVEA_OK) return;
  if (fovea_file_put(file, &h, sizeof h) || fovea_file_put(file, binary, size)) {
    fovea_file_abandon(file);
  } else {
    /* Best effort: a cache that cannot be written costs a build, nothing else. */
    (void)fovea_file_commit(file);
  }
}
