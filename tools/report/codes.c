/* A sample of the test images: codes, reconstructions, and how good each is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "report/network.h"

enum {
  MOST_IMAGES = 2000,
  MOST_VALUES = 1 << 23,
  MOST_POINTS = 1000,
  LEAST_POINTS = 320,
  PAIRS = 24,
  EXTREMES = 12,
  MOST_NUMBERS = 8
};
enum { POINT_BYTES = 700000, PAIR_BYTES = 250000 };

/* --- making ------------------------------------------------------------------------------------------------------ */

fovea_status codes_choose(const codes *c, size_t most, uint32_t **places, size_t *count) {
  *count = most < c->count ? most : c->count;
  *places = malloc(*count * sizeof **places + 1);
  if (!*places) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a sample of %zu images", *count);
  return fovea_dataset_sample(c->labels, c->count, *count, *places);
}

static fovea_status choose(const fovea_dataset *set, codes *c) {
  uint32_t *index = malloc(c->count * sizeof *index);
  if (!index) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a sample of %zu images", c->count);
  fovea_status status = fovea_dataset_sample(set->labels, set->count, c->count, index);
  if (status == FOVEA_OK) status = fovea_dataset_read(set, index, c->count, c->pixels);
  for (size_t i = 0; i < c->count && c->labels && status == FOVEA_OK; i++) c->labels[i] = set->labels[index[i]];
  free(index);
  return status;
}

/* Clipped as the loss clips. */
static void measure(const uint8_t *pixels, const float *p, size_t values, double *bce, double *excess) {
  static const double least = 1e-7;
  double loss = 0, entropy = 0;
  for (size_t i = 0; i < values; i++) {
    const double x = pixels[i] / 255.0, q = fmin(fmax((double)p[i], least), 1 - least);
    loss -= x * log(q) + (1 - x) * log(1 - q);
    if (x > 0 && x < 1) entropy -= x * log(x) + (1 - x) * log(1 - x);
  }
  *bce = loss / (double)values;
  *excess = (loss - entropy) / (double)values;
}

fovea_status codes_make(fovea_vae *vae, const fovea_dataset *set, codes *c) {
  const size_t size = fovea_vae_image_size(vae), latent = (size_t)vae->config.latent;
  const size_t fit = MOST_VALUES / size < MOST_IMAGES ? MOST_VALUES / size : MOST_IMAGES;
  const size_t most = fit > PAIRS ? fit : PAIRS;
  c->count = set->count < most ? set->count : most;
  c->about = set->report;
  c->pixels = malloc(c->count * size);
  c->reconstructions = malloc(c->count * size * sizeof *c->reconstructions);
  c->mu = malloc(c->count * latent * sizeof *c->mu);
  c->logvar = malloc(c->count * latent * sizeof *c->logvar);
  c->bce = malloc(c->count * sizeof *c->bce);
  c->excess = malloc(c->count * sizeof *c->excess);
  if (set->labels) c->labels = malloc(c->count * sizeof *c->labels);
  if (!c->pixels || !c->reconstructions || !c->mu || !c->logvar || !c->bce || !c->excess || (set->labels && !c->labels))
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of a report", c->count);
  const fovea_codes where = {.mu = c->mu, .logvar = c->logvar};
  fovea_status status = choose(set, c);
  if (status == FOVEA_OK)
    status = fovea_vae_reconstruct(vae, c->pixels, c->count, FOVEA_LATENT_MEAN, &where, c->reconstructions);
  for (size_t i = 0; i < c->count && status == FOVEA_OK; i++)
    measure(c->pixels + i * size, c->reconstructions + i * size, size, &c->bce[i], &c->excess[i]);
  return status;
}

void codes_free(codes *c) {
  free(c->pixels);
  free(c->reconstructions);
  free(c->mu);
  free(c->logvar);
  free(c->bce);
  free(c->excess);
  free(c->labels);
  *c = (codes){0};
}

/* --- showing ----------------------------------------------------------------------------------------------------- */

typedef struct view {
  page *p;
  const codes *c;
  const fovea_vae *vae;
  const sprite_source *images;
} view;

/* Images and their reconstructions as two sprites, and of each its label, cross-entropy and excess. */
static fovea_status show_pairs(const view *v, const uint32_t *places, size_t count, size_t most, json_t *object) {
  const codes *c = v->c;
  const size_t size = fovea_vae_image_size(v->vae);
  sprite before = {0}, after = {0};
  float *image = malloc(size * sizeof *image);
  json_t *labels = json_array(), *bce = json_array(), *excess = json_array();
  fovea_status status = image ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for an image of %zu values", size);
  if (status == FOVEA_OK) status = sprite_begin(&before, v->images, count, SPRITE_COLUMNS, most);
  if (status == FOVEA_OK) status = sprite_begin(&after, v->images, count, SPRITE_COLUMNS, most);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
    const size_t at = places[i];
    for (size_t k = 0; k < size; k++) image[k] = (float)c->pixels[at * size + k] / 255;
    sprite_put(&before, i, image);
    sprite_put(&after, i, c->reconstructions + at * size);
    page_add(v->p, labels, json_integer(c->labels ? c->labels[at] : -1));
    page_add(v->p, bce, page_short(c->bce[at]));
    page_add(v->p, excess, page_short(c->excess[at]));
  }
  page_set(v->p, object, "labels", labels);
  page_set(v->p, object, "bce", bce);
  page_set(v->p, object, "excess", excess);
  if (status == FOVEA_OK) page_set(v->p, object, "originals", sprite_json(&before));
  if (status == FOVEA_OK) page_set(v->p, object, "reconstructions", sprite_json(&after));
  sprite_end(&before);
  sprite_end(&after);
  free(image);
  return status;
}

static json_t *new_part(const view *v, const char *name) {
  json_t *object = json_object();
  page_set(v->p, json_object_get(v->p->root, "images"), name, object);
  return object;
}

static fovea_status show_sample(const view *v) {
  uint32_t *places = NULL;
  size_t count = 0;
  fovea_status status = codes_choose(v->c, PAIRS, &places, &count);
  if (status == FOVEA_OK) status = show_pairs(v, places, count, PAIR_BYTES, new_part(v, "sample"));
  free(places);
  return status;
}

/* The first numbers of the code of each point, in one list. */
static fovea_status show_points(const view *v) {
  const codes *c = v->c;
  const size_t size = fovea_vae_image_size(v->vae), latent = (size_t)v->vae->config.latent;
  const size_t numbers = latent < MOST_NUMBERS ? latent : MOST_NUMBERS;
  size_t count = POINT_BYTES / size / SPRITE_COLUMNS * SPRITE_COLUMNS; /* as many as need no shrinking, but enough */
  count = count < LEAST_POINTS ? LEAST_POINTS : count > MOST_POINTS ? MOST_POINTS : count;
  uint32_t *places = NULL;
  fovea_status status = codes_choose(c, count, &places, &count);
  json_t *object = new_part(v, "points"), *mu = json_array();
  page_set(v->p, object, "numbers", json_integer((json_int_t)numbers));
  page_set(v->p, object, "mu", mu);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++)
    for (size_t k = 0; k < numbers; k++) page_add(v->p, mu, page_short((double)c->mu[places[i] * latent + k]));
  if (status == FOVEA_OK) status = show_pairs(v, places, count, POINT_BYTES, object);
  free(places);
  return status;
}

typedef struct rank {
  double excess;
  uint32_t place;
} rank;

static int by_excess(const void *a, const void *b) {
  const rank *x = a, *y = b;
  if (x->excess != y->excess) return x->excess < y->excess ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

static fovea_status show_extremes(const view *v) {
  const size_t n = v->c->count, count = n < EXTREMES ? n : EXTREMES;
  rank *ranks = malloc(n * sizeof *ranks);
  uint32_t places[2][EXTREMES];
  if (!ranks) return fovea_fail(FOVEA_NO_MEMORY, "no memory to rank %zu images", n);
  for (size_t i = 0; i < n; i++) ranks[i] = (rank){v->c->excess[i], (uint32_t)i};
  qsort(ranks, n, sizeof *ranks, by_excess);
  for (size_t i = 0; i < count; i++) places[0][i] = ranks[i].place, places[1][i] = ranks[n - 1 - i].place;
  free(ranks);
  fovea_status status = show_pairs(v, places[0], count, PAIR_BYTES / 2, new_part(v, "best"));
  return status == FOVEA_OK ? show_pairs(v, places[1], count, PAIR_BYTES / 2, new_part(v, "worst")) : status;
}

/* What each number of the code carries: the mean of its KL divergence from the standard normal. A number near 0 is not
 * used. */
static void show_numbers(const view *v) {
  const codes *c = v->c;
  const size_t latent = (size_t)v->vae->config.latent, shown = latent < 64 ? latent : 64;
  json_t *list = json_array();
  page_set(v->p, json_object_get(v->p->root, "images"), "kl", list);
  for (size_t k = 0; k < shown; k++) {
    double sum = 0;
    for (size_t i = 0; i < c->count; i++) {
      const double mu = (double)c->mu[i * latent + k], logvar = (double)c->logvar[i * latent + k];
      sum += (mu * mu + exp(logvar) - 1 - logvar) / 2;
    }
    page_add(v->p, list, page_short(sum / (double)c->count));
  }
}

/* {label: name} where the set has names. */
static void show_classes(const view *v) {
  const fovea_data_report *about = v->c->about;
  json_t *names = json_object();
  page_set(v->p, json_object_get(v->p->root, "images"), "classes", names);
  for (size_t i = 0; about && v->c->labels && i < about->class_count; i++) {
    char label[16];
    snprintf(label, sizeof label, "%d", about->classes[i].label);
    page_set(v->p, names, label, page_text(about->classes[i].name));
  }
}

fovea_status codes_show(page *p, const codes *c, const fovea_vae *vae, const sprite_source *images) {
  const view v = {p, c, vae, images};
  page_set(p, p->root, "images", json_pack("{s:I}", "count", (json_int_t)c->count));
  show_classes(&v);
  show_numbers(&v);
  fovea_status status = show_sample(&v);
  if (status == FOVEA_OK) status = show_points(&v);
  return status == FOVEA_OK ? show_extremes(&v) : status;
}
