/* An epoch, an evaluation, and images through parts of the network, batch after batch. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/batches.h"
#include "data/shuffle.h"
#include "fovea/vae.h"

/* Losses are read, and progress is reported, every so many steps from the beginning of the epoch: seldom, because
 * reading waits for the device; often enough that a run on a slow device stops soon when asked to. It stops only where
 * losses are read, so that a resumed run adds up the same sums. */
enum { STEPS_A_READING = 8 };

double fovea_vae_learning_rate(double lr, double min_lr, int epochs, uint32_t iteration) {
  if (epochs < 1) return NAN;
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
  if (!data->pixels && !data->file) return fovea_fail(FOVEA_INVALID, "vae: the data's pixels are NULL");
  if (data->count < 1 || data->count > UINT32_MAX)
    return fovea_fail(FOVEA_INVALID, "vae: %zu images, expected 1 to 4294967295", data->count);
  return FOVEA_OK;
}

static size_t batch_at(const fovea_vae *vae, size_t done, size_t count) {
  const size_t batch = (size_t)vae->config.batch;
  return count - done < batch ? count - done : batch;
}

/* The mean over both of two sets of images with known means and sizes. */
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

/* Of several ranks each reads what is its own. */
static fovea_status begin_batches(const fovea_vae *vae, const fovea_dataset *data, const uint32_t *order, size_t start,
                                  fovea_batches **batches) {
  const size_t batch = (size_t)vae->config.batch;
  fovea_places own;
  const fovea_status status = fovea_ranks_part(vae->config.ranks, (int)batch, batch, &own.first, &own.count);
  return status == FOVEA_OK ? fovea_batches_create(data, order, start, batch, own, batches) : status;
}

static fovea_status train_from(fovea_vae *vae, const fovea_dataset *data, const uint32_t *order, fovea_epoch *e) {
  fovea_batches *batches = NULL;
  const uint8_t *pixels;
  const uint32_t *index;
  fovea_status status = begin_batches(vae, data, order, e->start, &batches);
  for (size_t done = e->start; done < data->count && status == FOVEA_OK && !e->stopped;) {
    const size_t n = batch_at(vae, done, data->count);
    const double lr = fovea_vae_learning_rate(e->lr, e->min_lr, e->epochs, fovea_network_get_step(vae->network));
    status = fovea_batches_next(batches, &pixels, &index);
    const fovea_numbering numbering = {order + done, (uint32_t)e->epoch};
    if (status == FOVEA_OK)
      status = fovea_network_train_numbered(vae->network, pixels, index, &numbering, n, (float)lr);
    done += n;
    if (status == FOVEA_OK && e->step_done != NULL) e->step_done(e->user);
    if (status != FOVEA_OK || !reading_due(vae, done, data->count)) continue;
    status = add_losses(vae, &e->so_far);
    if (status == FOVEA_OK && e->progress != NULL && !e->progress(e->user, done, &e->so_far))
      e->stopped = done < data->count;
  }
  fovea_batches_destroy(batches);
  return status;
}

static fovea_status check_epoch(const fovea_epoch *e, size_t count) {
  if (e->epochs < 1 || e->epoch < 0 || e->start > count)
    return fovea_fail(FOVEA_INVALID, "vae: epoch %d of %d from image %zu of %zu", e->epoch, e->epochs, e->start, count);
  if (!isfinite(e->lr) || !isfinite(e->min_lr) || e->lr < 0 || e->min_lr < 0)
    return fovea_fail(FOVEA_INVALID, "vae: learning rates %g to %g, expected finite numbers of 0 or more", e->lr,
                      e->min_lr);
  return FOVEA_OK;
}

fovea_status fovea_vae_train_epoch(fovea_vae *vae, const fovea_dataset *data, fovea_epoch *epoch) {
  if (!vae) return fovea_fail_null("vae");
  if (!data || !epoch) return fovea_fail_null(data ? "epoch" : "data");
  fovea_status status = check_data(vae, data);
  if (status == FOVEA_OK) status = check_epoch(epoch, data->count);
  if (status != FOVEA_OK) return status;
  uint32_t *order = malloc(data->count * sizeof *order);
  if (order == NULL) return fovea_fail(FOVEA_NO_MEMORY, "vae: no memory for the order of %zu images", data->count);
  fovea_shuffle(order, data->count, vae->config.seed, (uint32_t)epoch->epoch);
  epoch->stopped = false;
  status = train_from(vae, data, order, epoch);
  free(order);
  return status;
}

fovea_status fovea_vae_evaluate(fovea_vae *vae, const fovea_dataset *data, fovea_losses *losses) {
  if (!vae) return fovea_fail_null("vae");
  if (!data || !losses) return fovea_fail_null(data ? "losses" : "data");
  fovea_losses sum = {0};
  fovea_batches *batches = NULL;
  const uint8_t *pixels;
  const uint32_t *index;
  fovea_status status = check_data(vae, data);
  uint32_t pass = 0;
  if (status == FOVEA_OK) status = begin_batches(vae, data, NULL, 0, &batches);
  for (size_t done = 0; status == FOVEA_OK && done < data->count;) {
    const size_t n = batch_at(vae, done, data->count);
    status = fovea_batches_next(batches, &pixels, &index);
    if (status == FOVEA_OK) status = fovea_network_evaluate(vae->network, pixels, index, n, pass++);
    done += n;
    if (status == FOVEA_OK && reading_due(vae, done, data->count)) status = add_losses(vae, &sum);
  }
  fovea_batches_destroy(batches);
  if (status == FOVEA_OK) *losses = sum;
  return status;
}

/* Copies `tensor` of the last pass's `count` images behind the `done` ones in `out`, unless that is NULL. */
static fovea_status read_some(fovea_vae *vae, fovea_tensor tensor, size_t done, size_t count, size_t size, float *out) {
  return out == NULL ? FOVEA_OK : fovea_network_read(vae->network, tensor, count, out + done * size);
}

/* Evaluates images done .. done + count - 1 and copies their codes. The losses of these passes are discarded. */
static fovea_status encode_batch(fovea_vae *vae, const uint8_t *pixels, size_t done, size_t count, uint32_t pass,
                                 const fovea_codes *codes) {
  const size_t latent = (size_t)vae->config.latent;
  fovea_losses unused;
  fovea_status status =
      fovea_network_evaluate(vae->network, pixels + done * fovea_vae_image_size(vae), NULL, count, pass);
  if (status == FOVEA_OK) status = read_some(vae, vae->mu, done, count, latent, codes->mu);
  if (status == FOVEA_OK) status = read_some(vae, vae->logvar, done, count, latent, codes->logvar);
  if (status == FOVEA_OK) status = read_some(vae, vae->z, done, count, latent, codes->z);
  if (status == FOVEA_OK) status = fovea_network_losses(vae->network, &unused);
  return status;
}

static fovea_status reconstruct_samples(fovea_vae *vae, const uint8_t *pixels, size_t count, const fovea_codes *codes,
                                        float *out) {
  fovea_status status = FOVEA_OK;
  uint32_t pass = 0;
  for (size_t done = 0; status == FOVEA_OK && done < count;) {
    const size_t n = batch_at(vae, done, count);
    status = encode_batch(vae, pixels, done, n, pass++, codes);
    if (status == FOVEA_OK) status = read_some(vae, vae->reconstruction, done, n, fovea_vae_image_size(vae), out);
    done += n;
  }
  return status;
}

/* An evaluation pass decodes a sample of the code; the image of the mean is decoded from mu. */
static fovea_status reconstruct_means(fovea_vae *vae, const uint8_t *pixels, size_t count, const fovea_codes *codes,
                                      float *out) {
  const size_t size = count * (size_t)vae->config.latent;
  float *mu = codes->mu != NULL ? codes->mu : malloc(size * sizeof *mu);
  if (mu == NULL) return fovea_fail(FOVEA_NO_MEMORY, "vae: no memory for the codes of %zu images", count);
  fovea_status status =
      reconstruct_samples(vae, pixels, count, &(fovea_codes){.mu = mu, .logvar = codes->logvar}, NULL);
  if (status == FOVEA_OK) status = fovea_vae_decode(vae, mu, count, out);
  if (status == FOVEA_OK && codes->z != NULL) memcpy(codes->z, mu, size * sizeof *mu);
  if (mu != codes->mu) free(mu);
  return status;
}

fovea_status fovea_vae_reconstruct(fovea_vae *vae, const uint8_t *pixels, size_t count, fovea_latent latent,
                                   const fovea_codes *codes, float *reconstructions) {
  if (!vae) return fovea_fail_null("vae");
  if (!pixels || !reconstructions) return fovea_fail_null(pixels ? "reconstructions" : "pixels");
  const fovea_codes none = {NULL, NULL, NULL};
  if (codes == NULL) codes = &none;
  if (latent == FOVEA_LATENT_MEAN) return reconstruct_means(vae, pixels, count, codes, reconstructions);
  if (latent == FOVEA_LATENT_SAMPLE) return reconstruct_samples(vae, pixels, count, codes, reconstructions);
  return fovea_fail(FOVEA_INVALID, "vae: latent %d is not one of fovea_latent", (int)latent);
}

fovea_status fovea_vae_encode(fovea_vae *vae, const uint8_t *pixels, size_t count, float *mu) {
  if (!vae) return fovea_fail_null("vae");
  if (!pixels || !mu) return fovea_fail_null(pixels ? "mu" : "pixels");
  return reconstruct_samples(vae, pixels, count, &(fovea_codes){.mu = mu}, NULL);
}

fovea_status fovea_vae_decode(fovea_vae *vae, const float *z, size_t count, float *images) {
  if (!vae) return fovea_fail_null("vae");
  if (!z || !images) return fovea_fail_null(z ? "images" : "z");
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
