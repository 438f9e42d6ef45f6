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

enum { DURATION = 40 };

/* "5 seconds", "3.4 minutes" */
static const char *duration(double time, char text[DURATION]) {
  static const double minute = 60;
  if (time < 2 * minute)
    snprintf(text, DURATION, "%.0f second%s", fmax(time, 1), time < 1.5 ? "" : "s");
  else
    snprintf(text, DURATION, "%.*f minutes", time < 10 * minute ? 1 : 0, time / minute);
  return text;
}

void estimate_say(double images, double speed, char text[ESTIMATE_TEXT]) {
  char amount[DURATION];
  snprintf(text, ESTIMATE_TEXT,
           ", some %s of training if all train as fast as the first does, at %.0f images/s; compiling and evaluation "
           "come on top",
           duration(images / speed, amount), speed);
}

bool estimate_correct(estimate_record *r, double seconds, size_t images, size_t left, size_t left_images,
                      size_t at_once, char text[ESTIMATE_TEXT]) {
  static const double far = 1.25, half_a_minute = 30;
  char all[DURATION], rest[DURATION], before[DURATION], together[DURATION] = "";
  r->networks++;
  r->images += images;
  r->seconds += seconds;
  if (left == 0) return false;
  const double to_come = (double)left_images / (double)at_once;
  const double now = r->seconds / (double)r->images, said = r->said;
  const bool near = (now < far * said && said < far * now) || fabs(now - said) * to_come < half_a_minute;
  if (r->networks > 1 && near) return false;
  r->said = now;
  if (at_once > 1) snprintf(together, DURATION, ", %zu at a time,", at_once);
  duration(now * to_come, rest);
  if (r->networks == 1)
    snprintf(text, ESTIMATE_TEXT, "the first network took %s with compiling and evaluation; %zu to come%s will take %s",
             duration(seconds, all), left, together, rest);
  else
    snprintf(text, ESTIMATE_TEXT, "%zu networks took %s%s; %zu to come%s will take %s, not %s", r->networks,
             duration(r->seconds, all), at_once > 1 ? " in all" : "", left, together, rest,
             duration(said * to_come, before));
  return true;
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
