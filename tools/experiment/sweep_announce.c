/* What a sweep says before it begins, and what its result is to be read with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/driver_death.h"
#include "cli/progress.h"
#include "experiment/estimate.h"
#include "experiment/sweep.h"
#include "train/lag.h"

/* Says a sentence, with which the result is saved, too. */
static void tell_kept(sweep *s, const char *sentence) {
  const size_t size = strlen(sentence) + sizeof "fovea: ";
  char *line = malloc(size);
  if (line != NULL) {
    snprintf(line, size, "fovea: %s", sentence);
    progress_say(line);
  }
  s->said.failed = s->said.failed || line == NULL;
  free(line);
  fovea_text_add(&s->said, sentence);
  fovea_text_add(&s->said, "\n");
}

/* That it is a part of the factorial, by which option, and what cannot be told apart then. */
static void tell_part(sweep *s) {
  char text[FACTORS_ALIASES], part[FACTORS_PART];
  factors_plan all = s->plan;
  all.count = s->unsharded;
  factors_say_part(&s->request, &all, part);
  if (part[0] == '\0') return;
  snprintf(text, sizeof text, "%s%s", part, s->part_recalled ? ", as it was begun; --fraction 1/1 completes it" : "");
  tell_kept(s, text);
  for (const char *line = s->plan.aliases; *line; line += strcspn(line, "\n") + 1) {
    snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
    tell_kept(s, text);
  }
}

/* That test losses will measure how slowly batch normalization's averages arrive. */
static void tell_lag(sweep *s) {
  const size_t images = s->data.train->count;
  const factors_config *worst = NULL;
  char text[LAG_TEXT], line[LAG_TEXT + FACTORS_NAME + 80];
  size_t lagging = 0;
  for (size_t i = 0; i < s->plan.count; i++) {
    const factors_config *c = &s->plan.configs[i];
    lag_say(&c->options, images, text);
    lagging += text[0] != '\0';
    if (worst == NULL || lag_left(&c->options, images) > lag_left(&worst->options, images)) worst = c;
  }
  if (lagging == 0) return;
  lag_say(&worst->options, images, text);
  if (lagging == s->plan.count)
    snprintf(line, sizeof line, "%s", text);
  else
    snprintf(line, sizeof line, "in %zu of %zu configurations, such as %s: %s", lagging, s->plan.count, worst->name,
             text);
  tell_kept(s, line);
}

void sweep_announce_result(sweep *s) {
  tell_part(s);
  tell_lag(s);
}

/* "device 0 (NAME)", "2 devices, ...", "6 devices of 4 ranks" */
static void name_workers(const sweep *s, char *text, size_t size) {
  size_t used = 0;
  if (s->ranks.count > 1) {
    snprintf(text, size, "%zu devices of %d ranks", s->able, s->ranks.count);
    return;
  }
  if (s->worker_count == 1) {
    snprintf(text, size, "%s", fovea_device_get_info(s->workers[0].device)->name);
    return;
  }
  used = (size_t)snprintf(text, size, "%zu devices", s->worker_count);
  for (size_t i = 0; i < s->worker_count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, ", %s", s->workers[i].name);
}

/* How many are to come, but for those that are left out; *images in all. */
static size_t count_left(const sweep *s, size_t *images) {
  size_t left = 0;
  *images = 0;
  for (size_t i = 0; i < s->plan.count; i++) {
    if (s->settled[i]) continue;
    *images += sweep_images_of(s, i);
    left++;
  }
  return left;
}

/* Images that devices of this process have under way are not to come. */
void sweep_correct_estimate(sweep *s, size_t place, double seconds) {
  char text[ESTIMATE_TEXT];
  size_t images = 0, begun = 0;
  const size_t left = count_left(s, &images), at_once = left < s->able || s->able == 0 ? left : s->able;
  for (size_t i = 0; i < s->worker_count; i++) begun += s->workers[i].images;
  images -= begun < images ? begun : images;
  if (estimate_correct(&s->speed, seconds, sweep_images_of(s, place), left, images, at_once, text))
    progress_tell("fovea: %s", text);
}

/* The time is taken of the first network, on the first device. */
fovea_status sweep_announce(sweep *s, size_t *images) {
  const size_t count = s->plan.count, left = count_left(s, images);
  char time[ESTIMATE_TEXT] = "", on[1024], part[64] = "";
  size_t first = 0;
  for (size_t i = count; i-- > 0;)
    if (!s->settled[i]) first = i;
  fovea_status status = FOVEA_OK;
  if (left > 1) {
    const run_options o = sweep_options_of(s, first);
    const size_t at_once = left < s->able ? left : s->able;
    driver_death_blame(0);
    status = estimate_time(s->workers[0].device, &o, s->data.train, *images / at_once, time);
    driver_death_blame(-1);
  }
  name_workers(s, on, sizeof on);
  if (s->shard.count > 0) snprintf(part, sizeof part, "shard %zu/%zu, ", s->shard.index, s->shard.count);
  progress_tell("fovea: %s%zu configuration%s, %zu to train on %s: %zu images%s", part, count, count == 1 ? "" : "s",
                left, on, *images, time);
  sweep_announce_result(s);
  if (s->unsharded < 2) progress_tell("fovea: one configuration gives no regression; more levels or --seeds would");
  return status;
}
