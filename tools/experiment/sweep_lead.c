/* The first rank of a sweep: it has the desk (sweep_desk.c) and the folder's tables, and trains, too. The main thread
 * does all that is said between ranks, and threads train. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/sweep_ranks.h"

typedef struct other {
  double heard, since; /* when it spoke last, and when it was last given something */
  size_t images, workers;
  bool gone, lost; /* with a farewell, or without */
  bool waits[DEVICES_MOST + 1];
  char host[RANKS_HOST];
} other;

/* A worker's number at the desk. Those of rank 0 are 1 to DEVICES_MOST. */
static int number_of(int rank, int worker) { return rank * DEVICES_MOST + worker; }

static void answer(sweep *s, int rank, int worker, other *o) {
  message m = {.kind = END, .worker = worker};
  const sweep_answer a = sweep_desk_ask(s, number_of(rank, worker), &m.place, &m.begun);
  o->waits[worker] = a == SWEEP_WAIT;
  if (a == SWEEP_WAIT) return;
  if (a == SWEEP_WORK) m.kind = WORK, o->since = fovea_seconds();
  (void)ranks_send(rank, &m, sizeof m);
}

static size_t take_back(sweep *s, int rank, other *o) {
  const size_t had = sweep_desk_lose(s, number_of(rank, 1), number_of(rank, DEVICES_MOST), o->workers);
  o->images = o->workers = 0;
  return had;
}

static void say_goodbye(sweep *s, int rank, other *o, const message *m) {
  char reason[SWEEP_REASON + 100];
  o->gone = true;
  if (m->outcome.status != FOVEA_OK) {
    snprintf(reason, sizeof reason, "rank %d on %s: %s", rank, m->host, m->outcome.reason);
    sweep_desk_end(s, m->outcome.status, reason);
  } else if (m->outcome.stopped > 0) {
    sweep_desk_stop(s, m->outcome.stopped);
  }
  (void)take_back(s, rank, o);
}

static void come_back(sweep *s, int rank, other *o, const message *m) {
  progress_tell("fovea: rank %d on %s is back", rank, o->host);
  o->lost = false;
  pthread_mutex_lock(&s->changing);
  s->able += m->workers;
  pthread_mutex_unlock(&s->changing);
}

static void hear(sweep *s, int rank, other *o, const message *m) {
  o->heard = fovea_seconds();
  if (o->lost) come_back(s, rank, o, m);
  snprintf(o->host, sizeof o->host, "%s", m->host);
  o->workers = m->workers;
  if (m->kind == ASK) answer(s, rank, m->worker, o);
  if (m->kind == BEAT) o->images = m->images;
  if (m->kind == BYE) say_goodbye(s, rank, o, m);
  if (m->kind != PUT) return;
  char name[SWEEP_TEXT + RANKS_HOST + 40];
  snprintf(name, sizeof name, "%s of rank %d on %s", m->text, rank, m->host);
  sweep_desk_put(s, number_of(rank, m->worker), name, m->place, &m->outcome);
}

/* The kernel gives back what a process held. */
static bool is_let_go(const sweep *s, size_t place) {
  char dir[RUN_PATH], path[RUN_PATH];
  if (run_path(s->options.out, s->plan.configs[place].name, dir) || run_path(dir, ".lock", path)) return false;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return true; /* it had not begun */
  const bool free_now = flock(file, LOCK_EX | LOCK_NB) == 0;
  close(file);
  return free_now;
}

/* What worker numbers of the rank have: *held is one whose folder is still somebody's. */
static bool all_let_go(sweep *s, int rank, size_t *held) {
  bool all = true;
  pthread_mutex_lock(&s->changing);
  for (size_t i = 0; i < s->plan.count; i++) {
    const int who = s->taken[i];
    if (who <= number_of(rank, 0) || who > number_of(rank, DEVICES_MOST) || is_let_go(s, i)) continue;
    all = false;
    *held = i;
  }
  pthread_mutex_unlock(&s->changing);
  return all;
}

/* It is not handed out again while the folder is held. */
static void leave_held(sweep *s, int rank, size_t place, const other *o) {
  sweep_outcome out = {.status = FOVEA_INVALID, .begun = true};
  snprintf(out.reason, sizeof out.reason,
           "rank %d on %s has not answered for %.0f seconds and still holds its folder; once it is ended, go on with "
           "--resume",
           rank, o->host, SWEEP_GIVE_UP);
  pthread_mutex_lock(&s->changing);
  const int who = s->taken[place];
  pthread_mutex_unlock(&s->changing);
  sweep_desk_put(s, who, "", place, &out);
}

static void lose(sweep *s, int rank, other *o) {
  const size_t place = take_back(s, rank, o);
  o->lost = true;
  if (place == SIZE_MAX)
    progress_tell("fovea: rank %d on %s is gone", rank, o->host);
  else
    progress_tell("fovea: rank %d on %s is gone; what it trained, %s, goes to another", rank, o->host,
                  s->plan.configs[place].name);
}

static void look_after(sweep *s, int rank, other *o) {
  const double now = fovea_seconds();
  size_t held = SIZE_MAX;
  if (now - o->heard < SWEEP_SILENT || now - o->since < SWEEP_SILENT) return;
  const bool given_up = now - o->heard > SWEEP_GIVE_UP;
  if (!all_let_go(s, rank, &held) && !given_up) return;
  if (held == SIZE_MAX && o->waits[1] && !given_up) return; /* it has nothing that somebody else could have */
  while (given_up && !all_let_go(s, rank, &held)) leave_held(s, rank, held, o);
  lose(s, rank, o);
}

static void send_all(const sweep *s, const other *others, message_kind what) {
  const message m = {.kind = what};
  for (int r = 1; r < s->ranks.count; r++)
    if (!others[r].gone && !others[r].lost) (void)ranks_send(r, &m, sizeof m);
}

static void show(sweep *s, const other *others, const char *note) {
  pthread_mutex_lock(&s->changing);
  s->elsewhere = 0;
  for (int r = 1; r < s->ranks.count; r++) s->elsewhere += others[r].images;
  if (note[0] != '\0') sweep_show_progress(s, note);
  pthread_mutex_unlock(&s->changing);
}

/* A round of all that is to be said; whether somebody is still at work elsewhere. */
static bool serve(sweep *s, other *others) {
  message m;
  int from = 0;
  bool anybody = false;
  while (ranks_receive(&from, &m, sizeof m)) {
    hear(s, from, &others[from], &m);
    show(s, others, m.kind == BEAT ? m.text : "");
  }
  for (int r = 1; r < s->ranks.count; r++) {
    other *o = &others[r];
    if (o->gone || o->lost) continue;
    for (int worker = 1; worker <= DEVICES_MOST; worker++)
      if (o->waits[worker]) answer(s, r, worker, o);
    look_after(s, r, o);
    anybody = anybody || !(o->gone || o->lost);
  }
  return anybody;
}

static void heed_signals(sweep *s) {
  if (signals_received() != 0 && !atomic_load(&s->ending)) sweep_desk_stop(s, signals_received());
}

static bool any_lost(const sweep *s, const other *others) {
  bool any = false;
  for (int r = 1; r < s->ranks.count; r++) any = any || others[r].lost;
  return any;
}

void sweep_lead(sweep *s) {
  other *others = calloc((size_t)s->ranks.count, sizeof *others);
  double last = 0;
  message farewell = {.kind = LEAVE};
  bool told = false;
  if (others == NULL) {
    sweep_desk_end(s, fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", s->ranks.count), fovea_error_message());
    return;
  }
  for (int r = 0; r < s->ranks.count; r++) others[r].heard = fovea_seconds();
  s->welcomed = true;
  send_all(s, others, WELCOME);
  (void)sweep_begin_work(s, true);
  for (bool on = true; on || atomic_load(&s->at_work) > 0;) {
    on = serve(s, others);
    heed_signals(s);
    if (fovea_seconds() - last > SWEEP_BEAT) send_all(s, others, BEAT), last = fovea_seconds();
    if (atomic_load(&s->ending) && !told) send_all(s, others, STOP), told = true;
    ranks_rest();
  }
  sweep_end_work(s, true);
  farewell.begun = !any_lost(s, others);
  for (int r = 1; r < s->ranks.count; r++) (void)ranks_send(r, &farewell, sizeof farewell);
  ranks_end(farewell.begun);
  free(others);
}
