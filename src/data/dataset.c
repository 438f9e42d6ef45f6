#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/fail.h"
#include "data/idx.h"
#include "data/png_folder.h"
#include "fovea/data.h"

enum { MAX_SIDE = 65535, PATH_SIZE = 4096 };

static const char hint[] = "Debian's package dataset-fashion-mnist installs a set in /usr/share/datasets/fashion-mnist";

void fovea_dataset_destroy(fovea_dataset *dataset) {
  if (dataset == NULL) return;
  free(dataset->pixels);
  free(dataset->labels);
  free(dataset);
}

static bool exists(const char *path) {
  struct stat about;
  return stat(path, &about) == 0;
}

/* Writes "DIR/PREFIX-KIND" or the same with .gz to path[PATH_SIZE]; false when there is neither. */
static bool find_file(const char *dir, const char *prefix, const char *kind, char *path) {
  static const char *const endings[] = {"", ".gz"};
  for (size_t i = 0; i < 2; i++) {
    int n = snprintf(path, PATH_SIZE, "%s/%s-%s%s", dir, prefix, kind, endings[i]);
    if (n < PATH_SIZE && exists(path)) return true;
  }
  return false;
}

/* From count x H x W x C to count x C x H x W. */
static fovea_status channels_first(fovea_idx *idx) {
  size_t pixels = (size_t)idx->dims[1] * idx->dims[2], channels = idx->dims[3];
  uint8_t *moved = malloc(idx->count * idx->item);
  if (moved == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", idx->count, idx->item);
  for (size_t n = 0; n < idx->count; n++) {
    const uint8_t *from = idx->data + n * idx->item;
    uint8_t *to = moved + n * idx->item;
    for (size_t c = 0; c < channels; c++)
      for (size_t p = 0; p < pixels; p++) to[c * pixels + p] = from[p * channels + c];
  }
  free(idx->data);
  idx->data = moved;
  return FOVEA_OK;
}

static fovea_status load_images(const char *path, size_t limit, fovea_dataset *set, uint32_t *total) {
  fovea_idx idx;
  fovea_status status = fovea_idx_load(path, 3, 4, limit, &idx);
  if (status != FOVEA_OK) return status;
  for (int i = 1; i < idx.rank && status == FOVEA_OK; i++)
    if (idx.dims[i] > MAX_SIDE)
      status = fovea_fail(FOVEA_INVALID, "'%s': dimension %d is %lu, at most %d is expected", path, i + 1,
                          (unsigned long)idx.dims[i], MAX_SIDE);
  if (status == FOVEA_OK && idx.rank == 4) status = channels_first(&idx);
  if (status != FOVEA_OK) {
    free(idx.data);
    return status;
  }
  *total = idx.dims[0];
  set->count = idx.count;
  set->channels = idx.rank == 4 ? (int)idx.dims[3] : 1;
  set->height = (int)idx.dims[1];
  set->width = (int)idx.dims[2];
  set->pixels = idx.data;
  return FOVEA_OK;
}

static fovea_status load_labels(const char *path, const char *images, uint32_t total, size_t limit,
                                fovea_dataset *set) {
  fovea_idx idx;
  fovea_status status = fovea_idx_load(path, 1, 1, limit, &idx);
  if (status != FOVEA_OK) return status;
  if (idx.dims[0] != total) {
    free(idx.data);
    return fovea_fail(FOVEA_INVALID, "'%s' has %lu labels, but '%s' has %lu images", path, (unsigned long)idx.dims[0],
                      images, (unsigned long)total);
  }
  set->labels = idx.data;
  return FOVEA_OK;
}

static fovea_status load_idx(const char *dir, const char *prefix, const char *images, size_t limit,
                             fovea_dataset **dataset) {
  char labels[PATH_SIZE];
  uint32_t total;
  fovea_dataset *set = calloc(1, sizeof *set);
  if (set == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to load '%s'", images);
  fovea_status status = load_images(images, limit, set, &total);
  if (status == FOVEA_OK && find_file(dir, prefix, "labels-idx1-ubyte", labels))
    status = load_labels(labels, images, total, limit, set);
  if (status == FOVEA_OK) {
    *dataset = set;
  } else {
    fovea_dataset_destroy(set);
  }
  return status;
}

fovea_status fovea_dataset_load(const char *dir, const char *split, size_t limit, fovea_dataset **dataset) {
  if (!dir) return fovea_fail_null("dir");
  if (!split || !dataset) return fovea_fail_null(split ? "dataset" : "split");
  char path[PATH_SIZE];
  bool train = strcmp(split, "train") == 0;
  if (!train && strcmp(split, "test") != 0)
    return fovea_fail(FOVEA_INVALID, "data split '%s', expected 'train' or 'test'", split);
  const char *prefix = train ? "train" : "t10k";
  struct stat about;
  if (stat(dir, &about) != 0)
    return fovea_fail(FOVEA_IO, "cannot open the data folder '%s': %s (%s)", dir, strerror(errno), hint);
  if (!S_ISDIR(about.st_mode)) return fovea_fail(FOVEA_IO, "the data folder '%s' is not a folder (%s)", dir, hint);
  if (find_file(dir, prefix, "images-idx3-ubyte", path) || find_file(dir, prefix, "images-idx4-ubyte", path))
    return load_idx(dir, prefix, path, limit, dataset);
  int n = snprintf(path, sizeof path, "%s/%s", dir, split);
  if (n < PATH_SIZE && exists(path)) return fovea_png_folder_load(path, limit, dataset);
  return fovea_fail(FOVEA_IO,
                    "no data in '%s': looked for %s-images-idx3-ubyte, %s-images-idx4-ubyte (each with or without "
                    ".gz) and a folder %s/ of PNGs (%s)",
                    dir, prefix, prefix, split, hint);
}
