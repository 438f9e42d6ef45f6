/* The images of a source in another size, each channel as a gray picture. */
#include <stdlib.h>

#include "base/fail.h"
#include "data/fit.h"
#include "data/source.h"

typedef struct resized {
  fovea_source from; /* without its labels and classes */
  fovea_target target;
  uint8_t background[3];
  uint8_t *image;
} resized;

static fovea_status resized_next(void *of, uint8_t *pixels) {
  resized *r = of;
  const fovea_picture_info info = {.width = r->from.width, .height = r->from.height, .channels = 1, .orientation = 1};
  const size_t stored = (size_t)info.width * (size_t)info.height;
  const size_t made = (size_t)r->target.width * (size_t)r->target.height;
  fovea_status status = r->from.next(r->from.of, pixels != NULL ? r->image : NULL);
  for (int c = 0; c < r->from.channels && status == FOVEA_OK && pixels != NULL; c++) {
    for (int i = 0; i < 3; i++) r->target.background[i] = r->background[r->from.channels == 3 ? c : i];
    status = fovea_target_apply(&r->target, &info, r->image + (size_t)c * stored, pixels + (size_t)c * made);
  }
  return status;
}

static void resized_close(void *of) {
  resized *r = of;
  fovea_source_close(&r->from);
  free(r->image);
  free(r);
}

fovea_status fovea_source_resize(fovea_source *source, const char *path, const fovea_load_options *o,
                                 fovea_data_report *report) {
  if (o->height == 0 || (o->height == source->height && o->width == source->width)) return FOVEA_OK;
  resized *r = calloc(1, sizeof *r);
  uint8_t *image = malloc((size_t)source->channels * (size_t)source->height * (size_t)source->width);
  fovea_status status = r == NULL || image == NULL
                            ? fovea_fail(FOVEA_NO_MEMORY, "no memory for an image of '%s'", path)
                            : fovea_report_remark(report, "'%s': images of %dx%d are resized to %dx%d", path,
                                                  source->height, source->width, o->height, o->width);
  if (status != FOVEA_OK) {
    free(r);
    free(image);
    return status;
  }
  r->image = image;
  r->target = (fovea_target){.channels = 1, .height = o->height, .width = o->width, .fit = o->fit};
  for (int i = 0; i < 3; i++) r->background[i] = o->background[i];
  r->from = *source;
  r->from.labels = NULL; /* they stay where they are */
  r->from.classes = (fovea_names){NULL, 0, 0};
  source->height = o->height;
  source->width = o->width;
  source->of = r;
  source->next = resized_next;
  source->close = resized_close;
  return FOVEA_OK;
}
