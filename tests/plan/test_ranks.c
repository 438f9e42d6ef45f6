/* Ranks, here threads with a device each, leave the bits of one network that has the whole batch: parameters,
 * gradients, moments, moving statistics and losses. */
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
#include "net/network.h"
#include "plan/inspect.h"
#include "runtime/device.h"
#include "support/device.h"
#include "support/every_op.h"
#include "support/tiny.h"

enum { SIDE = 8, MOST_BATCH = 80, MOST_RANKS = 5, PASSES = 5, MOST = 1 << 14, MOST_MEETINGS = 1 << 12 };

static uint8_t pixels[2 * MOST_BATCH * EVERY_OP_IMAGE];

/* --- the ranks' transport: what each gives to a meeting is copied, and taken when all have come ------------------- */

typedef struct gathering {
  int come, gone;
  size_t bytes;
  void *given[MOST_RANKS];
} gathering;

typedef struct room {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int count, fails_in, fails_at_end; /* the meeting that rank 0 cannot begin or end; -1: none */
  bool lost;                         /* then nobody waits any more */
  gathering meetings[MOST_MEETINGS];
} room;

typedef struct seat {
  room *in;
  int rank, begun, open; /* meetings so far, and those that have not ended */
} seat;

typedef struct request {
  seat *of;
  int meeting;
  uint8_t *data;
} request;

static void lose(room *in) {
  in->lost = true;
  pthread_cond_broadcast(&in->changed);
}

static fovea_status begin(void *user, void *data, const size_t *bytes, void **made) {
  seat *s = user;
  room *in = s->in;
  const int meeting = s->begun;
  pthread_mutex_lock(&in->lock);
  const bool fails = s->rank == 0 && meeting == in->fails_in;
  if (fails) lose(in);
  if (!fails) {
    gathering *g = &in->meetings[meeting];
    size_t before = 0;
    for (int r = 0; r < s->rank; r++) before += bytes[r];
    if (g->come == 0) g->bytes = bytes[s->rank];
    if (meeting >= MOST_MEETINGS || g->bytes != bytes[s->rank]) abort();
    g->given[s->rank] = malloc(g->bytes);
    memcpy(g->given[s->rank], (uint8_t *)data + before, g->bytes);
    memset((uint8_t *)data + before, 0xff, g->bytes); /* NaN, unless end fills it in */
    g->come++;
    pthread_cond_broadcast(&in->changed);
  }
  pthread_mutex_unlock(&in->lock);
  if (fails) return FOVEA_DEVICE;
  request *r = malloc(sizeof *r);
  *r = (request){s, meeting, data};
  *made = r;
  s->begun++, s->open++;
  return FOVEA_OK;
}

static fovea_status end(void *user, void *made) {
  request *r = made;
  room *in = r->of->in;
  if (r->of != user) abort();
  pthread_mutex_lock(&in->lock);
  gathering *g = &in->meetings[r->meeting];
  if (r->of->rank == 0 && r->meeting == in->fails_at_end) lose(in);
  while (g->come < in->count && !in->lost) pthread_cond_wait(&in->changed, &in->lock);
  const bool whole = g->come == in->count && !(r->of->rank == 0 && r->meeting == in->fails_at_end);
  for (int i = 0; i < in->count && whole; i++) memcpy(r->data + (size_t)i * g->bytes, g->given[i], g->bytes);
  g->gone++;
  pthread_mutex_unlock(&in->lock);
  r->of->open--;
  free(r);
  return whole ? FOVEA_OK : FOVEA_DEVICE;
}

static room *new_room(int count) {
  room *in = calloc(1, sizeof *in);
  assert_non_null(in);
  pthread_mutex_init(&in->lock, NULL);
  pthread_cond_init(&in->changed, NULL);
  in->count = count, in->fails_in = in->fails_at_end = -1;
  return in;
}

/* Every meeting that one had, all had. */
static void empty_room(room *in) {
  for (int i = 0; i < MOST_MEETINGS; i++) {
    assert_true(in->lost || in->meetings[i].come == 0 || in->meetings[i].gone == in->count);
    for (int r = 0; r < in->count; r++) free(in->meetings[i].given[r]);
  }
  free(in);
}

/* --- what each rank does --------------------------------------------------------------------------------------------
 */

/* Steps on `images` each, 0: an evaluation of half a batch in its place. */
typedef struct work {
  fovea_vae_config config; /* batch 0: the graph of every op in its place */
  int batch;
  bool apart; /* each rank its own statistics */
  int order;  /* fovea_plan_use_latest_schedule */
  int images[PASSES];
  void (*before)(fovea_network *network); /* training; NULL: nothing */
} work;

typedef struct outcome {
  fovea_losses training, evaluation;
  size_t count;
  float values[MOST];
} outcome;

typedef struct rank {
  pthread_t thread;
  const work *does;
  fovea_ranks of;
  seat sits;
  fovea_status status;
  char message[512];
  size_t meetings, bytes, memory;
  outcome result;
} rank;

/* Trainable parameters alone where `apart`. */
static fovea_status read_values(fovea_network *net, bool apart, outcome *o) {
  static const fovea_value kinds[] = {FOVEA_VALUE, FOVEA_GRADIENT, FOVEA_FIRST_MOMENT, FOVEA_SECOND_MOMENT};
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    for (size_t k = 0; k < (p->trainable ? 4 : apart ? 0 : 1) && status == FOVEA_OK; k++) {
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

static fovea_status train(fovea_network *net, const work *w, outcome *o) {
  fovea_status status = FOVEA_OK;
  if (w->before) w->before(net);
  for (int i = 0; i < PASSES && status == FOVEA_OK && w->images[i] > 0; i++) status = pass(net, w, i);
  if (status == FOVEA_OK) status = fovea_network_losses(net, &o->training);
  if (status == FOVEA_OK) status = read_values(net, w->apart, o);
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
    status = fovea_network_create(own, graph, &options, &net);
  }
  if (status == FOVEA_OK && w->order > 0) {
    fovea_plan_use_latest_schedule(fovea_network_plan(net, true), w->order);
    fovea_plan_use_latest_schedule(fovea_network_plan(net, false), w->order);
  }
  if (status == FOVEA_OK) status = fovea_network_traffic(net, &r->meetings, &r->bytes);
  if (status == FOVEA_OK) r->memory = fovea_network_memory(net), status = train(net, w, &r->result);
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
    r->of = (fovea_ranks){
        .rank = i, .count = count, .user = &r->sits, .begin = begin, .end = end, .sync_batchnorm = !w->apart};
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
  }
}

static void expect_as_alone(const work *w, int least, int most) {
  run_well(w, 0, alone);
  assert_int_equal(alone->meetings, 0);
  for (int count = least; count <= most; count++) {
    run_well(w, count, all);
    expect_same_bits(count);
    assert_true(count == 1 ? all->meetings == 0 : all->meetings > 0 && all->bytes > 0);
  }
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

int main(void) {
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 251);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal_parts), cmocka_unit_test(test_other_parts),
                                     cmocka_unit_test(test_every_op)};
  return cmocka_run_group_tests(tests, NULL, close_devices);
}
