#include "reach/team.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"

enum { REASON = 1024, SPINS = 50 };
static const double beat = 0.25, stopped = 1; /* seconds; a pulse that was away for so long was itself stopped */

typedef enum kind {
  BEAT,
  FAILED /* of `rank`: sent to the first, and by it to all */
} kind;

typedef struct word {
  kind kind;
  int rank; /* -1: its own message says who */
  fovea_status status;
  bool lost;
  char reason[REASON];
} word;

/* Where a rank is, and which process there: `there` is one number for all that see each other's processes. */
typedef struct home {
  char host[RANKS_HOST];
  uint64_t there;
  long long process;
} home;

struct team {
  ranks ranks;
  fovea_ranks face;
  home *homes;
  pthread_t pulse;
  pthread_mutex_t lock; /* of all that follows */
  atomic_bool ending;
  bool beating, failed, settled; /* settled: all ranks know of the failure, each in its own place */
  int lost;                      /* the rank that is, or -1 */
  size_t under_way;              /* meetings */
  bool waits;                    /* for one of them: so it sees to all */
  double silence, failed_at;
  double *heard;
  fovea_status status;
  char reason[REASON];
};

const ranks *team_who(const team *t) { return &t->ranks; }
fovea_ranks *team_ranks(team *t) { return t != NULL ? &t->face : NULL; }
bool team_is_first(const team *t) { return t == NULL || t->ranks.index == 0; }

/* Under the lock. */
static bool speaks(const team *t) { return t->ranks.index == (t->failed && t->lost == 0); }

bool team_is_speaker(team *t) {
  if (t == NULL) return true;
  pthread_mutex_lock(&t->lock);
  const bool is = speaks(t);
  pthread_mutex_unlock(&t->lock);
  return is;
}

const char *team_name(const team *t, int rank, char text[TEAM_NAME]) {
  snprintf(text, TEAM_NAME, "rank %d on %s", rank, t->homes[rank].host);
  return text;
}

/* --- under the lock: who is there -------------------------------------------------------------------------------- */

static void take_failure(team *t, const word *w) {
  if (t->failed) return;
  t->failed = true;
  t->failed_at = fovea_seconds();
  t->status = w->status;
  t->lost = w->lost ? w->rank : -1;
  snprintf(t->reason, REASON, "%s", w->reason);
}

static void send_to_others(const team *t, const word *w) {
  for (int r = 1; r < t->ranks.count && t->ranks.index == 0; r++) (void)ranks_send(r, w, sizeof *w);
  if (t->ranks.index > 0) (void)ranks_send(0, w, sizeof *w);
}

static void lose(team *t, int rank, const char *why) {
  char name[TEAM_NAME];
  word w = {.kind = FAILED, .rank = rank, .status = FOVEA_DEVICE, .lost = true};
  snprintf(w.reason, REASON,
           "%s %s; the others end, too, and --resume goes on from the last checkpoint, or begins where there is none",
           team_name(t, rank, name), why);
  take_failure(t, &w);
  send_to_others(t, &w);
}

static void listen_for(team *t, int rank, double now) {
  char why[128];
  const double silent = now - t->heard[rank];
  if (silent <= t->silence) return;
  snprintf(why, sizeof why, "has said nothing for %.0f seconds: it was stopped or ended, or cannot be reached", silent);
  lose(t, rank, why);
}

/* On the same host the end of a process is known at once: mpirun leaves the others a second. */
static void look_for(team *t, int rank) {
  const home *own = &t->homes[t->ranks.index], *its = &t->homes[rank];
  if (own->there == 0 || its->there != own->there || kill((pid_t)its->process, 0) == 0 || errno != ESRCH) return;
  lose(t, rank, "has ended before the others");
}

static void look_after(team *t, double now) {
  for (int r = 0; r < t->ranks.count && !t->failed; r++) {
    if (r == t->ranks.index) continue;
    look_for(t, r);
    if (!t->failed && (t->ranks.index == 0 || r == 0)) listen_for(t, r, now);
  }
}

static void hear(team *t, int from, const word *w) {
  t->heard[from] = fovea_seconds();
  if (w->kind != FAILED || t->failed) return;
  take_failure(t, w);
  if (t->ranks.index == 0) send_to_others(t, w);
}

/* Where it does not end by itself: a driver that hangs, or pictures that take their time. */
static void end_hanging(const team *t, double now) {
  if (!t->failed || t->settled || now - t->failed_at < TEAM_GRACE) return;
  if (speaks(t)) fprintf(stderr, "fovea: %s\n", t->reason);
  if (speaks(t)) ranks_abandon((int)t->status, true);
  fflush(NULL);
  _exit((int)t->status);
}

static void *pulse(void *user) {
  team *t = user;
  double ticked = fovea_seconds(), sent = 0;
  word w;
  int from = 0;
  while (!atomic_load(&t->ending)) {
    pthread_mutex_lock(&t->lock);
    const double now = fovea_seconds();
    for (int r = 0; r < t->ranks.count && now - ticked > stopped; r++) t->heard[r] = now;
    ticked = now;
    while (!t->failed && ranks_receive(&from, &w, sizeof w)) hear(t, from, &w);
    if (!t->failed && now - sent > beat) {
      send_to_others(t, &(word){.kind = BEAT});
      sent = now;
      look_after(t, now);
    }
    end_hanging(t, now);
    const bool under_way = t->under_way > 0 && !t->waits && !t->failed;
    pthread_mutex_unlock(&t->lock);
    if (under_way)
      nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL); /* MPI works while the device does */
    else
      ranks_rest();
  }
  return NULL;
}

/* --- meetings ---------------------------------------------------------------------------------------------------- */

static fovea_status failure(const team *t) { return fovea_fail(t->status, "%s", t->reason); }

/* give NULL: each has the same for all. */
static fovea_status begin(team *t, const void *give, void *data, const size_t *bytes, void **request) {
  ranks_exchange *x = NULL;
  pthread_mutex_lock(&t->lock);
  fovea_status status = t->failed      ? failure(t)
                        : give == NULL ? ranks_exchange_begin(&t->ranks, data, bytes, &x)
                                       : ranks_scatter_begin(&t->ranks, give, data, bytes, &x);
  t->under_way++;
  pthread_mutex_unlock(&t->lock);
  *request = x;
  return status;
}

static fovea_status begin_meeting(void *user, void *data, const size_t *bytes, void **request) {
  return begin(user, NULL, data, bytes, request);
}

static fovea_status begin_scatter(void *user, const void *give, void *take, const size_t *bytes, void **request) {
  return begin(user, give, take, bytes, request);
}

/* Soon in the beginning: a meeting of ranks that are equally fast takes some microseconds. Later what computes has the
 * processor. */
static void rest(int turn) {
  if (turn < SPINS)
    sched_yield();
  else
    nanosleep(&(struct timespec){.tv_nsec = turn < 4 * SPINS ? 20000 : turn < 10 * SPINS ? 100000 : 500000}, NULL);
}

static fovea_status end_meeting(void *user, void *request) {
  team *t = user;
  bool over = false;
  fovea_status status = FOVEA_OK;
  for (int turn = 0; !over && status == FOVEA_OK; turn += turn < 10 * SPINS) {
    pthread_mutex_lock(&t->lock);
    t->waits = true;
    if (t->failed)
      status = failure(t); /* MPI may go on with the data, which it is not asked to any more */
    else
      over = ranks_exchange_over(request);
    t->under_way -= over;
    t->waits = !over && status == FOVEA_OK;
    pthread_mutex_unlock(&t->lock);
    if (!over && status == FOVEA_OK) rest(turn);
  }
  return status;
}

static fovea_status meet(team *t, void *data, const size_t *bytes) {
  void *request = NULL;
  fovea_status status = begin_meeting(t, data, bytes, &request);
  return status == FOVEA_OK ? end_meeting(t, request) : status;
}

static size_t *sizes(const team *t, size_t each, fovea_status *status) {
  size_t *bytes = calloc((size_t)t->ranks.count, sizeof *bytes);
  if (bytes == NULL) *status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", t->ranks.count);
  for (int r = 0; bytes != NULL && r < t->ranks.count; r++) bytes[r] = each;
  return bytes;
}

fovea_status team_gather(team *t, void *data, size_t size) {
  fovea_status status = FOVEA_OK;
  size_t *bytes = sizes(t, size, &status);
  if (bytes != NULL) status = meet(t, data, bytes);
  free(bytes);
  return status;
}

fovea_status team_give(team *t, void *data, size_t size) {
  fovea_status status = FOVEA_OK;
  if (t == NULL) return FOVEA_OK;
  size_t *bytes = sizes(t, 0, &status);
  if (bytes != NULL) bytes[0] = size, status = meet(t, data, bytes);
  free(bytes);
  return status;
}

fovea_status team_give_text(team *t, char **text) {
  if (t == NULL) return FOVEA_OK;
  const bool first = team_is_first(t);
  size_t size = first && *text != NULL ? strlen(*text) + 1 : 0;
  fovea_status status = team_give(t, &size, sizeof size);
  if (!first) *text = NULL;
  if (status != FOVEA_OK || size == 0) return status;
  if (!first && (*text = malloc(size)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for a text of %zu bytes", size);
  return team_give(t, *text, size);
}

void team_free_texts(const team *t, char **texts) {
  for (int r = 0; texts != NULL && r < t->ranks.count; r++) free(texts[r]);
  free(texts);
}

/* all: one after the other, each with its end. */
static fovea_status cut_texts(const team *t, const char *all, const size_t *bytes, char ***texts) {
  bool whole = (*texts = calloc((size_t)t->ranks.count, sizeof **texts)) != NULL;
  for (int r = 0; whole && r < t->ranks.count; all += bytes[r++]) whole = ((*texts)[r] = strdup(all)) != NULL;
  if (whole) return FOVEA_OK;
  team_free_texts(t, *texts);
  *texts = NULL;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for the texts of %d ranks", t->ranks.count);
}

fovea_status team_gather_texts(team *t, const char *own, char ***texts) {
  fovea_status status = FOVEA_OK;
  size_t total = 0, before = 0, *bytes = sizes(t, strlen(own) + 1, &status);
  if (bytes != NULL) status = team_gather(t, bytes, sizeof *bytes);
  for (int r = 0; status == FOVEA_OK && r < t->ranks.count; total += bytes[r++])
    if (r == t->ranks.index) before = total;
  char *all = status == FOVEA_OK ? malloc(total) : NULL;
  if (status == FOVEA_OK && all == NULL) status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu bytes", total);
  if (status == FOVEA_OK) memcpy(all + before, own, strlen(own) + 1), status = meet(t, all, bytes);
  if (status == FOVEA_OK) status = cut_texts(t, all, bytes, texts);
  free(all);
  free(bytes);
  return status;
}

int team_most(team *t, int number, int *whose) {
  *whose = t->ranks.index;
  int *all = calloc((size_t)t->ranks.count, sizeof *all), most = number;
  if (all == NULL) return number;
  all[t->ranks.index] = number;
  if (team_gather(t, all, sizeof *all) == FOVEA_OK)
    for (int r = t->ranks.count - 1; r >= 0; r--)
      if (all[r] >= most) most = all[r], *whose = r;
  free(all);
  return most;
}

/* --- failing together -------------------------------------------------------------------------------------------- */

typedef struct verdict {
  fovea_status status;
  char reason[REASON];
} verdict;

static fovea_status end_alike(team *t, int rank, const verdict *v) {
  char name[TEAM_NAME];
  pthread_mutex_lock(&t->lock);
  t->settled = true;
  pthread_mutex_unlock(&t->lock);
  if (rank == 0) return fovea_fail(v->status, "%s", v->reason);
  return fovea_fail(v->status, "%s: %s", team_name(t, rank, name), v->reason);
}

fovea_status team_settle(team *t, fovea_status status) {
  if (t == NULL) return status;
  verdict *all = calloc((size_t)t->ranks.count, sizeof *all), *own = all != NULL ? all + t->ranks.index : NULL;
  if (all == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", t->ranks.count);
  own->status = status;
  if (status != FOVEA_OK) snprintf(own->reason, sizeof own->reason, "%s", fovea_error_message());
  status = team_gather(t, all, sizeof *all);
  for (int r = 0; r < t->ranks.count && status == FOVEA_OK; r++)
    if (all[r].status != FOVEA_OK) status = end_alike(t, r, &all[r]);
  free(all);
  return status;
}

fovea_status team_fail(team *t, fovea_status status) {
  char name[TEAM_NAME];
  word w = {.kind = FAILED, .rank = -1, .status = status};
  if (t == NULL || status == FOVEA_OK) return status;
  const char *reason = fovea_error_message();
  if (team_is_first(t))
    snprintf(w.reason, REASON, "%s", reason);
  else
    snprintf(w.reason, REASON, "%s: %.900s", team_name(t, t->ranks.index, name), reason);
  pthread_mutex_lock(&t->lock);
  if (!t->failed && !t->settled) {
    take_failure(t, &w);
    send_to_others(t, &w);
  }
  pthread_mutex_unlock(&t->lock);
  return status;
}

/* --- beginning and end ------------------------------------------------------------------------------------------- */

static fovea_status allocate(team *t) {
  const size_t count = (size_t)t->ranks.count;
  t->homes = calloc(count, sizeof *t->homes);
  t->heard = calloc(count, sizeof *t->heard);
  if (t->homes == NULL || t->heard == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", t->ranks.count);
  for (size_t r = 0; r < count; r++) t->heard[r] = fovea_seconds();
  return FOVEA_OK;
}

static void forget(team *t) {
  pthread_mutex_destroy(&t->lock);
  free(t->homes);
  free(t->heard);
  free(t);
}

/* The running kernel and its namespace of processes: two hosts may have one name, and one host several namespaces. */
static home own_home(void) {
  char space[64] = "";
  uint8_t *boot = NULL;
  size_t size = 0;
  home h = {.process = getpid()};
  ranks_host(h.host);
  const ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space);
  if (length <= 0 || fovea_file_read("/proc/sys/kernel/random/boot_id", 100, &boot, &size) != FOVEA_OK) return h;
  h.there = XXH64(boot, size, XXH64(space, (size_t)length, 0));
  free(boot);
  return h;
}

static fovea_status start(team *t) {
  fovea_status status = allocate(t);
  if (status != FOVEA_OK) return status;
  for (int r = 0; r < t->ranks.count; r++) snprintf(t->homes[r].host, RANKS_HOST, "a host");
  t->homes[t->ranks.index] = own_home();
  t->lost = -1;
  const int error = pthread_create(&t->pulse, NULL, pulse, t);
  if (error != 0) return fovea_fail(FOVEA_NO_MEMORY, "no thread for the ranks: %s", strerror(error));
  t->beating = true;
  home *all = calloc((size_t)t->ranks.count, sizeof *all);
  if (all == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", t->ranks.count);
  all[t->ranks.index] = t->homes[t->ranks.index];
  if ((status = team_gather(t, all, sizeof *all)) == FOVEA_OK) {
    pthread_mutex_lock(&t->lock);
    memcpy(t->homes, all, (size_t)t->ranks.count * sizeof *all);
    pthread_mutex_unlock(&t->lock);
  }
  free(all);
  return status;
}

fovea_status team_begin(const ranks *r, team **out) {
  if (r->count < 2) return FOVEA_OK;
  team *t = calloc(1, sizeof *t);
  if (t == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", r->count);
  t->ranks = *r;
  t->silence = TEAM_SILENCE;
  t->face = (fovea_ranks){.rank = r->index,
                          .count = r->count,
                          .user = t,
                          .begin = begin_meeting,
                          .end = end_meeting,
                          .scatter = begin_scatter,
                          .sync_batchnorm = true};
  pthread_mutex_init(&t->lock, NULL);
  *out = t;
  return start(t);
}

void team_set_silence(team *t, long long seconds) {
  if (t == NULL) return;
  pthread_mutex_lock(&t->lock);
  t->silence = (double)seconds;
  pthread_mutex_unlock(&t->lock);
}

/* So that a rank's own end is not taken for the others' fault by the launcher, which then ends all: the one that says
 * why is the last. */
static void leave_in_order(const team *t) {
  nanosleep(&(struct timespec){.tv_nsec = speaks(t) ? 600000000 : 300000000}, NULL);
}

/* All wait here for one whose device still keeps its kernels: within MPI_Finalize nobody would notice its end. */
void team_end(team *t, int code) {
  if (t == NULL) return;
  char *all = t->beating ? calloc((size_t)t->ranks.count, 1) : NULL;
  if (all != NULL) (void)team_gather(t, all, 1);
  free(all);
  atomic_store(&t->ending, true);
  if (t->beating) pthread_join(t->pulse, NULL);
  if (t->failed) {
    leave_in_order(t);
    if (speaks(t)) ranks_abandon(code, false);
  } else {
    ranks_end_within(2 * TEAM_GRACE, code); /* one may be ended just now */
    ranks_end(true);
  }
  forget(t);
}
