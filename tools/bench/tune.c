/* Every shape of the seed network has a list of tiles. Round r builds the whole network with tile r of each list, and
 * times each shape's launches within training steps, alternating with a network of the ops' default tiles. The fastest
 * of all rounds are then confirmed: two new networks take the same steps alternately. A tile that is not faster there,
 * too, is dropped, and both must have learned the same bits. */
#include "bench/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "bench/bench.h"
#include "check/step.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "runtime/autotune.h"
#include "train/run.h"

enum { SEARCH_PAIRS = 3, CONFIRM_PAIRS = 7 };
static const double search_seconds = 240, least_gain = 0.03;

typedef struct shape {
  int best;                                        /* index in the request's list; 0: the op's default */
  double gain;                                     /* of the best tile: the default's time over its own, less 1 */
  double own[CONFIRM_PAIRS], other[CONFIRM_PAIRS]; /* seconds of each pair */
} shape;

typedef struct tuner {
  fovea_device *device;
  fovea_vae_config config;
  fovea_dataset images; /* one batch */
  shape *shapes;        /* [request - 1] */
  double *seconds;
  int count, rounds;
  bool json;
  double step_own, step_other; /* of the confirmed shapes together, median */
} tuner;

static double median(const double *values, int count) {
  double sorted[CONFIRM_PAIRS];
  memcpy(sorted, values, (size_t)count * sizeof *sorted);
  return bench_spread_of(sorted, (size_t)count).median;
}

/* A network that has taken one step, so that everything is compiled and its buffers are touched. */
static fovea_status make(tuner *t, fovea_vae **vae) {
  fovea_status status = fovea_vae_create(t->device, &t->config, true, vae);
  if (status == FOVEA_OK)
    status = fovea_network_train_step((*vae)->network, t->images.pixels, NULL, (size_t)t->config.batch, 0.001f);
  return status == FOVEA_OK ? fovea_device_finish(t->device) : status;
}

static fovea_status time_step(tuner *t, fovea_vae *vae, int pair, bool other) {
  memset(t->seconds, 0, ((size_t)t->count + 1) * sizeof *t->seconds);
  fovea_status status = check_time_step(vae, t->seconds);
  for (int i = 0; i < t->count; i++) (other ? t->shapes[i].other : t->shapes[i].own)[pair] = t->seconds[i + 1];
  return status;
}

static fovea_status time_pairs(tuner *t, fovea_vae *own, fovea_vae *other, int pairs) {
  fovea_status status = FOVEA_OK;
  for (int pair = 0; pair < pairs && status == FOVEA_OK; pair++) {
    status = time_step(t, own, pair, false);
    if (status == FOVEA_OK) status = time_step(t, other, pair, true);
  }
  return status;
}

static double gain_of(const shape *s, int pairs) {
  const double other = median(s->other, pairs);
  return other > 0 ? median(s->own, pairs) / other - 1 : 0;
}

static fovea_status begin(tuner *t, fovea_vae **own) {
  fovea_status status = fovea_autotune_force(t->device, 0);
  if (status == FOVEA_OK) status = make(t, own);
  if (status != FOVEA_OK) return status;
  t->count = fovea_autotune_request_count(t->device);
  for (int i = 1; i <= t->count; i++) {
    const int tiles = fovea_autotune_get_request(t->device, i)->list.count;
    if (tiles > t->rounds) t->rounds = tiles;
  }
  t->shapes = calloc((size_t)t->count + 1, sizeof *t->shapes);
  t->seconds = calloc((size_t)t->count + 1, sizeof *t->seconds);
  return t->shapes && t->seconds ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "tune: host memory ran out");
}

static fovea_status search_round(tuner *t, fovea_vae *own, int round) {
  fovea_vae *other = NULL;
  fovea_status status = fovea_autotune_force(t->device, round);
  if (status == FOVEA_OK) status = make(t, &other);
  if (status == FOVEA_OK) status = time_pairs(t, own, other, SEARCH_PAIRS);
  for (int i = 0; i < t->count && status == FOVEA_OK; i++) {
    shape *s = &t->shapes[i];
    const double gain = gain_of(s, SEARCH_PAIRS);
    if (round < fovea_autotune_get_request(t->device, i + 1)->list.count && gain > least_gain && gain > s->gain)
      s->best = round, s->gain = gain;
  }
  fovea_vae_destroy(other);
  return status;
}

/* A tile that this device cannot build or run is skipped; running out of memory ends the search. */
static fovea_status search(tuner *t, fovea_vae *own) {
  const double begun = fovea_seconds();
  fovea_status status = FOVEA_OK;
  progress_begin("tiles", (size_t)t->rounds - 1, "rounds");
  for (int round = 1; round < t->rounds && status == FOVEA_OK; round++) {
    if (signals_received() != 0 || fovea_seconds() - begun > search_seconds) break;
    status = search_round(t, own, round);
    if (status == FOVEA_DEVICE) {
      fprintf(stderr, "\nround %d left out: %s\n", round, fovea_error_message());
      status = FOVEA_OK;
    }
    progress_update((size_t)round, NULL);
  }
  progress_end();
  return status;
}

/* FOVEA_MISMATCH unless both have learned the same. */
static fovea_status compare(const fovea_vae *own, const fovea_vae *other) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < fovea_network_parameter_count(own->network) && status == FOVEA_OK; i++) {
    const fovea_parameter *p = fovea_network_parameter(own->network, i);
    float *a = calloc(p->count, sizeof *a), *b = calloc(p->count, sizeof *b);
    if (!a || !b) status = fovea_fail(FOVEA_NO_MEMORY, "tune: host memory ran out");
    if (status == FOVEA_OK) status = fovea_network_get(own->network, i, FOVEA_VALUE, a);
    if (status == FOVEA_OK) status = fovea_network_get(other->network, i, FOVEA_VALUE, b);
    if (status == FOVEA_OK && memcmp(a, b, p->count * sizeof *a) != 0)
      status = fovea_fail(FOVEA_MISMATCH, "tune: %s has other bits with other tiles; nothing was stored", p->name);
    free(a);
    free(b);
  }
  return status;
}

/* Puts the best tiles into the table. */
static fovea_status take_winners(tuner *t) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < t->count && status == FOVEA_OK; i++) {
    const fovea_autotune_request *q = fovea_autotune_get_request(t->device, i + 1);
    const shape *s = &t->shapes[i];
    status = fovea_autotune_set(t->device, q->key, s->best ? &q->list.tiles[s->best] : NULL);
  }
  return status;
}

static fovea_status confirm(tuner *t) {
  fovea_vae *own = NULL, *other = NULL;
  fovea_status status = fovea_autotune_force(t->device, 0);
  if (status == FOVEA_OK) status = make(t, &own);
  if (status == FOVEA_OK) status = fovea_autotune_force(t->device, FOVEA_MAX_TILES); /* the table's */
  if (status == FOVEA_OK) status = make(t, &other);
  if (status == FOVEA_OK) status = time_pairs(t, own, other, CONFIRM_PAIRS);
  if (status == FOVEA_OK) status = compare(own, other);
  for (int i = 0; i < t->count && status == FOVEA_OK; i++) {
    shape *s = &t->shapes[i];
    if (s->best == 0) continue;
    s->gain = gain_of(s, CONFIRM_PAIRS);
    if (s->gain < least_gain) s->best = 0;
  }
  fovea_vae_destroy(own);
  fovea_vae_destroy(other);
  return status;
}

static void print_table(tuner *t) {
  printf("%-60s %9s %9s %7s  %s\n", "kernel and shape", "own, ms", "best, ms", "faster", "tile");
  for (int i = 0; i < t->count; i++) {
    const fovea_autotune_request *q = fovea_autotune_get_request(t->device, i + 1);
    const shape *s = &t->shapes[i];
    char text[120];
    const double own = median(s->own, CONFIRM_PAIRS), best = s->best ? median(s->other, CONFIRM_PAIRS) : own;
    t->step_own += own, t->step_other += best;
    printf("%-60s %9.3f %9.3f %6.1f%%  %s%s\n", q->key, 1e3 * own, 1e3 * best, s->best ? 100 * s->gain : 0.0,
           fovea_tile_text(&q->list.tiles[s->best], text, sizeof text), s->best ? "" : " (own)");
  }
  printf("%-60s %9.3f %9.3f %6.1f%%\n", "all of these, a step", 1e3 * t->step_own, 1e3 * t->step_other,
         100 * (t->step_own / t->step_other - 1));
}

/* NULL without memory. */
static json_t *table_json(const tuner *t, const char *path) {
  json_t *shapes = json_array();
  for (int i = 0; i < t->count; i++) {
    const fovea_autotune_request *q = fovea_autotune_get_request(t->device, i + 1);
    const shape *s = &t->shapes[i];
    char text[120];
    const double own = median(s->own, CONFIRM_PAIRS), best = s->best ? median(s->other, CONFIRM_PAIRS) : own;
    json_array_append_new(
        shapes, json_pack("{s:s,s:f,s:f,s:s,s:b}", "shape", q->key, "own_seconds", own, "best_seconds", best, "tile",
                          fovea_tile_text(&q->list.tiles[s->best], text, sizeof text), "own", s->best == 0));
  }
  return json_pack("{s:o,s:s*}", "tuned", shapes, "kept", path);
}

static fovea_status tune(tuner *t) {
  fovea_vae *own = NULL;
  char path[RUN_PATH];
  fovea_status status = begin(t, &own);
  if (status == FOVEA_OK) status = search(t, own);
  fovea_vae_destroy(own);
  if (status == FOVEA_OK) status = take_winners(t);
  if (status == FOVEA_OK) status = confirm(t);
  if (status == FOVEA_OK) status = take_winners(t);
  if (status != FOVEA_OK) return status;
  if (!t->json) print_table(t);
  status = fovea_autotune_store(t->device);
  if (status != FOVEA_OK) return status;
  const bool kept = fovea_autotune_path(fovea_device_get_info(t->device), path, sizeof path);
  if (t->json) return json_result(table_json(t, kept ? path : NULL));
  if (kept) printf("kept in %s\n", path);
  return FOVEA_OK;
}

static const signals_words tuning = {"nothing was measured",
                                     "finishing the measurement under way and keeping what was found",
                                     "what was found is not kept"};

fovea_status tune_run(const char *selector, int batch, int size, bool json) {
  tuner t = {.config = fovea_vae_default(), .json = json};
  t.config.batch = batch, t.config.height = t.config.width = size;
  signals_catch(&tuning);
  signals_busy(); /* what was measured is kept, when it is stopped */
  fovea_status status = fovea_device_open(selector, &t.device);
  if (status == FOVEA_OK) fovea_device_tell(t.device, progress_hear, NULL);
  if (status == FOVEA_OK) status = bench_noise((size_t)batch, size, size, &t.images);
  if (status == FOVEA_OK) status = tune(&t);
  free(t.shapes);
  free(t.seconds);
  free(t.images.pixels);
  fovea_device_close(t.device);
  return status;
}
