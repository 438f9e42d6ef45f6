/* Shards of the batch in queues of their own leave the bits that one queue leaves, in training and evaluation: as they
 * come, and with one shard as far ahead of the others as is allowed. No launch waits for what is not enqueued yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/vae.h"
#include "net/network.h"
#include "plan/inspect.h"
#include "runtime/device.h"
#include "support/device.h"
#include "support/enqueue.h"
#include "support/tiny.h"
#include "support/values.h"

/* Two batches and shard of a third. */
enum { SIDE = 8, PIXELS = SIDE * SIDE, MOST_BATCH = 144, IMAGES = 2 * MOST_BATCH + 20, MOST = 1 << 14 };

/* PoCL takes an event that is NULL as done; OpenCL has it as an error. */

cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint count, const cl_event *waits,
                                     cl_event *event) {
  for (cl_uint i = 0; i < count; i++) assert_non_null(waits[i]);
  return __real_clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count, waits, event);
}

static uint8_t pixels[IMAGES * PIXELS];
static double least; /* bytes of a segment that is divided */

typedef struct outcome {
  fovea_losses training, losses;
  float last[MOST_BATCH * PIXELS]; /* of the last evaluation's outputs */
  float values[MOST];
  size_t count;
} outcome;

/* An epoch, then an evaluation. `order` 0: as they come. Returns the shards. */
static int run(const char *queues, const fovea_vae_config *config, int order, outcome *o) {
  const size_t batch = (size_t)config->batch, images = 2 * batch + 20;
  const fovea_dataset data = {.count = images, .channels = 1, .height = SIDE, .width = SIDE, .pixels = pixels};
  fovea_device *on = open_with_queues(queues);
  on->shard_least_bytes = least;
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(on, config, true, &vae));
  fovea_plan *training = fovea_network_plan(vae->network, true), *evaluation = fovea_network_plan(vae->network, false);
  if (order > 0) fovea_plan_use_latest_schedule(training, order), fovea_plan_use_latest_schedule(evaluation, order);
  fovea_epoch e = {.epochs = 1, .lr = 0.005, .min_lr = 0.0001};
  memset(o, 0, sizeof *o);
  OK(fovea_vae_train_epoch(vae, &data, &e));
  o->training = e.so_far;
  o->count = all_values(vae, o->values, MOST);
  OK(fovea_vae_evaluate(vae, &data, &o->losses));
  OK(fovea_network_read(vae->network, vae->graph->loss, images % batch, o->last));
  const int shards = fovea_plan_shards(training);
  assert_int_equal(fovea_plan_shards(evaluation), shards);
  fovea_vae_destroy(vae);
  fovea_device_close(on);
  return shards;
}

static int shards_of_device(bool *divides) {
  fovea_device *on = NULL;
  OK(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &on));
  const int shards = on->shard_count;
  *divides = on->tuning.vector > 1 && shards > 1;
  fovea_device_close(on);
  return shards;
}

static void in_parts(fovea_vae_config config) {
  static outcome one, o;
  bool divides;
  const int shards = shards_of_device(&divides), blocks = config.batch / 16;
  assert_int_equal(run("1", &config, 0, &one), 0);
  assert_true(one.count > 0);
  for (int order = 0; order <= 2; order++) {
    const int used = run("shards", &config, order, &o);
    assert_int_equal(used, divides && (blocks % shards == 0 || blocks >= 4 * shards) ? shards : 0);
    assert_memory_equal(&one, &o, sizeof o);
  }
}

static void equal_parts(void **state) {
  (void)state;
  in_parts(tiny_config(SIDE, 64));
}

static void parts_of_other_sizes(void **state) {
  (void)state;
  in_parts(tiny_config(SIDE, MOST_BATCH));
}

/* Images of 8, 4 and 2 pixels a side within a few launches, so that tensors of each share memory. */
static void images_of_three_sizes(void **state) {
  (void)state;
  fovea_vae_config c = tiny_config(SIDE, 64);
  c.unit_count = 4;
  for (int i = 0; i < c.unit_count; i++) c.units[i] = 5 - i;
  c.attention = FOVEA_ATTENTION_NONE;
  in_parts(c);
}

/* Without normalization, whose statistics need the whole batch, segments are long. */
static void without_normalization(void **state) {
  (void)state;
  fovea_vae_config c = tiny_config(SIDE, 64);
  c.batchnorm = false;
  c.depth = 3;
  in_parts(c);
}

/* Some for the whole device among others that are divided: what each touches is 10 to 400 KB. */
static void small_segments_whole(void **state) {
  (void)state;
  for (least = 5e4; least < 3e5; least *= 2) in_parts(tiny_config(SIDE, 64));
  least = 0;
}

/* Shards would have two blocks and one. */
static void not_in_uneven_parts(void **state) {
  (void)state;
  static outcome o;
  bool divides;
  const fovea_vae_config config = tiny_config(SIDE, 48);
  const int shards = shards_of_device(&divides);
  assert_int_equal(run("shards", &config, 0, &o), divides && shards == 3 ? 3 : 0);
}

static int fill_images(void **state) {
  (void)state;
  tiny_pixels(pixels, sizeof pixels);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(equal_parts),           cmocka_unit_test(parts_of_other_sizes),
                                     cmocka_unit_test(images_of_three_sizes), cmocka_unit_test(without_normalization),
                                     cmocka_unit_test(small_segments_whole),  cmocka_unit_test(not_in_uneven_parts)};
  return cmocka_run_group_tests(tests, fill_images, NULL);
}
