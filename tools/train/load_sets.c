/* A load that is watched. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/progress.h"
#include "data/load.h"
#include "train/load.h"

static const double patience = 1; /* seconds without a bar */

typedef struct watched {
  double begun;
  const char *split; /* whose bar is shown, or NULL */
} watched;

static void show(void *user, const char *split, size_t done, size_t images) {
  watched *w = user;
  char label[32];
  if (w->split == NULL && fovea_seconds() - w->begun < patience) return;
  if (w->split != split) {
    if (w->split != NULL) progress_end();
    if (done == images) return;
    snprintf(label, sizeof label, "reading %s", split);
    progress_begin(label, images, "images");
    w->split = split;
  }
  progress_update(done, NULL);
}

fovea_status load_sets(const char *path, const fovea_load_options *const options[2], fovea_dataset *(*sets)[2]) {
  watched w = {.begun = fovea_seconds()};
  const fovea_load_watch watch = {&w, show};
  fovea_status status = load_check_images(path);
  if (status == FOVEA_OK) status = fovea_dataset_load_both(path, options, &watch, sets);
  progress_end();
  if (status != FOVEA_OK) return status;
  load_say((*sets)[0], (*sets)[1]);
  if ((*sets)[0] != NULL)
    load_say_remarks((*sets)[0], (*sets)[1]);
  else
    load_say_remarks((*sets)[1], NULL);
  return FOVEA_OK;
}
