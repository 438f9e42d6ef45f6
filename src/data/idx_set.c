#include "data/idx_set.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/idx.h"
#include "data/report.h"

enum { MAX_SIDE = 65535, MOST_COLOURS = 4, LABELS = 256 };

/* From count x H x W x C to count x C x H x W. */
static fovea_status channels_first(fovea_dataset *set) {
  const size_t pixels = (size_t)set->height * (size_t)set->width, channels = (size_t)set->channels;
  const size_t item = pixels * channels;
  uint8_t *moved = malloc(set->count * item);
  if (moved == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", set->count, item);
  for (size_t n = 0; n < set->count; n++) {
    const uint8_t *from = set->pixels + n * item;
    uint8_t *to = moved + n * item;
    for (size_t c = 0; c < channels; c++)
      for (size_t p = 0; p < pixels; p++) to[c * pixels + p] = from[p * channels + c];
  }
  free(set->pixels);
  set->pixels = moved;
  return FOVEA_OK;
}

/* Sets the set's sizes. Rank 4 says nowhere which of its numbers are the channels: few of them are, and pictures are
 * larger. */
static fovea_status name_dimensions(const fovea_idx *idx, fovea_dataset *set, bool *channels_last) {
  const int d[] = {0, (int)idx->dims[1], (int)idx->dims[2], idx->rank == 4 ? (int)idx->dims[3] : 1};
  const bool first_few = d[1] <= MOST_COLOURS, last_few = d[3] <= MOST_COLOURS;
  *channels_last = idx->rank == 4 && (last_few || !first_few);
  set->channels = idx->rank == 4 && !*channels_last ? d[1] : d[3];
  set->height = idx->rank == 4 && !*channels_last ? d[2] : d[1];
  set->width = idx->rank == 4 && !*channels_last ? d[3] : d[2];
  if (idx->rank == 3 || (last_few && !first_few)) return FOVEA_OK;
  return fovea_report_remark(
      set->report, "'%s' is %d x %d x %d an image: %s (%d channels of %dx%d)", idx->path, d[1], d[2], d[3],
      !*channels_last ? "taken as channels, height, width" : "taken as height, width, channels, which may be wrong",
      set->channels, set->height, set->width);
}

static fovea_status check_sides(const fovea_idx *idx) {
  for (int i = 1; i < idx->rank; i++)
    if (idx->dims[i] > MAX_SIDE)
      return fovea_fail(FOVEA_INVALID, "'%s': dimension %d is %lu, at most %d is expected", idx->path, i + 1,
                        (unsigned long)idx->dims[i], MAX_SIDE);
  return FOVEA_OK;
}

/* All labels of the split. */
static fovea_status read_labels(const char *path, const fovea_idx *images, uint16_t **labels) {
  fovea_idx idx;
  uint8_t *bytes = NULL;
  fovea_status status = fovea_idx_open(path, 1, 1, &idx);
  if (status != FOVEA_OK) return status;
  if (idx.dims[0] != images->dims[0])
    status = fovea_fail(FOVEA_INVALID, "'%s' has %lu labels, but '%s' has %lu images", path, (unsigned long)idx.dims[0],
                        images->path, (unsigned long)images->dims[0]);
  if (status == FOVEA_OK) status = fovea_idx_read(&idx, NULL, idx.dims[0], &bytes);
  if (status == FOVEA_OK && (*labels = malloc(idx.dims[0] * sizeof **labels)) == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the %lu labels of '%s'", (unsigned long)idx.dims[0], path);
  for (size_t i = 0; i < idx.dims[0] && status == FOVEA_OK; i++) (*labels)[i] = bytes[i];
  free(bytes);
  fovea_idx_close(&idx);
  return status;
}

/* Takes the labels of the chosen, and counts all. */
static fovea_status take_labels(const uint16_t *labels, size_t total, const uint32_t *index, fovea_dataset *set) {
  bool seen[LABELS] = {false};
  char name[16];
  fovea_status status = FOVEA_OK;
  set->labels = malloc(set->count * sizeof *set->labels);
  if (set->labels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", set->count);
  for (size_t i = 0; i < total; i++) seen[labels[i]] = true;
  for (int i = 0; i < LABELS && status == FOVEA_OK; i++) {
    snprintf(name, sizeof name, "%d", i);
    if (seen[i]) status = fovea_report_class(set->report, name, i);
  }
  for (size_t i = 0; i < total; i++) fovea_report_there(set->report, labels[i]);
  for (size_t i = 0; i < set->count; i++) {
    set->labels[i] = labels[index[i]];
    fovea_report_taken(set->report, set->labels[i]);
  }
  return status;
}

static fovea_status read_chosen(fovea_idx *idx, const uint16_t *labels, fovea_dataset *set) {
  const size_t total = idx->dims[0];
  bool channels_last;
  uint32_t *index = malloc(set->count * sizeof *index);
  if (index == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to choose %zu of %zu images", set->count, total);
  fovea_status status = fovea_dataset_sample(labels, total, set->count, index);
  if (status == FOVEA_OK) status = name_dimensions(idx, set, &channels_last);
  if (status == FOVEA_OK) status = fovea_idx_read(idx, set->count < total ? index : NULL, set->count, &set->pixels);
  if (status == FOVEA_OK && labels != NULL) status = take_labels(labels, total, index, set);
  if (status == FOVEA_OK && channels_last) status = channels_first(set);
  free(index);
  return status;
}

fovea_status fovea_idx_set_load(const char *images, const char *labels, size_t limit, fovea_dataset *set) {
  fovea_idx idx;
  uint16_t *all = NULL;
  fovea_status status = fovea_idx_open(images, 3, 4, &idx);
  if (status != FOVEA_OK) return status;
  set->report->images = idx.dims[0];
  set->count = limit == 0 || limit > idx.dims[0] ? idx.dims[0] : limit;
  status = check_sides(&idx);
  if (status == FOVEA_OK && labels != NULL) status = read_labels(labels, &idx, &all);
  if (status == FOVEA_OK) status = read_chosen(&idx, all, set);
  free(all);
  fovea_idx_close(&idx);
  return status;
}
