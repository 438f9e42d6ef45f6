#include "experiment/estimate.h"

#include <math.h>
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

void estimate_say(double images, double speed, char text[ESTIMATE_TEXT]) {
  static const double minute = 60;
  const double time = images / speed;
  char amount[40];
  if (time < 2 * minute)
    snprintf(amount, sizeof amount, "%.0f second%s", fmax(time, 1), time < 1.5 ? "" : "s");
  else
    snprintf(amount, sizeof amount, "%.*f minutes", time < 10 * minute ? 1 : 0, time / minute);
  snprintf(text, ESTIMATE_TEXT,
           ", some %s of training if all train as fast as the first does, at %.0f images/s; compiling and evaluation "
           "come on top",
           amount, speed);
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
  const double seconds = t.time - t.first_time;
  if (status || t.images == t.first_images || seconds <= 0) return status;
  estimate_say((double)images, (double)(t.images - t.first_images) / seconds, text);
  return FOVEA_OK;
}
