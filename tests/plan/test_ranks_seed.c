/* The self-test's 20 steps of the seed network by ranks, threads with a device each: every one of them has the recorded
 * checkpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check/check.h"
#include "model/checkpoint.h"
#include "support/device.h"
#include "support/gpu_path.h"
#include "support/ranks.h"

static fovea_dataset images;

typedef struct rank {
  pthread_t thread;
  seat sits;
  int count;
  fovea_status status;
  uint64_t hash;
} rank;

static fovea_status train(fovea_device *own, rank *r) {
  const fovea_ranks ranks = {.rank = r->sits.rank,
                             .count = r->count,
                             .user = &r->sits,
                             .begin = room_begin,
                             .end = room_end,
                             .scatter = room_scatter,
                             .sync_batchnorm = true};
  fovea_vae_config config = check_network(false);
  fovea_vae *vae = NULL;
  fovea_epoch epoch = {.epochs = 25, .lr = 0.005, .min_lr = 0.0001};
  config.ranks = &ranks;
  fovea_status status = fovea_vae_create(own, &config, true, &vae);
  if (status == FOVEA_OK) status = fovea_vae_train_epoch(vae, &images, &epoch);
  const fovea_training_state state = {.images_done = images.count, .so_far = epoch.so_far};
  if (status == FOVEA_OK) status = fovea_checkpoint_hash(vae, &state, &r->hash);
  fovea_vae_destroy(vae);
  return status;
}

static void *run_rank(void *argument) {
  rank *r = argument;
  fovea_device *own = NULL;
  r->status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
  if (r->status == FOVEA_OK) r->status = train(own, r);
  if (r->status != FOVEA_OK) fprintf(stderr, "rank %d: %s\n", r->sits.rank, fovea_error_message());
  fovea_device_close(own);
  return NULL;
}

static void expect_recorded(int count) {
  rank all[MOST_RANKS];
  room *in = new_room(count);
  for (int i = 0; i < count; i++) {
    all[i] = (rank){.sits = {.in = in, .rank = i}, .count = count};
    assert_int_equal(pthread_create(&all[i].thread, NULL, run_rank, &all[i]), 0);
  }
  for (int i = 0; i < count; i++) pthread_join(all[i].thread, NULL);
  for (int i = 0; i < count; i++) {
    assert_int_equal(all[i].status, FOVEA_OK);
    assert_int_equal(all[i].hash, 0x5eb08bd1101041a5u);
  }
  empty_room(in);
}

/* By a GPU's path, where each takes minutes, three alone, whose shards differ. */
static void test_ranks(void **state) {
  (void)state;
  const int least = on_gpu_path() ? 3 : 2, most = on_gpu_path() ? 3 : 4;
  for (int count = least; count <= most; count++) expect_recorded(count);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranks)};
  if (check_images(false, &images) != FOVEA_OK) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(images.pixels);
  return failed;
}
