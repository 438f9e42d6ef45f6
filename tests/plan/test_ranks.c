/* Ranks, here threads with a device each, leave the bits of one network that has the whole batch: parameters,
 * gradients, moments, moving statistics and losses, whichever way gradients go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>

#include "fovea/vae.h"
#include "net/internal.h"
#include "plan/inspect.h"
#include "runtime/device.h"
#include "support/device.h"
#include "support/every_op.h"
#include "support/ranks.h"
#include "support/tiny.h"

enum { SIDE = 8, MOST_BATCH = 80, PASSES = 5, MOST = 1 << 14, FEW = 16 };

static uint8_t pixels[2 * MOST_BATCH * EVERY_OP_IMAGE];

/* --- what each rank does ------------------------------------------------------------------------------------------ */

/* Steps on `images` each, 0: an evaluation of half a batch in its place. */
typedef struct work {
  fovea_vae_config config; /* batch 0: the graph of every op in its place */
  int batch;
  bool whole;          /* gradients go whole from each to all, not by slices */
  bool own_statistics; /* of each rank */
  int order;           /* fovea_plan_use_latest_schedule */
  int images[PASSES];
  void (*before)(fovea_network *network); /* training; NULL: nothing */
} work;

typedef struct outcome {
  fovea_losses training, evaluation;
  size_t count;
  float values[MOST];
  size_t first, images, image;                /* of the last evaluation, the rank's own */
  float outputs[MOST_BATCH * EVERY_OP_IMAGE]; /* of those */
  float augmented[FEW * EVERY_OP_IMAGE], from[FEW * EVERY_OP_IMAGE];
} outcome;

typedef struct rank {
  pthread_t thread;
  const work *does;
  fovea_ranks of;
  seat sits;
  fovea_status status;
  char message[512];
  size_t meetings, bytes, memory, gradients; /* bytes */
  outcome result;
} rank;

/* Trainable parameters alone where statistics are the ranks' own. */
static fovea_status read_values(fovea_network *net, bool own_statistics, outcome *o) {
  static const fovea_value kinds[] = {FOVEA_VALUE, FOVEA_GRADIENT, FOVEA_FIRST_MOMENT, FOVEA_SECOND_MOMENT};
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    for (size_t k = 0; k < (p->trainable ? 4 : own_statistics ? 0 : 1) && status == FOVEA_OK; k++) {
      if (o->count + p->count > MOST) abort();
      status = fovea_network_get(net, i, kinds[k], o->values + o->count);
      o->count += p->count;
    }
  }
  return status;
}

static fovea_status pass(fovea_network *net, const work *w, int i) {
  const size_t half = (size_t)w->batch / 2 + 3;
  uint32_t index[2 * MOST_BATCH];
  for (uint32_t k = 0; k < 2 * MOST_BATCH; k++) index[k] = (k * 7 + (uint32_t)i) % (2 * MOST_BATCH);
  if (w->images[i] == 0) return fovea_network_evaluate(net, pixels, index, half, (uint32_t)i);
  return fovea_network_train_numbered(net, pixels, index, &(fovea_numbering){NULL, 3}, (size_t)w->images[i], 0.01f);
}

/* What a rank does by itself: reads the last evaluation's outputs, and of a few images what augmentation makes, and
 * what comes of given outputs' inputs. */
static fovea_status look(fovea_network *net, const work *w, const fovea_ranks *ranks, outcome *o) {
  static const float given[FEW * EVERY_OP_IMAGE] = {0.5f, -1.0f, 2.0f};
  const fovea_tensor output = fovea_network_output(net), before = output - 1;
  fovea_status status = fovea_ranks_part(ranks, w->batch, (size_t)w->batch / 2 + 3, &o->first, &o->images);
  o->image = w->config.batch > 0 ? SIDE * SIDE : EVERY_OP_IMAGE;
  if (status == FOVEA_OK && o->images > 0) status = fovea_network_read(net, output, o->images, o->outputs);
  if (status == FOVEA_OK) status = fovea_network_augment(net, pixels, NULL, NULL, FEW, o->augmented);
  if (status == FOVEA_OK && fovea_network_keeps(net, before)) {
    status = fovea_network_evaluate_from(net, before, given, FEW);
    if (status == FOVEA_OK) status = fovea_network_read(net, output, FEW, o->from);
  }
  return status;
}

/* The first, which meets as often and sends as many bytes as it says. */
static fovea_status step_as_said(fovea_network *net, rank *r) {
  if (r->does->before) r->does->before(net);
  r->gradients = 4 * net->resources.trainable_count;
  const fovea_status status = pass(net, r->does, 0);
  if (status == FOVEA_OK && ((size_t)r->sits.begun != r->meetings || r->sits.sent != r->bytes)) abort();
  return status;
}

static fovea_status train(fovea_network *net, const work *w, outcome *o) {
  fovea_status status = FOVEA_OK;
  for (int i = 1; i < PASSES && status == FOVEA_OK && w->images[i] > 0; i++) status = pass(net, w, i);
  if (status == FOVEA_OK) status = fovea_network_losses(net, &o->training);
  if (status == FOVEA_OK) status = read_values(net, w->own_statistics, o);
  for (int i = 0; i < 2 && status == FOVEA_OK; i++)
    status = fovea_network_evaluate(net, pixels, NULL, (size_t)(i == 0 ? w->batch : w->batch / 2 + 3), (uint32_t)i);
  return status == FOVEA_OK ? fovea_network_losses(net, &o->evaluation) : status;
}

static fovea_status run_on(fovea_device *own, rank *r) {
  const work *w = r->does;
  const fovea_ranks *ranks = r->of.count > 0 ? &r->of : NULL;
  fovea_vae_config config = w->config;
  fovea_vae *vae = NULL;
  fovea_graph *graph = NULL;
  fovea_network *net = NULL;
  fovea_status status;
  config.ranks = ranks;
  if (config.batch > 0) {
    status = fovea_vae_create(own, &config, true, &vae);
    if (vae) net = vae->network;
  } else {
    const fovea_network_options options = {.batch = w->batch, .seed = 3, .training = true, .ranks = ranks};
    graph = every_op_graph();
    fovea_graph_keep(graph, every_op_count(graph) - 2);
    status = fovea_network_create(own, graph, &options, &net);
  }
  if (status == FOVEA_OK && w->order > 0) {
    fovea_plan_use_latest_schedule(fovea_network_plan(net, true), w->order);
    fovea_plan_use_latest_schedule(fovea_network_plan(net, false), w->order);
  }
  if (status == FOVEA_OK) status = fovea_network_traffic(net, &r->meetings, &r->bytes);
  if (status == FOVEA_OK) status = step_as_said(net, r);
  if (status == FOVEA_OK) r->memory = fovea_network_memory(net), status = train(net, w, &r->result);
  const int meetings = r->sits.begun;
  if (status == FOVEA_OK) status = look(net, w, ranks, &r->result);
  if (r->sits.begun != meetings) abort();
  if (status != FOVEA_OK) snprintf(r->message, sizeof r->message, "%s", fovea_error_message());
  if (vae)
    fovea_vae_destroy(vae);
  else
    fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  return status;
}

static fovea_device *devices[MOST_RANKS]; /* one a rank, opened once: each compiles its kernels */

static void *run_rank(void *argument) {
  rank *r = argument;
  fovea_device **own = &devices[r->sits.rank];
  r->status = *own ? FOVEA_OK : fovea_device_open(getenv("FOVEA_TEST_DEVICE"), own);
  if (r->status == FOVEA_OK) r->status = run_on(*own, r);
  return NULL;
}

static int close_devices(void **state) {
  (void)state;
  for (int i = 0; i < MOST_RANKS; i++) fovea_device_close(devices[i]);
  return 0;
}

/* All of them; count 0: one without ranks. */
static void run(const work *w, int count, room *in, rank *all) {
  for (int i = 0; i < count || i == 0; i++) {
    rank *r = &all[i];
    *r = (rank){.does = w, .sits = {.in = in, .rank = i}};
    r->of = (fovea_ranks){.rank = i,
                          .count = count,
                          .user = &r->sits,
                          .begin = room_begin,
                          .end = room_end,
                          .scatter = w->whole ? NULL : room_scatter,
                          .sync_batchnorm = !w->own_statistics};
    assert_int_equal(pthread_create(&r->thread, NULL, run_rank, r), 0);
  }
  for (int i = 0; i < count || i == 0; i++) {
    pthread_join(all[i].thread, NULL);
    assert_int_equal(all[i].sits.open, 0);
  }
}

static rank alone[1], all[MOST_RANKS];

static void run_well(const work *w, int count, rank *ranks) {
  room *in = new_room(count);
  run(w, count, in, ranks);
  for (int i = 0; i < count || i == 0; i++)
    if (ranks[i].status != FOVEA_OK) fail_msg("rank %d of %d: %s", i, count, ranks[i].message);
  empty_room(in);
}

static void expect_same_bits(int count) {
  for (int i = 0; i < count; i++) {
    const outcome *a = &alone->result, *b = &all[i].result;
    assert_int_equal(a->count, b->count);
    for (size_t k = 0; k < a->count; k++)
      if (memcmp(&a->values[k], &b->values[k], sizeof(float)) != 0)
        fail_msg("rank %d of %d: number %zu is %.9g, alone %.9g", i, count, k, (double)b->values[k],
                 (double)a->values[k]);
    assert_memory_equal(&a->training, &b->training, sizeof a->training);
    assert_memory_equal(&a->evaluation, &b->evaluation, sizeof a->evaluation);
    const size_t image = a->image;
    assert_memory_equal(a->outputs + b->first * image, b->outputs, b->images * image * sizeof(float));
    assert_memory_equal(a->augmented, b->augmented, sizeof a->augmented);
    assert_memory_equal(a->from, b->from, sizeof a->from);
  }
}

static size_t bytes_of_all(int count) {
  size_t sum = 0;
  for (int i = 0; i < count; i++) sum += all[i].bytes;
  return sum;
}

/* Whole, then by slices: of more than two ranks each bucket is one meeting more, and of the gradients' bytes all send
 * 2 (count - 1) in place of count (count - 1) times as many. */
static void expect_both_ways(work w, int count) {
  const size_t ranks = (size_t)count;
  w.whole = true;
  run_well(&w, count, all);
  expect_same_bits(count);
  const size_t whole = bytes_of_all(count), meetings = all->meetings, memory = all->memory;
  assert_true(count == 1 ? meetings == 0 && whole == 0 : meetings > 0 && whole > 0);
  assert_true(count == 1 || all[count - 1].memory < alone->memory);
  w.whole = false;
  run_well(&w, count, all);
  expect_same_bits(count);
  assert_true(count > 2 ? all->meetings > meetings : all->meetings == meetings);
  assert_true(all->memory <= memory);
  assert_int_equal(bytes_of_all(count), count > 2 ? whole - (ranks - 1) * (ranks - 2) * all->gradients : whole);
}

static void expect_as_alone(const work *w, int least, int most) {
  run_well(w, 0, alone);
  assert_int_equal(alone->meetings, 0);
  for (int count = least; count <= most; count++) expect_both_ways(*w, count);
}

/* Attention of both kinds, normalization, dropout and augmentation. */
static work vae_work(int batch) {
  work w = {.config = tiny_config(SIDE, batch), .batch = batch};
  w.config.augment = (fovea_augmentation){.shift = 1, .flip = FOVEA_FLIP_HORIZONTAL, .contrast = 0.2};
  w.images[0] = batch, w.images[1] = batch - 5;
  return w;
}

static void test_equal_parts(void **state) {
  (void)state;
  const work w = vae_work(64);
  expect_as_alone(&w, 1, 4);
}

/* Five blocks; then 17 images, so that the last ranks have none. */
static void test_other_parts(void **state) {
  (void)state;
  work w = vae_work(80);
  w.images[2] = 17, w.images[3] = 80;
  expect_as_alone(&w, 2, 5);
}

static void test_every_op(void **state) {
  (void)state;
  const work w = {.batch = 48, .images = {48, 20, 48}};
  expect_as_alone(&w, 2, 3);
}

static void use_buckets(size_t floats) {
  for (int i = 0; i < MOST_RANKS; i++)
    if (devices[i]) devices[i]->bucket = floats;
}

/* Gradients in many pieces, of which some are too small for a slice a rank, and every launch as late as it may be. */
static void test_small_buckets(void **state) {
  (void)state;
  work w = vae_work(80);
  int empty = 0;
  run_well(&w, 0, alone);
  for (int count = 3; count <= 5; count++) {
    run_well(&w, count, all);
    const size_t meetings = all->meetings;
    use_buckets(16);
    for (w.order = 0; w.order < 2; w.order++) expect_both_ways(w, count);
    w.order = 0;
    assert_true(all->meetings > meetings + 2);
    for (int i = 0; i < count; i++) empty += all[i].sits.empty;
    use_buckets(256 << 10);
  }
  assert_true(empty > 0);
}

/* What is gathered of the first bucket begins before the last bucket of a step does. */
static void test_sums_travel_early(void **state) {
  (void)state;
  const work w = vae_work(64);
  room *in = new_room(3);
  int first = 0, gathered, last = 0;
  use_buckets(256);
  run(&w, 3, in, all);
  use_buckets(256 << 10);
  while (!in->meetings[first].scatters) first++;
  const gathering *g = &in->meetings[first];
  for (gathered = first + 1; memcmp(in->meetings[gathered].bytes, g->bytes, sizeof g->bytes) != 0;) gathered++;
  for (int i = 0; i < (int)all->meetings; i++)
    if (in->meetings[i].scatters) last = i;
  assert_true(first < gathered && gathered < last);
  empty_room(in);
}

/* The ranks have the same trainable parameters, and those with no image of a batch keep their moving statistics. */
static void test_own_statistics(void **state) {
  (void)state;
  work w = vae_work(64);
  w.own_statistics = true;
  w.images[2] = 17;
  w.whole = true;
  run_well(&w, 4, all);
  *alone = *all;
  w.whole = false;
  run_well(&w, 4, all);
  assert_memory_equal(alone->result.values, all->result.values, sizeof all->result.values);
  for (int i = 0; i < 4; i++) {
    assert_true(isfinite(all[i].result.training.total) && isfinite(all[i].result.evaluation.total));
    assert_memory_equal(&all[0].result.training, &all[i].result.training, sizeof(fovea_losses));
    for (size_t k = 0; k < all[i].result.count; k++) {
      assert_true(isfinite(all[i].result.values[k]));
      assert_memory_equal(&all[0].result.values[k], &all[i].result.values[k], sizeof(float));
    }
  }
}

static void set_first(fovea_network *net, const char *name, float value) {
  static float data[MOST];
  size_t i = 0;
  while (strcmp(fovea_network_parameter(net, i)->name, name) != 0) i++;
  if (fovea_network_get(net, i, FOVEA_VALUE, data) != FOVEA_OK) abort();
  data[0] = value;
  if (fovea_network_set(net, i, FOVEA_VALUE, data) != FOVEA_OK) abort();
}

static void make_parameter_infinite(fovea_network *net) { set_first(net, "bottleneck.mu.bias", INFINITY); }
/* exp(88) times what is drawn: in some images. */
static void make_samples_infinite(fovea_network *net) { set_first(net, "bottleneck.logvar.bias", 176); }

/* Every rank says what one without others says. */
static void test_not_finite(void **state) {
  (void)state;
  work w = vae_work(64);
  w.images[1] = 0;
  for (int k = 0; k < 2; k++) {
    w.before = k == 0 ? make_parameter_infinite : make_samples_infinite;
    run(&w, 0, NULL, alone);
    assert_int_equal(alone->status, FOVEA_MISMATCH);
    room *in = new_room(3);
    run(&w, 3, in, all);
    for (int i = 0; i < 3; i++) {
      assert_int_equal(all[i].status, FOVEA_MISMATCH);
      assert_string_equal(all[i].message, alone->message);
    }
    empty_room(in);
  }
}

/* What rank 0 cannot begin or end is every rank's failure, and what was begun is ended: each meeting of a step, with
 * several buckets, and the next step's first. */
static void test_failing_meetings(void **state) {
  (void)state;
  const work w = vae_work(64);
  use_buckets(256);
  run_well(&w, 3, all);
  const int meetings = (int)all->meetings;
  for (int k = 0; k < 2 * (meetings + 1); k++) {
    room *in = new_room(3);
    *(k % 2 ? &in->fails_in : &in->fails_at_end) = k / 2;
    run(&w, 3, in, all);
    for (int i = 0; i < 3; i++) assert_int_equal(all[i].status, FOVEA_DEVICE);
    assert_non_null(strstr(all[0].message, "ranks: "));
    assert_non_null(strstr(all[0].message, " failed with status 3 and said no more"));
    empty_room(in);
  }
  use_buckets(256 << 10);
}

static void expect_refused(fovea_ranks ranks, int batch, const char *what) {
  fovea_vae_config config = tiny_config(SIDE, batch);
  fovea_vae *vae = NULL;
  config.ranks = &ranks;
  assert_int_equal(fovea_vae_create(devices[0], &config, true, &vae), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), what));
  size_t first, count;
  assert_int_equal(fovea_ranks_part(&ranks, batch, 1, &first, &count), FOVEA_INVALID);
}

static void test_refused(void **state) {
  (void)state;
  const fovea_ranks good = {.count = 4, .begin = room_begin, .end = room_end};
  fovea_ranks bad = good;
  expect_refused(good, 48, "4 for a batch of 3 blocks");
  bad.rank = 4;
  expect_refused(bad, 64, "rank 4, expected 0 to 3");
  bad.rank = -1;
  expect_refused(bad, 64, "rank -1");
  bad = good, bad.count = 0;
  expect_refused(bad, 64, "0 of them");
  bad = good, bad.end = NULL;
  expect_refused(bad, 64, "end is NULL");
}

/* Nodes of the tree of 4 and of 11 blocks: 11 are 8 + (2 + 1). */
static void test_parts(void **state) {
  (void)state;
  static const struct {
    int batch, ranks;
    size_t first[MOST_RANKS + 1];
  } cases[] = {{64, 3, {0, 16, 32, 64}},
               {64, 4, {0, 16, 32, 48, 64}},
               {176, 2, {0, 128, 176}},
               {176, 3, {0, 64, 128, 176}},
               {176, 4, {0, 32, 64, 128, 176}},
               {176, 5, {0, 32, 64, 96, 128, 176}},
               {70, 2, {0, 64, 70}},
               {16, 1, {0, 16}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t images = 0; images <= (size_t)cases[i].batch; images++)
      for (int r = 0; r < cases[i].ranks; r++) {
        const fovea_ranks ranks = {.rank = r, .count = cases[i].ranks, .begin = room_begin, .end = room_end};
        size_t first, count, begins = cases[i].first[r], ends = cases[i].first[r + 1];
        if (begins > images) begins = images;
        if (ends > images) ends = images;
        OK(fovea_ranks_part(&ranks, cases[i].batch, images, &first, &count));
        assert_int_equal(first, begins);
        assert_int_equal(count, ends - begins);
      }
}

int main(void) {
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 251);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts),
                                     cmocka_unit_test(test_equal_parts),
                                     cmocka_unit_test(test_other_parts),
                                     cmocka_unit_test(test_every_op),
                                     cmocka_unit_test(test_small_buckets),
                                     cmocka_unit_test(test_sums_travel_early),
                                     cmocka_unit_test(test_own_statistics),
                                     cmocka_unit_test(test_not_finite),
                                     cmocka_unit_test(test_failing_meetings),
                                     cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, close_devices);
}
