/* An epoch, an evaluation, and images through parts of the network, batch after batch. */
#include <stdint.h>
#include <stdlib.h>

#include "core/fail.h"
#include "data/shuffle.h"
#include "fovea/vae.h"

/* Losses are read, and progress is told, every so many steps counted from the beginning of the epoch: seldom, because
 * reading waits for the device; often enough that a run on a slow device stops soon after it is asked to. It stops only
 * where losses are read, so that a resumed run adds up the same sums. */
enum { STEPS_A_READING = 8 };

double fovea_vae_learning_rate(double lr, double min_lr, int epochs, uint32_t iteration) {
  const double decay = 2 * (lr - min_lr) / epochs;
  return lr / (1 + decay * iteration);
}

static fovea_status check_data(const fovea_vae *vae, const fovea_dataset *data) {
  const fovea_vae_config *c = &vae->config;
  if (data->channels != c->channels || data->height != c->height || data->width != c->width)
    return fovea_fail(FOVEA_INVALID,
                      "vae: the network takes images of %dx%dx%d (channels, height, width), the data "
                      "have %dx%dx%d",
                      c->channels, c->height, c->width, data->channels, data->height, data->width);
  if (data->count < 1 || data->count > UINT32_MAX)
    return fovea_fail(FOVEA_INVALID, "vae: %zu images, expected 1 to 4294967295", data->count);
  return FOVEA_OK;
}

static size_t batch_at(const fovea_vae *vae, size_t done, size_t count) {
  const size_t batch = (size_t)vae->config.batch;
  return count - done < batch ? count - done : batch;
}

/* The mean over all images of a part whose mean is known and of another. */
static double mean_of(double a, size_t a_count, double b, size_t b_count) {
  return (a * (double)a_count + b * (double)b_count) / (double)(a_count + b_count);
}

static fovea_status add_losses(fovea_vae *vae, fovea_losses *sum) {
  fovea_losses part;
  fovea_status status = fovea_network_losses(vae->network, &part);
  if (status != FOVEA_OK || part.images == 0) return status;
  sum->bce = mean_of(sum->bce, sum->images, part.bce, part.images);
  sum->kl = mean_of(sum->kl, sum->images, part.kl, part.images);
  sum->total = sum->bce + vae->config.kl_weight * sum->kl;
  sum->images += part.images;
  sum->passes += part.passes;
  return FOVEA_OK;
}

static bool reading_due(const fovea_vae *vae, size_t done, size_t count) {
  const size_t batch = (size_t)vae->config.batch;
  return done == count || (done % batch == 0 && done / batch % STEPS_A_READING == 0);
}

static fovea_status train_from(fovea_vae *vae, const fovea_dataset *data, const uint32_t *order, fovea_epoch *e) {
  fovea_status status = FOVEA_OK;
  for (size_t done = e->start; done < data->count && status == FOVEA_OK && !e->stopped;) {
    const size_t n = batch_at(vae, done, data->count);
    const double lr = fovea_vae_learning_rate(e->lr, e->min_lr, e->epochs, fovea_network_get_step(vae->network));
    status = fovea_network_train_step(vae->network, data->pixels, order + done, n, (float)lr);
    done += n;
    if (status == FOVEA_OK && e->step_done != NULL) e->step_done(e->user);
    if (status != FOVEA_OK || !reading_due(vae, done, data->count)) continue;
    status = add_losses(vae, &e->so_far);
    if (status == FOVEA_OK && e->progress != NULL && !e->progress(e->user, done, &e->so_far))
      e->stopped = done < data->count;
  }
  return status;
}

fovea_status fovea_vae_train_epoch(fovea_vae *vae, const fovea_dataset *data, fovea_epoch *epoch) {
  fovea_status status = check_data(vae, data);
  if (status != FOVEA_OK) return status;
  if (epoch->epochs < 1 || epoch->epoch < 0 || epoch->start > data->count)
    return fovea_fail(FOVEA_INVALID, "vae: epoch %d of %d from image %zu of %zu", epoch->epoch, epoch->epochs,
                      epoch->start, data->count);
  uint32_t *order = malloc(data->count * sizeof *order);
  if (order == NULL) return fovea_fail(FOVEA_NO_MEMORY, "vae: no memory for the order of %zu images", data->count);
  fovea_shuffle(order, data->count, vae->config.seed, (uint32_t)epoch->epoch);
  epoch->stopped = false;
  status = train_from(vae, data, order, epoch);
  free(order);
  return status;
}

fovea_status fovea_vae_evaluate(fovea_vae *vae, const fovea_dataset *data, fovea_losses *losses) {
  fovea_losses sum = {0};
  fovea_status status = check_data(vae, data);
  uint32_t pass = 0;
  for (size_t done = 0; status == FOVEA_OK && done < data->count;) {
    const size_t n = batch_at(vae, done, data->count);
    status = fovea_network_evaluate(vae->network, data->pixels + done * fovea_vae_image_size(vae), NULL, n, pass++);
    done += n;
    if (status == FOVEA_OK && reading_due(vae, done, data->count)) status = add_losses(vae, &sum);
  }
  if (status == FOVEA_OK) *losses = sum;
  return status;
}

/* Evaluates `count` images and copies `tensor` of each, `size` floats. The losses of these passes are nobody's. */
static fovea_status evaluate_and_read(fovea_vae *vae, const uint8_t *pixels, size_t count, fovea_tensor tensor,
                                      size_t size, float *out) {
  fovea_status status = FOVEA_OK;
  fovea_losses unused;
  uint32_t pass = 0;
  for (size_t done = 0; status == FOVEA_OK && done < count;) {
    const size_t n = batch_at(vae, done, count);
    status = fovea_network_evaluate(vae->network, pixels + done * fovea_vae_image_size(vae), NULL, n, pass++);
    if (status == FOVEA_OK) status = fovea_network_read(vae->network, tensor, n, out + done * size);
    if (status == FOVEA_OK) status = fovea_network_losses(vae->network, &unused);
    done += n;
  }
  return status;
}

fovea_status fovea_vae_reconstruct(fovea_vae *vae, const uint8_t *pixels, size_t count, float *reconstructions) {
  return evaluate_and_read(vae, pixels, count, vae->reconstruction, fovea_vae_image_size(vae), reconstructions);
}

fovea_status fovea_vae_encode(fovea_vae *vae, const uint8_t *pixels, size_t count, float *mu) {
  return evaluate_and_read(vae, pixels, count, vae->mu, (size_t)vae->config.latent, mu);
}

fovea_status fovea_vae_decode(fovea_vae *vae, const float *z, size_t count, float *images) {
  const size_t latent = (size_t)vae->config.latent;
  fovea_status status = FOVEA_OK;
  for (size_t done = 0; status == FOVEA_OK && done < count;) {
    const size_t n = batch_at(vae, done, count);
    status = fovea_network_evaluate_from(vae->network, vae->z, z + done * latent, n);
    if (status == FOVEA_OK)
      status = fovea_network_read(vae->network, vae->reconstruction, n, images + done * fovea_vae_image_size(vae));
    done += n;
  }
  return status;
}
