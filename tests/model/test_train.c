/* Training a small network on real images: it learns, it repeats itself, and it resumes as if never stopped. */
#include "model/small.h"

#include <math.h>

static fovea_vae *make(const fovea_vae_config *config) {
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(device, config, true, &vae));
  return vae;
}

enum { EPOCHS = 2 };

static fovea_epoch epoch_of(int epoch) {
  return (fovea_epoch){.epoch = epoch, .epochs = EPOCHS, .lr = 0.005, .min_lr = 0.0001};
}

/* Trains and leaves the checkpoint in `path`. */
static void train(const fovea_vae_config *config, const fovea_dataset *data, const char *path,
                  fovea_losses losses[EPOCHS]) {
  fovea_vae *vae = make(config);
  for (int i = 0; i < EPOCHS; i++) {
    fovea_epoch e = epoch_of(i);
    OK(fovea_vae_train_epoch(vae, data, &e));
    assert_false(e.stopped);
    losses[i] = e.so_far;
  }
  const fovea_training_state state = {.epoch = EPOCHS};
  OK(fovea_vae_save(vae, path, &state, NULL));
  fovea_vae_destroy(vae);
}

static void seed_network_has_its_size(void **state) {
  (void)state;
  const fovea_vae_config c = fovea_vae_default();
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(device, &c, false, &vae));
  size_t moving = 0;
  for (size_t i = 0; i < fovea_network_parameter_count(vae->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(vae->network, i);
    if (!p->trainable) moving += p->count;
  }
  assert_int_equal(fovea_vae_parameter_count(vae), 217553);
  assert_int_equal(moving, 1480);
  fovea_vae_destroy(vae);
}

static void learning_rate(void **state) {
  (void)state;
  assert_true(fovea_vae_learning_rate(0.005, 0.0001, 25, 0) == 0.005);
  /* decay 2 (0.0049) / 25 = 3.92e-4: after 1000 steps 0.005 / 1.392 */
  assert_true(fabs(fovea_vae_learning_rate(0.005, 0.0001, 25, 1000) - 0.005 / 1.392) < 1e-15);
  assert_true(fovea_vae_learning_rate(0.01, 0.01, 3, 12345) == 0.01);
}

/* The loss starts near ln 2 = 0.69, where every pixel is 0.5, and the second short epoch is a tenth below the first. */
static void it_learns_and_repeats(void **state) {
  (void)state;
  fovea_vae_config c = small_config();
  fovea_dataset *d = images("train", 1000); /* the last batch has 8 images of 16 */
  fovea_losses first[EPOCHS], second[EPOCHS];
  train(&c, d, temp_path("first.safetensors"), first);
  train(&c, d, temp_path("second.safetensors"), second);
  assert_memory_equal(first, second, sizeof first);
  assert_same_bytes(temp_path("first.safetensors"), temp_path("second.safetensors"));
  assert_int_equal(first[0].images, 1000);
  assert_int_equal(first[0].passes, 63);
  assert_true(fabs(first[0].total - (first[0].bce + 0.001 * first[0].kl)) < 1e-12);
  print_message("bce %.4f, then %.4f\n", first[0].bce, first[1].bce);
  assert_true(first[0].bce < 0.7 && first[1].bce < 0.9 * first[0].bce);
  c.seed++;
  train(&c, d, temp_path("third.safetensors"), second);
  assert_true(first[1].bce != second[1].bce);
  fovea_dataset_destroy(d);
}

static bool stop_at_once(void *user, size_t images_done, const fovea_losses *losses) {
  *(size_t *)user = images_done;
  assert_int_equal(losses->images, images_done);
  return false;
}

static void resuming_changes_nothing(void **state) {
  (void)state;
  const fovea_vae_config c = small_config();
  fovea_dataset *d = images("train", 1000);
  fovea_losses whole[EPOCHS];
  train(&c, d, temp_path("whole.safetensors"), whole);

  fovea_vae *vae = make(&c);
  size_t done = 0;
  fovea_epoch e = epoch_of(0);
  OK(fovea_vae_train_epoch(vae, d, &e));
  e = epoch_of(1);
  e.progress = stop_at_once;
  e.user = &done;
  OK(fovea_vae_train_epoch(vae, d, &e));
  assert_true(e.stopped && done > 0 && done < d->count);
  fovea_training_state saved = {.epoch = 1, .images_done = done, .so_far = e.so_far};
  OK(fovea_vae_save(vae, temp_path("part.safetensors"), &saved, NULL));
  fovea_vae_destroy(vae);

  vae = make(&c);
  OK(fovea_vae_load(vae, temp_path("part.safetensors"), &saved));
  e = epoch_of(1);
  e.start = saved.images_done;
  e.so_far = saved.so_far;
  OK(fovea_vae_train_epoch(vae, d, &e));
  assert_memory_equal(&e.so_far, &whole[1], sizeof e.so_far);
  saved = (fovea_training_state){.epoch = EPOCHS};
  OK(fovea_vae_save(vae, temp_path("resumed.safetensors"), &saved, NULL));
  assert_same_bytes(temp_path("whole.safetensors"), temp_path("resumed.safetensors"));
  fovea_vae_destroy(vae);
  fovea_dataset_destroy(d);
}

/* Evaluating is a function of the weights: twice the same, and training goes on as without it. */
static void evaluating_leaves_no_trace(void **state) {
  (void)state;
  const fovea_vae_config c = small_config();
  fovea_dataset *train_set = images("train", 1000), *test_set = images("test", 100);
  fovea_losses plain[EPOCHS], a, b;
  train(&c, train_set, temp_path("plain.safetensors"), plain);
  fovea_vae *vae = make(&c);
  float *out = malloc(100 * 784 * sizeof *out), mu[2 * 100];
  for (int i = 0; i < EPOCHS; i++) {
    fovea_epoch e = epoch_of(i);
    OK(fovea_vae_train_epoch(vae, train_set, &e));
    OK(fovea_vae_evaluate(vae, test_set, &a));
    OK(fovea_vae_reconstruct(vae, test_set->pixels, 40, FOVEA_LATENT_MEAN, NULL, out));
    OK(fovea_vae_reconstruct(vae, test_set->pixels, 40, FOVEA_LATENT_SAMPLE, NULL, out));
    OK(fovea_vae_encode(vae, test_set->pixels, 100, mu));
    OK(fovea_vae_decode(vae, mu, 100, out));
    OK(fovea_vae_evaluate(vae, test_set, &b));
    assert_memory_equal(&a, &b, sizeof a);
  }
  const fovea_training_state end = {.epoch = EPOCHS};
  OK(fovea_vae_save(vae, temp_path("evaluated.safetensors"), &end, NULL));
  assert_same_bytes(temp_path("plain.safetensors"), temp_path("evaluated.safetensors"));
  assert_int_equal(a.images, 100);
  assert_true(a.bce > 0 && a.bce < 0.7);
  free(out);
  fovea_vae_destroy(vae);
  fovea_dataset_destroy(train_set);
  fovea_dataset_destroy(test_set);
}

/* Batches do not mix: an image's code is the same whatever stands beside it. Decoding the codes gives images. */
static void codes_and_images(void **state) {
  (void)state;
  const fovea_vae_config c = small_config();
  fovea_dataset *d = images("test", 37);
  fovea_vae *vae = make(&c);
  float all[37 * 2], one[2], *pictures = malloc(37 * 784 * sizeof *pictures);
  OK(fovea_vae_encode(vae, d->pixels, 37, all));
  for (size_t i = 0; i < 37; i += 12) {
    OK(fovea_vae_encode(vae, d->pixels + i * 784, 1, one));
    assert_memory_equal(one, all + 2 * i, sizeof one);
  }
  OK(fovea_vae_decode(vae, all, 37, pictures));
  for (size_t i = 0; i < 37 * 784; i++) assert_true(pictures[i] >= 0 && pictures[i] <= 1);
  free(pictures);
  fovea_vae_destroy(vae);
  fovea_dataset_destroy(d);
}

/* Decoding begins after z: the z of an evaluation gives its reconstruction, bit for bit. */
static void decoding_a_sample(void **state) {
  (void)state;
  const fovea_vae_config c = small_config();
  fovea_dataset *d = images("test", 16);
  fovea_vae *vae = make(&c);
  float z[16 * 2], *wanted = malloc(16 * 784 * sizeof *wanted), *got = malloc(16 * 784 * sizeof *got);
  OK(fovea_network_evaluate(vae->network, d->pixels, NULL, 16, 5));
  OK(fovea_network_read(vae->network, vae->z, 16, z));
  OK(fovea_network_read(vae->network, vae->reconstruction, 16, wanted));
  OK(fovea_vae_decode(vae, z, 16, got));
  assert_memory_equal(got, wanted, 16 * 784 * sizeof *got);
  free(wanted);
  free(got);
  fovea_vae_destroy(vae);
  fovea_dataset_destroy(d);
}

/* The codes handed out are those that the images come from, of the mean and of a sample, over batches and a rest; mu
 * and logvar are the same of both, and a sample is not its mean. */
static void codes_of_reconstructions(void **state) {
  (void)state;
  enum { IMAGES = 37 };
  const fovea_vae_config c = small_config();
  fovea_dataset *d = images("test", IMAGES);
  fovea_vae *vae = make(&c);
  float mu[2][IMAGES * 2] = {{0}}, logvar[2][IMAGES * 2] = {{0}}, z[2][IMAGES * 2] = {{0}}, encoded[IMAGES * 2];
  const size_t size = IMAGES * 784 * sizeof(float);
  float *got = malloc(size), *alone = malloc(size), *decoded = malloc(size);
  for (int latent = FOVEA_LATENT_MEAN; latent <= FOVEA_LATENT_SAMPLE; latent++) {
    const fovea_codes codes = {mu[latent], logvar[latent], z[latent]};
    OK(fovea_vae_reconstruct(vae, d->pixels, IMAGES, (fovea_latent)latent, &codes, got));
    OK(fovea_vae_decode(vae, z[latent], IMAGES, decoded));
    assert_memory_equal(got, decoded, size);
    OK(fovea_vae_reconstruct(vae, d->pixels, IMAGES, (fovea_latent)latent, NULL, alone));
    assert_memory_equal(got, alone, size);
  }
  OK(fovea_vae_encode(vae, d->pixels, IMAGES, encoded));
  assert_memory_equal(mu[FOVEA_LATENT_MEAN], encoded, sizeof encoded);
  assert_memory_equal(mu[FOVEA_LATENT_SAMPLE], encoded, sizeof encoded);
  assert_memory_equal(z[FOVEA_LATENT_MEAN], encoded, sizeof encoded);
  assert_memory_equal(logvar[FOVEA_LATENT_MEAN], logvar[FOVEA_LATENT_SAMPLE], sizeof encoded);
  for (size_t i = 0; i < IMAGES * 2; i++) assert_true(z[FOVEA_LATENT_SAMPLE][i] != encoded[i]);
  assert_int_equal(fovea_vae_reconstruct(vae, d->pixels, 1, (fovea_latent)2, NULL, got), FOVEA_INVALID);
  assert_message("latent 2");
  free(got);
  free(alone);
  free(decoded);
  fovea_vae_destroy(vae);
  fovea_dataset_destroy(d);
}

/* A loss is the mean over images: of batches weighed by their size, however many are read at once. */
static void losses_are_means_over_images(void **state) {
  (void)state;
  enum { IMAGES = 150, BATCH = 16 }; /* eight batches, then one and six images */
  const fovea_vae_config c = small_config();
  fovea_dataset *d = images("test", IMAGES);
  fovea_vae *vae = make(&c);
  fovea_losses whole, part;
  double bce = 0, kl = 0;
  OK(fovea_vae_evaluate(vae, d, &whole));
  for (uint32_t pass = 0; pass * BATCH < IMAGES; pass++) {
    const size_t n = IMAGES - pass * BATCH < BATCH ? IMAGES - pass * BATCH : BATCH;
    OK(fovea_network_evaluate(vae->network, d->pixels + pass * BATCH * 784, NULL, n, pass));
    OK(fovea_network_losses(vae->network, &part));
    bce += part.bce * (double)n / IMAGES;
    kl += part.kl * (double)n / IMAGES;
  }
  assert_int_equal(whole.images, IMAGES);
  if (!(fabs(whole.bce - bce) < 1e-12 * bce && fabs(whole.kl - kl) < 1e-12 * kl))
    fail_msg("bce %.17g and kl %.17g, expected %.17g and %.17g", whole.bce, whole.kl, bce, kl);
  fovea_vae_destroy(vae);
  fovea_dataset_destroy(d);
}

/* Nothing but the order of the images depends on the epoch's number. */
static void epochs_differ_in_order(void **state) {
  (void)state;
  const fovea_vae_config c = small_config();
  fovea_dataset *d = images("train", 64);
  fovea_losses losses[EPOCHS];
  for (int i = 0; i < EPOCHS; i++) {
    fovea_vae *vae = make(&c);
    fovea_epoch e = epoch_of(i);
    OK(fovea_vae_train_epoch(vae, d, &e));
    losses[i] = e.so_far;
    fovea_vae_destroy(vae);
  }
  assert_true(losses[0].bce != losses[1].bce);
  fovea_dataset_destroy(d);
}

static void refusals(void **state) {
  (void)state;
  fovea_vae_config bad[12];
  for (int i = 0; i < 12; i++) bad[i] = small_config();
  bad[0].unit_count = 1;
  bad[1].units[2] = 0;
  bad[2].height = 0;
  bad[3].depth = 0;
  bad[4].latent = 0;
  bad[5].dropout = 1;
  bad[6].kl_weight = NAN;
  bad[7].batch = 0;
  bad[8].bn_momentum = 1;
  bad[9].kernel = 4;
  bad[10].kernel = 1;
  bad[11].kernel = 17;
  const char *const messages[12] = {"1 units",       "0 channels", "0x28",          "depth 0",
                                    "latent size 0", "dropout 1",  "KL weight nan", "batch 0",
                                    "momentum 1",    "4x4",        "1x1",           "17x17"};
  for (int i = 0; i < 12; i++) {
    fovea_vae *vae = NULL;
    assert_int_equal(fovea_vae_create(device, &bad[i], true, &vae), FOVEA_INVALID);
    assert_null(vae);
    assert_message(messages[i]);
    assert_int_equal(fovea_vae_check(&bad[i]), FOVEA_INVALID);
    assert_message(messages[i]);
  }
  fovea_vae_config large = fovea_vae_default();
  large.height = large.width = 228;
  OK(fovea_vae_check(&large));
  large.height = 229;
  assert_int_equal(fovea_vae_check(&large), FOVEA_INVALID);
  assert_message(
      "images of 229x228 are too large for 4 units: the bottleneck would have 16530 values, expected at most "
      "16384: make the images 228x228 or smaller, or give 5 units or more");
  large.units[4] = 3;
  large.unit_count = 5;
  OK(fovea_vae_check(&large));
  const fovea_vae_config c = small_config();
  OK(fovea_vae_check(&c));
  assert_int_equal(fovea_vae_check(NULL), FOVEA_INVALID);
  fovea_vae *vae = make(&c);
  fovea_dataset *d = images("test", 16);
  fovea_losses losses;
  fovea_epoch e = epoch_of(0);
  e.start = 17;
  assert_int_equal(fovea_vae_train_epoch(vae, d, &e), FOVEA_INVALID);
  d->height = 14;
  d->width = 56;
  assert_int_equal(fovea_vae_evaluate(vae, d, &losses), FOVEA_INVALID);
  assert_message("1x14x56");
  fovea_dataset_destroy(d);
  fovea_vae_destroy(vae);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(learning_rate),
                                     cmocka_unit_test(refusals),
                                     cmocka_unit_test(decoding_a_sample),
                                     cmocka_unit_test(codes_of_reconstructions),
                                     cmocka_unit_test(losses_are_means_over_images),
                                     cmocka_unit_test(epochs_differ_in_order),
                                     cmocka_unit_test(it_learns_and_repeats),
                                     cmocka_unit_test(resuming_changes_nothing),
                                     cmocka_unit_test(evaluating_leaves_no_trace),
                                     cmocka_unit_test(codes_and_images),
                                     cmocka_unit_test(seed_network_has_its_size)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
