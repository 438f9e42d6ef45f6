#include <stdlib.h>

#include "data/find.h"

static void place_free(fovea_array_place *place) {
  free(place->path);
  free(place->member);
}

void fovea_found_free(fovea_found *f) {
  for (int i = 0; i < 2; i++) {
    place_free(&f->split[i].pair.images);
    place_free(&f->split[i].pair.labels);
    fovea_names_free(&f->split[i].files);
  }
  fovea_names_free(&f->used);
  free(f->dir);
  free(f->meta);
  *f = (fovea_found){.kind = FOVEA_FOUND_NOTHING};
}

bool fovea_found_has(const fovea_found *f, int which) {
  return f->split[which].pair.images.path != NULL || f->split[which].files.count > 0;
}
