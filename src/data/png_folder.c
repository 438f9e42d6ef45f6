#include "data/png_folder.h"

#include <dirent.h>
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/fail.h"
#include "core/file.h"

enum { MAX_SIDE = 16384, MAX_CLASSES = 256, DEFLATE_RATIO = 1032, MAX_FILE = 1 << 30 };

/* ---- names ------------------------------------------------------------------------------------------------------ */

typedef struct names {
  char **name;
  size_t count, room;
} names;

static void names_free(names *list) {
  for (size_t i = 0; i < list->count; i++) free(list->name[i]);
  free(list->name);
}

/* Takes `name`, which may be NULL for lack of memory; false when there is none. */
static bool names_add(names *list, char *name) {
  if (name != NULL && list->count == list->room) {
    size_t room = list->room == 0 ? 64 : 2 * list->room;
    char **grown = realloc(list->name, room * sizeof *grown);
    if (grown == NULL) {
      free(name);
      return false;
    }
    list->name = grown;
    list->room = room;
  }
  if (name != NULL) list->name[list->count++] = name;
  return name != NULL;
}

static char *join(const char *dir, const char *name) {
  size_t size = strlen(dir) + strlen(name) + 2;
  char *path = malloc(size);
  if (path != NULL) snprintf(path, size, "%s/%s", dir, name);
  return path;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool named_png(const char *name) {
  size_t length = strlen(name);
  return length >= 4 && strcasecmp(name + length - 4, ".png") == 0;
}

/* Puts one entry where it belongs; false when memory ran out. */
static bool sort_in(const char *dir, const char *name, names *files, names *folders) {
  struct stat about;
  if (name[0] == '.') return true;
  char *path = join(dir, name);
  if (path == NULL) return false;
  bool folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
  free(path);
  if (folder) return names_add(folders, strdup(name));
  return !named_png(name) || names_add(files, strdup(name));
}

/* Appends the sorted names of the PNGs and of the subfolders of `dir`. */
static fovea_status list(const char *dir, names *files, names *folders) {
  DIR *stream = opendir(dir);
  if (stream == NULL) return fovea_fail(FOVEA_IO, "cannot open the folder '%s': %s", dir, strerror(errno));
  fovea_status status = FOVEA_OK;
  const struct dirent *entry;
  while (errno = 0, status == FOVEA_OK && (entry = readdir(stream)) != NULL)
    if (!sort_in(dir, entry->d_name, files, folders))
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir);
  if (status == FOVEA_OK && errno != 0)
    status = fovea_fail(FOVEA_IO, "cannot read the folder '%s': %s", dir, strerror(errno));
  closedir(stream);
  if (files->count > 0) qsort(files->name, files->count, sizeof *files->name, by_name);
  if (folders->count > 0) qsort(folders->name, folders->count, sizeof *folders->name, by_name);
  return status;
}

/* ---- the files of a split --------------------------------------------------------------------------------------- */

typedef struct item {
  char *path;
  const char *name; /* the part of path after the last slash */
  size_t folder;    /* place among the sorted subfolders */
  uint8_t label;
} item;

typedef struct items {
  item *item;
  size_t count;
} items;

static int by_name_then_folder(const void *a, const void *b) {
  const item *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->folder > y->folder) - (x->folder < y->folder);
}

static void items_free(items *all) {
  for (size_t i = 0; i < all->count; i++) free(all->item[i].path);
  free(all->item);
}

static fovea_status items_add(items *all, const char *dir, const names *files, size_t folder, uint8_t label) {
  size_t count = all->count + files->count;
  if (count == all->count) return FOVEA_OK;
  item *grown = realloc(all->item, count * sizeof *grown);
  if (grown == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu images", count);
  all->item = grown;
  for (size_t i = 0; i < files->count; i++) {
    char *path = join(dir, files->name[i]);
    if (path == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu images", count);
    grown[all->count++] = (item){path, strrchr(path, '/') + 1, folder, label};
  }
  return FOVEA_OK;
}

/* The number that a subfolder's name is, 0 .. 255, or -1. */
static int number(const char *name) {
  int value = 0;
  size_t length = strlen(name);
  if (length > 3) return -1;
  for (size_t i = 0; i < length; i++) {
    if (name[i] < '0' || name[i] > '9') return -1;
    value = 10 * value + (name[i] - '0');
  }
  return length > 0 && value <= 255 ? value : -1;
}

static fovea_status add_folders(items *all, const char *dir, const names *folders) {
  bool numbers = true;
  for (size_t i = 0; i < folders->count; i++) numbers = numbers && number(folders->name[i]) >= 0;
  for (size_t i = 0; i < folders->count; i++) {
    names files = {0}, deeper = {0};
    char *path = join(dir, folders->name[i]);
    fovea_status status = path == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir)
                                       : list(path, &files, &deeper);
    if (status == FOVEA_OK && deeper.count > 0)
      status = fovea_fail(FOVEA_INVALID, "'%s' has a subfolder '%s'; the subfolders of '%s' must hold PNGs only", path,
                          deeper.name[0], dir);
    int label = numbers ? number(folders->name[i]) : (int)i;
    if (status == FOVEA_OK) status = items_add(all, path, &files, i, (uint8_t)label);
    free(path);
    names_free(&files);
    names_free(&deeper);
    if (status != FOVEA_OK) return status;
  }
  return FOVEA_OK;
}

static fovea_status find_items(const char *dir, items *all, bool *labelled) {
  names files = {0}, folders = {0};
  fovea_status status = list(dir, &files, &folders);
  *labelled = folders.count > 0;
  if (status == FOVEA_OK && files.count > 0 && folders.count > 0)
    status = fovea_fail(FOVEA_INVALID, "'%s' has both PNGs ('%s') and subfolders ('%s'); one or the other is expected",
                        dir, files.name[0], folders.name[0]);
  if (status == FOVEA_OK && folders.count > MAX_CLASSES)
    status = fovea_fail(FOVEA_INVALID, "'%s' has %zu subfolders, at most %d labels are possible", dir, folders.count,
                        MAX_CLASSES);
  if (status == FOVEA_OK) status = *labelled ? add_folders(all, dir, &folders) : items_add(all, dir, &files, 0, 0);
  if (status == FOVEA_OK && all->count == 0)
    status = fovea_fail(FOVEA_INVALID, "'%s' holds no file that ends in .png", dir);
  if (all->count > 0) qsort(all->item, all->count, sizeof *all->item, by_name_then_folder);
  names_free(&files);
  names_free(&folders);
  return status;
}

/* ---- one PNG ---------------------------------------------------------------------------------------------------- */

/* All that decoding needs lives here and not in locals, which a longjmp would leave undefined. */
typedef struct decoder {
  const char *path;
  uint8_t *bytes; /* the file */
  size_t size, at;
  png_structp png;
  png_infop info;
  uint8_t *interleaved; /* height x width x channels */
  jmp_buf escape;
  char why[160];
} decoder;

static void on_error(png_structp png, png_const_charp message) {
  decoder *d = png_get_error_ptr(png);
  snprintf(d->why, sizeof d->why, "%s", message);
  longjmp(d->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_read(png_structp png, png_bytep to, size_t size) {
  decoder *d = png_get_io_ptr(png);
  if (size > d->size - d->at) png_error(png, "the file ends too early");
  memcpy(to, d->bytes + d->at, size);
  d->at += size;
}

/* Checks the header against what a data set may hold; the first image decides the set's size. */
static fovea_status check_header(const decoder *d, fovea_dataset *set, bool first) {
  uint32_t width = png_get_image_width(d->png, d->info), height = png_get_image_height(d->png, d->info);
  int depth = png_get_bit_depth(d->png, d->info), color = png_get_color_type(d->png, d->info);
  if (depth != 8 || (color != PNG_COLOR_TYPE_GRAY && color != PNG_COLOR_TYPE_RGB))
    return fovea_fail(FOVEA_INVALID,
                      "'%s' has %d bits and PNG color type %d; expected 8 bits and color type 0 (gray) or 2 (RGB)",
                      d->path, depth, color);
  int channels = color == PNG_COLOR_TYPE_RGB ? 3 : 1;
  if (first) {
    set->channels = channels;
    set->height = (int)height;
    set->width = (int)width;
  } else if (channels != set->channels || height != (uint32_t)set->height || width != (uint32_t)set->width) {
    return fovea_fail(FOVEA_INVALID, "'%s' is %lu x %lu with %d channels; the first image is %d x %d with %d", d->path,
                      (unsigned long)width, (unsigned long)height, channels, set->width, set->height, set->channels);
  }
  if ((uint64_t)width * height * (uint64_t)channels / DEFLATE_RATIO > d->size)
    return fovea_fail(FOVEA_INVALID, "'%s' is said to be %lu x %lu, more than its %zu bytes can hold", d->path,
                      (unsigned long)width, (unsigned long)height, d->size);
  return FOVEA_OK;
}

static fovea_status read_header(decoder *d, fovea_dataset *set, bool first) {
  if (setjmp(d->escape) != 0) return fovea_fail(FOVEA_INVALID, "'%s' is not a good PNG: %s", d->path, d->why);
  png_set_read_fn(d->png, d, on_read);
  png_set_user_limits(d->png, MAX_SIDE, MAX_SIDE);
  png_set_chunk_malloc_max(d->png, 1 << 20);
  png_read_info(d->png, d->info);
  return check_header(d, set, first);
}

static fovea_status read_rows(decoder *d, const fovea_dataset *set) {
  if (setjmp(d->escape) != 0) return fovea_fail(FOVEA_INVALID, "'%s' is not a good PNG: %s", d->path, d->why);
  size_t row = (size_t)set->width * (size_t)set->channels;
  int passes = png_set_interlace_handling(d->png);
  png_start_read_image(d->png);
  for (int pass = 0; pass < passes; pass++)
    for (int h = 0; h < set->height; h++) png_read_row(d->png, d->interleaved + (size_t)h * row, NULL);
  png_read_end(d->png, NULL);
  return FOVEA_OK;
}

static size_t image_size(const fovea_dataset *set) {
  return (size_t)set->channels * (size_t)set->height * (size_t)set->width;
}

/* Moves the image to set->pixels, which the first image allocates for all `count`. */
static fovea_status store(const decoder *d, fovea_dataset *set, size_t n, size_t count) {
  size_t size = image_size(set), channels = (size_t)set->channels, pixels = size / channels;
  if (n == 0) {
    if (size > PTRDIFF_MAX / count || (set->pixels = malloc(size * count)) == NULL)
      return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", count, size);
  }
  uint8_t *to = set->pixels + n * size;
  for (size_t c = 0; c < channels; c++)
    for (size_t p = 0; p < pixels; p++) to[c * pixels + p] = d->interleaved[p * channels + c];
  return FOVEA_OK;
}

/* Decodes the PNG at `path` into image n of the set. */
static fovea_status load_png(const char *path, size_t n, size_t count, fovea_dataset *set) {
  decoder d = {.path = path};
  fovea_status status = fovea_file_read(path, MAX_FILE, &d.bytes, &d.size);
  if (status != FOVEA_OK) return status;
  d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning);
  if (d.png != NULL) d.info = png_create_info_struct(d.png);
  status = d.info == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", path) : read_header(&d, set, n == 0);
  if (status == FOVEA_OK) {
    d.interleaved = calloc(image_size(set), 1);
    status = d.interleaved == NULL
                 ? fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu bytes of '%s'", image_size(set), path)
                 : read_rows(&d, set);
  }
  if (status == FOVEA_OK) status = store(&d, set, n, count);
  png_destroy_read_struct(&d.png, &d.info, NULL);
  free(d.interleaved);
  free(d.bytes);
  return status;
}

static fovea_status load_items(const items *all, size_t count, bool labelled, fovea_dataset *set) {
  if (labelled && (set->labels = malloc(count)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", count);
  for (size_t n = 0; n < count; n++) {
    fovea_status status = load_png(all->item[n].path, n, count, set);
    if (status != FOVEA_OK) return status;
    if (labelled) set->labels[n] = all->item[n].label;
  }
  set->count = count;
  return FOVEA_OK;
}

fovea_status fovea_png_folder_load(const char *dir, size_t limit, fovea_dataset **dataset) {
  items all = {0};
  bool labelled = false;
  fovea_dataset *set = calloc(1, sizeof *set);
  fovea_status status =
      set == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to load '%s'", dir) : find_items(dir, &all, &labelled);
  size_t count = limit == 0 || limit > all.count ? all.count : limit;
  if (status == FOVEA_OK) status = load_items(&all, count, labelled, set);
  items_free(&all);
  if (status == FOVEA_OK) {
    *dataset = set;
  } else {
    fovea_dataset_destroy(set);
  }
  return status;
}
