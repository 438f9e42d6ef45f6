#include "experiment/estimate.h"

#include <stdio.h>

#include "base/clock.h"

/* The first losses are read when all kernels have been compiled and run; from there on it is timed. */
typedef struct timing {
  size_t first_images, images;
  double first_time, time;
} timing;

static bool time_steps(void *user, size_t images_done, const fovea_losses *losses) {
  static const double enough = 1;
  timing *t = user;
  (void)losses;
  t->time = fovea_seconds();
  t->images = images_done;
  if (t->first_images == 0) t->first_images = t->images, t->first_time = t->time;
  return t->time - t->first_time < enough;
}

fovea_status estimate_time(fovea_device *device, const run_options *options, const fovea_dataset *data, size_t images,
                           char text[ESTIMATE_TEXT]) {
  const fovea_vae_config config = run_vae_config(options, data->channels, data->height, data->width);
  fovea_vae *vae = NULL;
  timing t = {0};
  fovea_epoch epoch = {
      .epochs = (int)options->epochs, .lr = options->lr, .min_lr = options->min_lr, .progress = time_steps, .user = &t};
  text[0] = 0;
  fovea_status status = fovea_vae_create(device, &config, true, &vae);
  if (!status) status = fovea_vae_train_epoch(vae, data, &epoch);
  fovea_vae_destroy(vae);
  if (status == FOVEA_MISMATCH) return FOVEA_OK; /* it diverges, as its own training will say */
  const double seconds = t.time - t.first_time, minute = 60;
  if (status || t.images == t.first_images || seconds <= 0) return status;
  const double speed = (double)(t.images - t.first_images) / seconds, minutes = (double)images / speed / minute;
  snprintf(text, ESTIMATE_TEXT, ", some %.*f minutes if all train as fast as the first does, at %.0f images/s",
           minutes < 10 ? 1 : 0, minutes, speed);
  return FOVEA_OK;
}
