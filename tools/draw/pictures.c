#include "draw/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "draw/grid.h"
#include "draw/legend.h"
#include "draw/plots.h"

enum { MOST_CODES = 5000 };
static const float walk_reach = 5;

static float *floats(size_t count, fovea_status *status) {
  float *data = calloc(count > 0 ? count : 1, sizeof *data);
  if (data == NULL) *status = fovea_fail(FOVEA_NO_MEMORY, "no memory for a picture of %zu values", count);
  return data;
}

void pictures_say_channels(int channels, const grid_channels *shown) {
  const int *of = shown != NULL ? shown->of : NULL;
  if (of != NULL && shown->count == 1)
    fprintf(stderr, "fovea: pictures show channel %d of %d, as gray\n", of[0] + 1, channels);
  else if (of != NULL)
    fprintf(stderr, "fovea: pictures show channels %d, %d and %d of %d, as red, green and blue\n", of[0] + 1, of[1] + 1,
            of[2] + 1, channels);
  else if (channels == 2)
    fputs("fovea: pictures show the first of the 2 channels, as gray\n", stderr);
  else if (channels > 3)
    fprintf(stderr, "fovea: pictures show the first 3 of the %d channels, as red, green and blue\n", channels);
}

/* A fair sample of `count` images of a set: their pixels one after the other, and their places. The caller frees both,
 * also on failure. */
static fovea_status choose(const fovea_dataset *data, size_t count, uint8_t **pixels, uint32_t **index) {
  const size_t size = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
  *pixels = malloc(count * size);
  *index = malloc(count * sizeof **index);
  if (*pixels == NULL || *index == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for a picture of %zu images", count);
  fovea_status status = fovea_dataset_sample(data->labels, data->count, count, *index);
  return status == FOVEA_OK ? fovea_dataset_read(data, *index, count, *pixels) : status;
}

fovea_status pictures_reconstruct(fovea_vae *vae, const fovea_dataset *data, size_t count, fovea_latent latent,
                                  pictures_pairs *pairs) {
  if (count > data->count) count = data->count;
  const size_t values = count * fovea_vae_image_size(vae), numbers = count * (size_t)vae->config.latent;
  fovea_status status = FOVEA_OK;
  pictures_pairs p = {count, floats(values, &status), floats(values, &status), {NULL, NULL, NULL}};
  p.codes = (fovea_codes){floats(numbers, &status), floats(numbers, &status), floats(numbers, &status)};
  uint8_t *pixels = malloc(values);
  if (pixels == NULL) status = fovea_fail(FOVEA_NO_MEMORY, "no memory for a picture of %zu values", values);
  if (status == FOVEA_OK) status = fovea_dataset_read(data, NULL, count, pixels);
  if (status == FOVEA_OK) status = fovea_vae_reconstruct(vae, pixels, count, latent, &p.codes, p.reconstructions);
  for (size_t i = 0; i < values && status == FOVEA_OK; i++) p.originals[i] = (float)pixels[i] / 255;
  free(pixels);
  if (status == FOVEA_OK)
    *pairs = p;
  else
    pictures_free(&p);
  return status;
}

fovea_status pictures_draw(const fovea_vae *vae, const pictures_pairs *pairs, const grid_channels *shown,
                           const char *path) {
  const fovea_vae_config *c = &vae->config;
  return grid_pairs(path, pairs->originals, pairs->reconstructions, pairs->count, c->channels, c->height, c->width,
                    PICTURES_PAIRS, shown);
}

void pictures_free(pictures_pairs *pairs) {
  free(pairs->originals);
  free(pairs->reconstructions);
  free(pairs->codes.mu);
  free(pairs->codes.logvar);
  free(pairs->codes.z);
  *pairs = (pictures_pairs){0};
}

fovea_status pictures_reconstructions(fovea_vae *vae, const fovea_dataset *data, size_t count,
                                      const grid_channels *shown, const char *path) {
  pictures_pairs pairs = {0};
  fovea_status status = pictures_reconstruct(vae, data, count, FOVEA_LATENT_MEAN, &pairs);
  if (status == FOVEA_OK) status = pictures_draw(vae, &pairs, shown, path);
  pictures_free(&pairs);
  return status;
}

/* What training sees of these images in an epoch. */
static fovea_status augment(fovea_vae *vae, const uint8_t *pixels, const uint32_t *index, size_t count, uint32_t epoch,
                            float *images) {
  const size_t size = fovea_vae_image_size(vae), batch = (size_t)vae->config.batch;
  fovea_status status = FOVEA_OK;
  for (size_t done = 0; done < count && status == FOVEA_OK; done += batch) {
    const fovea_numbering numbering = {index + done, epoch};
    status = fovea_network_augment(vae->network, pixels + done * size, NULL, &numbering,
                                   count - done < batch ? count - done : batch, images + done * size);
  }
  return status;
}

fovea_status pictures_augmented(fovea_vae *vae, const fovea_dataset *data, const grid_channels *shown,
                                const char *path) {
  const fovea_vae_config *c = &vae->config;
  const size_t count = data->count < PICTURES_COLUMNS ? data->count : PICTURES_COLUMNS;
  const size_t row = count * fovea_vae_image_size(vae);
  uint8_t *pixels = NULL;
  uint32_t *index = NULL;
  fovea_status status = FOVEA_OK;
  float *images = floats(row * (1 + PICTURES_EPOCHS), &status);
  if (status == FOVEA_OK) status = choose(data, count, &pixels, &index);
  for (size_t i = 0; i < row && status == FOVEA_OK; i++) images[i] = (float)pixels[i] / 255;
  for (uint32_t epoch = 0; epoch < PICTURES_EPOCHS && status == FOVEA_OK; epoch++)
    status = augment(vae, pixels, index, count, epoch, images + row * (1 + epoch));
  if (status == FOVEA_OK)
    status = grid_variants(path, images, 1 + PICTURES_EPOCHS, count, c->channels, c->height, c->width, shown);
  free(images);
  free(pixels);
  free(index);
  return status;
}

fovea_status pictures_walk_decode(fovea_vae *vae, pictures_walked *walk) {
  const size_t latent = (size_t)vae->config.latent, columns = PICTURES_WALK, rows = latent > 1 ? PICTURES_WALK : 1;
  const float step = 2 * walk_reach / (PICTURES_WALK - 1);
  fovea_status status = FOVEA_OK;
  float *z = floats(rows * columns * latent, &status);
  float *images = floats(rows * columns * fovea_vae_image_size(vae), &status);
  *walk = (pictures_walked){rows, columns, z, images};
  for (size_t i = 0; i < rows * columns && status == FOVEA_OK; i++) {
    z[i * latent] = -walk_reach + step * (float)(i % columns);
    if (latent > 1) z[i * latent + 1] = walk_reach - step * (float)(i / columns);
  }
  return status == FOVEA_OK ? fovea_vae_decode(vae, z, rows * columns, images) : status;
}

fovea_status pictures_walk_draw(const fovea_vae *vae, const pictures_walked *walk, const grid_channels *shown,
                                const char *path) {
  const fovea_vae_config *c = &vae->config;
  return grid_tiles(path, walk->images, walk->rows, walk->columns, c->channels, c->height, c->width, shown);
}

void pictures_walked_free(pictures_walked *walk) {
  free(walk->z);
  free(walk->images);
  *walk = (pictures_walked){0};
}

fovea_status pictures_walk(fovea_vae *vae, const grid_channels *shown, const char *path) {
  pictures_walked walk = {0};
  fovea_status status = pictures_walk_decode(vae, &walk);
  if (status == FOVEA_OK) status = pictures_walk_draw(vae, &walk, shown, path);
  pictures_walked_free(&walk);
  return status;
}

/* The codes of images of a set as points; *count of them. The caller frees *points, also on failure. */
static fovea_status codes(fovea_vae *vae, const fovea_dataset *data, const class_legend *legend, plot_point **points,
                          size_t *count) {
  const size_t latent = (size_t)vae->config.latent, n = data->count < MOST_CODES ? data->count : MOST_CODES;
  fovea_status status = FOVEA_OK;
  float *mu = floats(n * latent, &status);
  plot_point *p = malloc(n * sizeof *p);
  if (p == NULL) status = fovea_fail(FOVEA_NO_MEMORY, "no memory for a plot of %zu codes", n);
  uint8_t *pixels = NULL;
  uint32_t *index = NULL;
  if (status == FOVEA_OK) status = choose(data, n, &pixels, &index);
  if (status == FOVEA_OK) status = fovea_vae_encode(vae, pixels, n, mu);
  for (size_t i = 0; i < n && status == FOVEA_OK; i++) {
    const int label = class_legend_colour(legend, data->labels != NULL ? data->labels[index[i]] : -1);
    p[i] = (plot_point){mu[i * latent], latent > 1 ? mu[i * latent + 1] : 0, label};
  }
  free(mu);
  free(pixels);
  free(index);
  *points = p;
  *count = n;
  return status;
}

fovea_status pictures_latent(fovea_vae *vae, const fovea_dataset *train, const fovea_dataset *test, const char *path) {
  plot_point *train_points = NULL, *test_points = NULL;
  size_t train_count = 0, test_count = 0;
  class_legend legend;
  fovea_status status = class_legend_choose(train, test, &legend);
  if (status == FOVEA_OK) status = codes(vae, train, &legend, &train_points, &train_count);
  if (status == FOVEA_OK) status = codes(vae, test, &legend, &test_points, &test_count);
  if (status == FOVEA_OK)
    status = plot_latent(path, "Latent codes", train_points, train_count, test_points, test_count, legend.names);
  free(train_points);
  free(test_points);
  return status;
}
