/* Training an autoencoder on augmented images: resumed in the middle of an epoch as if never stopped, and evaluated on
 * images as they are. */
#include "model/small.h"

enum { IMAGES = 300, EPOCHS = 2 };

static fovea_vae_config augmented(void) {
  fovea_vae_config c = small_config();
  c.augment =
      (fovea_augmentation){.shift = 2, .flip = FOVEA_FLIP_HORIZONTAL, .crop = 2, .contrast = 0.2, .brightness = 0.2};
  return c;
}

static fovea_vae *make(const fovea_vae_config *config) {
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(device, config, true, &vae));
  return vae;
}

static fovea_epoch epoch_of(int epoch) {
  return (fovea_epoch){.epoch = epoch, .epochs = EPOCHS, .lr = 0.005, .min_lr = 0.0001};
}

/* Trains to the end from epoch `first`, of which *e says what is done, and leaves the checkpoint in `path`. */
static void finish(fovea_vae *vae, const fovea_dataset *data, int first, fovea_epoch *e, const char *path) {
  for (int i = first; i < EPOCHS; i++) {
    if (i > first) *e = epoch_of(i);
    OK(fovea_vae_train_epoch(vae, data, e));
  }
  OK(fovea_vae_save(vae, path, &(fovea_training_state){.epoch = EPOCHS}, NULL));
}

static bool stop_at_once(void *user, size_t images_done, const fovea_losses *losses) {
  (void)losses;
  *(size_t *)user = images_done;
  return false;
}

static void resuming_changes_nothing(void **state) {
  (void)state;
  const fovea_vae_config c = augmented();
  fovea_dataset *d = images("train", IMAGES);
  fovea_vae *vae = make(&c);
  fovea_epoch whole = epoch_of(0), e = epoch_of(0);
  finish(vae, d, 0, &whole, temp_path("whole.safetensors"));
  fovea_vae_destroy(vae);

  size_t done = 0;
  vae = make(&c);
  e.progress = stop_at_once, e.user = &done;
  OK(fovea_vae_train_epoch(vae, d, &e));
  assert_true(e.stopped && done > 0 && done < IMAGES);
  fovea_training_state saved = {.images_done = done, .so_far = e.so_far};
  OK(fovea_vae_save(vae, temp_path("part.safetensors"), &saved, NULL));
  fovea_vae_destroy(vae);

  vae = make(&c);
  OK(fovea_vae_load(vae, temp_path("part.safetensors"), &saved));
  e = epoch_of(0);
  e.start = saved.images_done, e.so_far = saved.so_far;
  finish(vae, d, 0, &e, temp_path("resumed.safetensors"));
  assert_memory_equal(&e.so_far, &whole.so_far, sizeof e.so_far);
  assert_same_bytes(temp_path("whole.safetensors"), temp_path("resumed.safetensors"));
  fovea_vae_destroy(vae);
  fovea_dataset_destroy(d);
}

/* The same weights in a network without augmentation have the same test losses; training has others from the first
 * epoch on. */
static void evaluations_are_of_images_as_they_are(void **state) {
  (void)state;
  const fovea_vae_config on = augmented(), off = small_config();
  fovea_dataset *d = images("train", IMAGES);
  fovea_vae *with = make(&on), *without = make(&off);
  fovea_epoch a = epoch_of(0), b = epoch_of(0);
  fovea_losses losses[2];
  OK(fovea_vae_train_epoch(without, d, &b));
  finish(with, d, 0, &a, temp_path("with.safetensors"));
  assert_true(a.so_far.bce != b.so_far.bce);
  OK(fovea_vae_evaluate(with, d, &losses[0]));
  OK(fovea_vae_load(without, temp_path("with.safetensors"), NULL));
  OK(fovea_vae_evaluate(without, d, &losses[1]));
  assert_memory_equal(&losses[0], &losses[1], sizeof losses[0]);
  fovea_vae_destroy(with);
  fovea_vae_destroy(without);
  fovea_dataset_destroy(d);
}

static void what_images_cannot_have(void **state) {
  (void)state;
  fovea_vae_config c = augmented();
  c.augment.shift = 26;
  assert_int_equal(fovea_vae_check(&c), FOVEA_INVALID);
  assert_message("shift 26 and crop 2 would move images of 28x28 pixels");
  c.augment.shift = 25;
  OK(fovea_vae_check(&c));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(resuming_changes_nothing),
                                     cmocka_unit_test(evaluations_are_of_images_as_they_are),
                                     cmocka_unit_test(what_images_cannot_have)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
