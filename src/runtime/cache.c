#include "runtime/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "fovea/device.h"

enum { MAX_PATH = 4096, MAX_BINARY = 256 << 20 };

/* A cache file's header, in native byte order, since the cache never leaves the machine; the shapes follow, then the
 * binary. The format's number tells files of earlier versions, whose binaries were not verified, from these. */
typedef struct header {
  char magic[8];
  fovea_cache_key key;
  uint64_t shapes; /* count */
  uint64_t size;   /* of shapes and binary */
  uint64_t hash;   /* XXH64 of shapes and binary, seeded by their size */
} header;

static const char magic[8] = {'f', 'o', 'v', 'e', 'a', 'b', 'i', '2'},
                  old_magic[7] = {'f', 'o', 'v', 'e', 'a', 'b', 'i'};

/* --- where it is -------------------------------------------------------------------------------------------------- */

/* Longer ones would leave no room for the names of files. */
enum { MOST_FOLDER = 1024 };

static pthread_mutex_t choosing = PTHREAD_MUTEX_INITIALIZER;
static struct {
  bool is_set; /* else the environment says where */
  char path[MOST_FOLDER];
} chosen; /* under the lock */

static void choose(const char *path) {
  pthread_mutex_lock(&choosing);
  chosen.is_set = path != NULL;
  snprintf(chosen.path, sizeof chosen.path, "%s", path ? path : "");
  pthread_mutex_unlock(&choosing);
}

/* Whether there is one; its path is copied. */
static bool take_chosen(char *path, size_t size) {
  pthread_mutex_lock(&choosing);
  const bool is_set = chosen.is_set;
  if (is_set) snprintf(path, size, "%s", chosen.path);
  pthread_mutex_unlock(&choosing);
  return is_set;
}

fovea_status fovea_cache_set_folder(const char *path) {
  if (path && *path && *path != '/')
    return fovea_fail(FOVEA_INVALID, "fovea_cache_set_folder: '%.200s' is not an absolute path, one that begins with /",
                      path);
  if (path && strlen(path) >= MOST_FOLDER)
    return fovea_fail(FOVEA_INVALID, "fovea_cache_set_folder: '%.200s...' has %zu bytes, at most %d are possible", path,
                      strlen(path), MOST_FOLDER - 1);
  choose(path);
  return FOVEA_OK;
}

fovea_status fovea_cache_check(void) {
  char path[MOST_FOLDER];
  return take_chosen(path, sizeof path) ? FOVEA_OK : fovea_environment_check(FOVEA_READ_BY_CACHE);
}

const char *fovea_cache_why_none(void) {
  char path[MOST_FOLDER];
  return take_chosen(path, sizeof path) ? "fovea_cache_set_folder was told to have no cache"
                                        : "neither HOME nor XDG_CACHE_HOME is an absolute path";
}

/* The XDG base directory specification has relative paths ignored. */
bool fovea_cache_directory(char *path, size_t size) {
  char folder[MOST_FOLDER];
  const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int n = -1;
  if (take_chosen(folder, sizeof folder)) {
    n = snprintf(path, size, "%s", folder);
  } else if (xdg && xdg[0] == '/') {
    n = snprintf(path, size, "%s/fovea", xdg);
  } else if (home && home[0] == '/') {
    n = snprintf(path, size, "%s/.cache/fovea", home);
  }
  return n > 0 && (size_t)n < size;
}

/* --- its files ---------------------------------------------------------------------------------------------------- */

bool fovea_binary_path(const fovea_cache_key *key, char *path, size_t size) {
  if (!fovea_cache_directory(path, size)) return false;
  const size_t used = strlen(path);
  const int n = snprintf(path + used, size - used, "/%016" PRIx64 "%016" PRIx64 ".bin", key->word[0], key->word[1]);
  return n > 0 && (size_t)n < size - used;
}

static header make_header(const fovea_cache_key *key, uint64_t shapes, uint64_t size) {
  header h = {.key = *key, .shapes = shapes, .size = size};
  memcpy(h.magic, magic, sizeof magic);
  return h;
}

/* Whether the file is complete and undamaged: the header's sizes and hash agree with the rest of `data`. */
static bool is_whole(const fovea_cache_key *key, const uint8_t *data, size_t length) {
  header h;
  XXH64_state_t hash;
  if (length <= sizeof h) return false;
  memcpy(&h, data, sizeof h);
  const size_t size = length - sizeof h;
  if (h.shapes > sizeof((fovea_cache_shapes *)0)->shape / sizeof(uint64_t) || h.shapes * sizeof(uint64_t) >= size)
    return false;
  if (h.size != size || memcmp(&h.key, key, sizeof *key) != 0) return false;
  header expected = make_header(key, h.shapes, size);
  XXH64_reset(&hash, size);
  XXH64_update(&hash, &expected, sizeof expected);
  XXH64_update(&hash, data + sizeof h, size);
  expected.hash = XXH64_digest(&hash);
  return memcmp(&h, &expected, sizeof h) == 0;
}

/* A file of another format, which an earlier version wrote, is a miss. */
static bool is_ours(const uint8_t *data, size_t length) {
  return length < sizeof magic || memcmp(data, old_magic, sizeof old_magic) != 0 || data[7] == (uint8_t)magic[7];
}

fovea_cache_found fovea_binary_load(const fovea_cache_key *key, unsigned char **binary, size_t *size,
                                    fovea_cache_shapes *shapes) {
  char path[MAX_PATH];
  uint8_t *data = NULL;
  size_t length = 0;
  if (!fovea_binary_path(key, path, sizeof path)) return FOVEA_CACHE_NONE;
  if (fovea_file_read(path, MAX_BINARY, &data, &length) != FOVEA_OK) return FOVEA_CACHE_NONE;
  if (!is_whole(key, data, length)) {
    const bool ours = is_ours(data, length);
    free(data);
    return ours ? FOVEA_CACHE_DAMAGED : FOVEA_CACHE_NONE;
  }
  header h;
  memcpy(&h, data, sizeof h);
  shapes->count = (size_t)h.shapes;
  const size_t before = shapes->count * sizeof *shapes->shape;
  memcpy(shapes->shape, data + sizeof h, before);
  *size = length - sizeof h - before;
  memmove(data, data + sizeof h + before, *size);
  *binary = data;
  (void)utimensat(AT_FDCWD, path, NULL, 0); /* used now */
  return FOVEA_CACHE_GOOD;
}

fovea_status fovea_binary_store(const fovea_cache_key *key, const unsigned char *binary, size_t size,
                                const fovea_cache_shapes *shapes) {
  char path[MAX_PATH];
  fovea_file *file = NULL;
  XXH64_state_t hash;
  if (!fovea_cache_directory(path, sizeof path))
    return fovea_fail(FOVEA_IO, "no folder for the cache: %s", fovea_cache_why_none());
  fovea_status status = fovea_directory_create(path);
  if (status) return status;
  if (!fovea_binary_path(key, path, sizeof path))
    return fovea_fail(FOVEA_IO, "no folder for the cache: %s", fovea_cache_why_none());
  const size_t before = shapes->count * sizeof *shapes->shape;
  header h = make_header(key, shapes->count, before + size);
  XXH64_reset(&hash, before + size);
  XXH64_update(&hash, &h, sizeof h);
  XXH64_update(&hash, shapes->shape, before);
  XXH64_update(&hash, binary, size);
  h.hash = XXH64_digest(&hash);
  status = fovea_file_begin(path, &file);
  if (status) return status;
  status = fovea_file_put(file, &h, sizeof h);
  if (!status) status = fovea_file_put(file, shapes->shape, before);
  if (!status) status = fovea_file_put(file, binary, size);
  if (!status) return fovea_file_commit(file);
  fovea_file_abandon(file);
  return status;
}

/* --- its size ------------------------------------------------------------------------------------------------- */

typedef struct cached {
  char path[MAX_PATH];
  struct timespec used;
  uint64_t size;
} cached;

static bool ends_in(const char *name, const char *end) {
  const size_t length = strlen(name), n = strlen(end);
  return length > n && strcmp(name + length - n, end) == 0;
}

/* Not the results of `fovea bench --tune`, which are small and expensive to get again. */
static int is_binary(const struct dirent *entry) {
  return ends_in(entry->d_name, ".bin") || ends_in(entry->d_name, ".bin.set-aside") ||
         ends_in(entry->d_name, ".bin.tmp");
}

static int by_use(const void *a, const void *b) {
  const struct timespec x = ((const cached *)a)->used, y = ((const cached *)b)->used;
  if (x.tv_sec != y.tv_sec) return x.tv_sec < y.tv_sec ? -1 : 1;
  return x.tv_nsec < y.tv_nsec ? -1 : x.tv_nsec > y.tv_nsec;
}

static size_t look(const char *folder, struct dirent **names, size_t count, cached *files) {
  struct stat about;
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    cached *c = &files[found];
    const int n = snprintf(c->path, sizeof c->path, "%s/%s", folder, names[i]->d_name);
    if (n < 0 || (size_t)n >= sizeof c->path || lstat(c->path, &about) != 0 || !S_ISREG(about.st_mode)) continue;
    /* A killed process's; a living one's is not so old. */
    if (ends_in(c->path, ".tmp") && about.st_mtime + 3600 < time(NULL) && unlink(c->path) == 0) continue;
    c->used = about.st_mtim;
    c->size = (uint64_t)about.st_size;
    found++;
  }
  return found;
}

void fovea_cache_trim(uint64_t most) {
  char folder[MAX_PATH];
  struct dirent **names = NULL;
  if (!fovea_cache_directory(folder, sizeof folder)) return;
  const int count = scandir(folder, &names, is_binary, NULL);
  cached *files = count > 0 ? calloc((size_t)count, sizeof *files) : NULL;
  const size_t found = files ? look(folder, names, (size_t)count, files) : 0;
  uint64_t all = 0;
  for (size_t i = 0; i < found; i++) all += files[i].size;
  if (files) qsort(files, found, sizeof *files, by_use);
  for (size_t i = 0; i < found && all > most; i++)
    if (unlink(files[i].path) == 0) all -= files[i].size;
  for (int i = 0; i < count; i++) free(names[i]);
  free(names);
  free(files);
}
