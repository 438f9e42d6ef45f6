/* The other ranks of a sweep: each asks the first for configurations, and sends what came of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/sweep_ranks.h"

static const double appear = 30; /* seconds that a file may take to another host */

/* Between a thread that trains and the main one, under the sweep's lock. */
typedef struct sweep_courier {
  bool asks, sent, answered, work, puts, begun;
  size_t place;
  sweep_outcome outcome;
} courier;

static bool take_there(sweep_worker *w, size_t *place, bool *begun) {
  sweep *s = w->sweep;
  courier *c = &s->couriers[w->who];
  pthread_mutex_lock(&s->changing);
  *c = (courier){.asks = true};
  while (!c->answered && !atomic_load(&s->ending)) pthread_cond_wait(&s->changed, &s->changing);
  *place = c->place;
  *begun = c->begun;
  const bool work = c->answered && c->work;
  c->asks = false;
  pthread_mutex_unlock(&s->changing);
  return work;
}

static void give_there(sweep_worker *w, size_t place, const sweep_outcome *o) {
  sweep *s = w->sweep;
  courier *c = &s->couriers[w->who];
  pthread_mutex_lock(&s->changing);
  if (o->status == FOVEA_DEVICE || o->status == FOVEA_NO_MEMORY) s->able--;
  *c = (courier){.puts = true, .place = place, .outcome = *o};
  while (c->puts) pthread_cond_wait(&s->changed, &s->changing);
  w->images = 0;
  pthread_mutex_unlock(&s->changing);
}

static const sweep_desk desk_there = {take_there, give_there};

static void carry(sweep *s, const sweep_worker *w, courier *c) {
  message m = sweep_message(s, c->puts ? PUT : ASK);
  m.worker = w->who;
  m.place = c->place;
  m.outcome = c->outcome;
  snprintf(m.text, sizeof m.text, "%s", w->name);
  (void)ranks_send(0, &m, sizeof m);
  c->sent = true;
  c->puts = false;
}

static void take_in(sweep *s, const message *m) {
  if (m->kind == STOP) atomic_store(&s->ending, true);
  if (m->kind != WORK && m->kind != END) return;
  courier *c = &s->couriers[m->worker];
  c->answered = true;
  c->work = m->kind == WORK;
  c->place = m->place;
  c->begun = m->begun;
}

static void send_beat(sweep *s) {
  pthread_mutex_lock(&s->changing);
  message m = sweep_message(s, BEAT);
  for (size_t i = 0; i < s->worker_count; i++) m.images += s->workers[i].images;
  snprintf(m.text, sizeof m.text, "%s", s->note);
  pthread_mutex_unlock(&s->changing);
  (void)ranks_send(0, &m, sizeof m);
}

/* One round; *heard is when the first rank spoke last. */
static void talk(sweep *s, double *heard) {
  message m;
  int from = 0;
  pthread_mutex_lock(&s->changing);
  while (ranks_receive(&from, &m, sizeof m)) {
    *heard = fovea_seconds();
    take_in(s, &m);
  }
  for (size_t i = 0; i < s->worker_count; i++) {
    courier *c = &s->couriers[s->workers[i].who];
    if (c->puts || (c->asks && !c->sent && !c->answered)) carry(s, &s->workers[i], c);
  }
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->changing);
}

/* A file that one host has written takes its time to another. */
static fovea_status see_folder(const sweep *s) {
  char path[RUN_PATH];
  const double begun = fovea_seconds();
  fovea_status status = run_path(s->options.out, "config.json", path);
  while (status == FOVEA_OK && !run_exists(path)) {
    ranks_rest();
    if (fovea_seconds() - begun > appear)
      status =
          fovea_fail(FOVEA_IO, "%s of rank 0 is not to be seen here: --out is a folder that all hosts share", path);
  }
  return status;
}

/* Whether all ranks are there to leave MPI together, which the first knows, if it is there itself. */
static bool may_leave_together(bool *alone) {
  double heard = fovea_seconds();
  message m = {.kind = BEAT};
  int from = 0;
  while (m.kind != LEAVE && fovea_seconds() - heard < SWEEP_ALONE) {
    if (ranks_receive(&from, &m, sizeof m))
      heard = fovea_seconds();
    else
      ranks_rest();
  }
  *alone = m.kind != LEAVE;
  return m.kind == LEAVE && m.begun;
}

static void follow(sweep *s) {
  double heard = fovea_seconds(), last = 0;
  message bye = sweep_message(s, BYE);
  bool alone = false, together = false;
  bye.outcome.status = see_folder(s);
  if (bye.outcome.status == FOVEA_OK) bye.outcome.status = sweep_begin_work(s, true);
  while (bye.outcome.status == FOVEA_OK && atomic_load(&s->at_work) > 0) {
    talk(s, &heard);
    if (signals_received() != 0) atomic_store(&s->ending, true), bye.outcome.stopped = signals_received();
    alone = fovea_seconds() - heard > SWEEP_ALONE;
    if (alone) atomic_store(&s->ending, true);
    if (fovea_seconds() - last > SWEEP_BEAT) send_beat(s), last = fovea_seconds();
    ranks_rest();
  }
  if (bye.outcome.status == FOVEA_OK) sweep_end_work(s, true);
  if (bye.outcome.status != FOVEA_OK) snprintf(bye.outcome.reason, SWEEP_REASON, "%s", fovea_error_message());
  (void)ranks_send(0, &bye, sizeof bye);
  if (!alone) together = may_leave_together(&alone);
  s->status = alone ? sweep_end_alone(s) : bye.outcome.status;
  s->stopped = bye.outcome.stopped;
  if (!alone) ranks_end(together);
}

void sweep_follow(sweep *s) {
  s->couriers = calloc(s->worker_count + 1, sizeof *s->couriers);
  s->desk = &desk_there;
  s->welcomed = true;
  if (s->couriers != NULL)
    follow(s);
  else
    s->status = FOVEA_NO_MEMORY;
  free(s->couriers);
  s->couriers = NULL;
}
