/* Twenty steps of training, once with the device at rest before each, once back to back: both must end with the
 * recorded hash of the checkpoint's data. And a few steps of few images, likewise: a batch of one block is planned
 * otherwise. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "check/check.h"
#include "model/checkpoint.h"

enum { STEPS = 20, SHORT = 27 /* images that the last batch lacks */, SMALL_SHORT = 2 };
enum { FEW = 5 /* images of a batch */, FEW_STEPS = 8 /* between two readings of the losses: src/model/train.c */ };

/* The same on every device that conforms, and of the canonical reference in plain C (tests/model/test_plain_c.c).
 * They change with the canonical order of a kernel, and then the commit says why. */
static const check_training seed_recorded = {
    .network = "seed", .expected = 0x5eb08bd1101041a5u, .expected_losses = {0.69863036, 0.67401508}};
static const check_training small_recorded = {
    .network = "small", .expected = 0x02bd0528e5f65c9du, .expected_losses = {0.77596433, 0.76162648}};

fovea_vae_config check_network(bool small) {
  fovea_vae_config c = fovea_vae_default();
  if (!small) return c;
  c.height = 4, c.width = 4;
  c.units[0] = 4, c.units[1] = 3, c.units[2] = 2, c.unit_count = 3;
  c.depth = 1, c.batch = 5;
  c.attention = FOVEA_ATTENTION_CBAM, c.activation = FOVEA_SELU;
  return c;
}

static uint32_t draw(uint32_t *state) { /* xorshift32, Marsaglia 2003 */
  *state ^= *state << 13, *state ^= *state >> 17, *state ^= *state << 5;
  return *state;
}

/* Three gray rectangles on black, so that there is something to learn, and margins whose channels tie. */
static void draw_image(uint8_t *pixels, int height, int width, uint32_t *state) {
  for (int r = 0; r < 3; r++) {
    const int top = (int)(draw(state) % (uint32_t)height), left = (int)(draw(state) % (uint32_t)width);
    const int bottom = top + 1 + (int)(draw(state) % (uint32_t)(height - top));
    const int right = left + 1 + (int)(draw(state) % (uint32_t)(width - left));
    const uint8_t gray = (uint8_t)(draw(state) >> 24);
    for (int y = top; y < bottom; y++)
      for (int x = left; x < right; x++) pixels[y * width + x] = gray;
  }
}

fovea_status check_images(bool small, fovea_dataset *images) {
  const fovea_vae_config c = check_network(small);
  const size_t size = (size_t)c.height * (size_t)c.width;
  const size_t count = (size_t)(STEPS * c.batch - (small ? SMALL_SHORT : SHORT));
  *images = (fovea_dataset){.count = count, .channels = 1, .height = c.height, .width = c.width};
  images->pixels = calloc(count, size);
  if (!images->pixels) return fovea_fail(FOVEA_NO_MEMORY, "check: no memory for %zu images", count);
  uint32_t state = 768;
  for (size_t i = 0; i < count; i++) draw_image(images->pixels + i * size, c.height, c.width, &state);
  return FOVEA_OK;
}

typedef struct run {
  fovea_device *device;
  bool apart; /* the device is at rest before each step */
  fovea_status status;
  check_training *result;
} run;

static bool note_first(void *user, size_t images, const fovea_losses *losses) {
  run *r = user;
  (void)images;
  if (r->result->first_loss == 0) r->result->first_loss = losses->total;
  return r->status == FOVEA_OK;
}

static void rest(void *user) {
  run *r = user;
  if (r->apart && r->status == FOVEA_OK) r->status = fovea_device_finish(r->device);
}

static fovea_status train_once(fovea_device *device, const fovea_vae_config *config, const fovea_dataset *images,
                               bool apart, check_training *result) {
  fovea_vae *vae = NULL;
  run r = {.device = device, .apart = apart, .result = result};
  fovea_epoch epoch = {
      .epochs = 25, .lr = 0.005, .min_lr = 0.0001, .progress = note_first, .step_done = rest, .user = &r};
  fovea_status status = fovea_vae_create(device, config, true, &vae);
  const double begun = fovea_seconds();
  if (status == FOVEA_OK) status = fovea_vae_train_epoch(vae, images, &epoch);
  if (status == FOVEA_OK) status = r.status;
  result->images_per_s = (double)images->count / (fovea_seconds() - begun);
  result->last_loss = epoch.so_far.total;
  result->steps = vae ? (int)fovea_network_get_step(vae->network) : 0;
  const fovea_training_state state = {.epoch = 0, .images_done = images->count, .so_far = epoch.so_far};
  if (status == FOVEA_OK) status = fovea_checkpoint_hash(vae, &state, &result->hash);
  fovea_vae_destroy(vae);
  return status;
}

/* The first images in batches of few, back to back and apart: do they end with the same bits? */
static fovea_status train_few(fovea_device *device, fovea_vae_config config, fovea_dataset images, bool *same) {
  check_training apart = {0}, at_once = {0};
  config.batch = FEW;
  images.count = FEW * FEW_STEPS;
  fovea_status status = train_once(device, &config, &images, true, &apart);
  if (status == FOVEA_OK) status = train_once(device, &config, &images, false, &at_once);
  *same = status == FOVEA_OK && apart.hash == at_once.hash;
  return status;
}

fovea_status check_train(fovea_device *device, bool small, check_training *result) {
  const fovea_vae_config config = check_network(small);
  fovea_dataset images = {0};
  check_training apart = {0};
  *result = small ? small_recorded : seed_recorded;
  fovea_status status = check_images(small, &images);
  if (status == FOVEA_OK) status = train_once(device, &config, &images, true, &apart);
  if (status == FOVEA_OK) status = train_once(device, &config, &images, false, result);
  if (status == FOVEA_OK) status = train_few(device, config, images, &result->few_repeated);
  if (status != FOVEA_OK) *result = small ? small_recorded : seed_recorded;
  result->repeated = status == FOVEA_OK && apart.hash == result->hash;
  free(images.pixels);
  return status == FOVEA_OK || status == FOVEA_MISMATCH ? status : fovea_fail_in(status, "training");
}
