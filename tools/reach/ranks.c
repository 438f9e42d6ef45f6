#include "reach/ranks.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef FOVEA_MPI
#include <mpi.h>
#endif

#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "cli/launcher.h"

const char *ranks_host(char host[RANKS_HOST]) {
  if (gethostname(host, RANKS_HOST) != 0) snprintf(host, RANKS_HOST, "a host");
  host[RANKS_HOST - 1] = '\0';
  return host;
}

uint64_t ranks_build(void) {
  uint8_t *data = NULL;
  size_t size = 0;
  XXH64_state_t hash;
  if (fovea_file_read("/proc/self/exe", (size_t)1 << 30, &data, &size) != FOVEA_OK) return 0;
  XXH64_reset(&hash, 0);
  XXH64_update(&hash, data, size);
  free(data);
  return XXH64_digest(&hash);
}

void ranks_rest(void) { nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); }

typedef struct deadline {
  int seconds, code;
} deadline;

static void *end_then(void *user) {
  const deadline *d = user;
  nanosleep(&(struct timespec){.tv_sec = d->seconds}, NULL);
  _exit(d->code);
}

void ranks_end_within(int seconds, int code) {
  static deadline d;
  pthread_t thread;
  d = (deadline){seconds, code};
  if (pthread_create(&thread, NULL, end_then, &d) == 0) (void)pthread_detach(thread);
}

int ranks_begin_quiet(void) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), kept = dup(STDERR_FILENO);
  if (nowhere >= 0 && kept >= 0) (void)dup2(nowhere, STDERR_FILENO);
  if (nowhere >= 0) close(nowhere);
  return kept;
}

void ranks_end_quiet(int quiet) {
  if (quiet < 0) return;
  fflush(stderr);
  (void)dup2(quiet, STDERR_FILENO);
  close(quiet);
}

#ifdef FOVEA_MPI

enum { TAG = 1 };

typedef struct letter {
  struct letter *next;
  MPI_Request request;
  unsigned char data[];
} letter;

static letter *under_way;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of MPI, which takes one thread at a time, and of letters */

const char *ranks_library(void) {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "MPI";
  text[strcspn(text, ",\n")] = '\0'; /* the first of its clauses names it */
  return text;
}

static fovea_status join(ranks *r) {
  int given = MPI_THREAD_SINGLE;
  MPI_Comm host;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &given) != MPI_SUCCESS || given < MPI_THREAD_SERIALIZED)
    return fovea_fail(FOVEA_DEVICE, "MPI cannot be started, or not in a program of several threads");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &r->index);
  MPI_Comm_size(MPI_COMM_WORLD, &r->count);
  if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host) == MPI_SUCCESS) {
    MPI_Comm_rank(host, &r->local);
    MPI_Comm_size(host, &r->local_count);
    MPI_Comm_free(&host);
  }
  return FOVEA_OK;
}

fovea_status ranks_begin(ranks *r, const char *instead) {
  const char *variable = NULL;
  const long long count = launcher_count(&variable);
  *r = (ranks){.count = 1, .local_count = 1};
  if (count < 2) return FOVEA_OK;
  fovea_status status = join(r);
  if (status || r->count == count) return status;
  const int found = r->count;
  MPI_Finalize();
  return fovea_fail(FOVEA_INVALID,
                    "this process was started as one of %lld (%s), and by MPI it is one of %d: the launcher is not of "
                    "%s, which fovea was built with; under Slurm try srun --mpi=pmix, or %s",
                    count, variable, found, ranks_library(), instead);
}

static void clear_delivered(void) {
  for (letter **at = &under_way; *at;) {
    letter *l = *at;
    int done = 0;
    if (MPI_Test(&l->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) done = 1;
    if (done)
      *at = l->next, free(l);
    else
      at = &l->next;
  }
}

void ranks_end(bool whole) {
  int begun = 0, ended = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&ended);
  if (!begun || ended || !whole) return;
  for (bool all = false; !all;) {
    pthread_mutex_lock(&lock);
    clear_delivered();
    all = !under_way;
    pthread_mutex_unlock(&lock);
    if (!all) ranks_rest();
  }
  MPI_Finalize();
}

static bool post(int to, letter *l, size_t size) {
  if (MPI_Isend(l->data, (int)size, MPI_BYTE, to, TAG, MPI_COMM_WORLD, &l->request) != MPI_SUCCESS) return false;
  l->next = under_way;
  under_way = l;
  clear_delivered();
  return true;
}

fovea_status ranks_send(int to, const void *data, size_t size) {
  letter *l = malloc(sizeof *l + size);
  if (!l) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a message to rank %d", to);
  memcpy(l->data, data, size);
  pthread_mutex_lock(&lock);
  const bool posted = post(to, l, size);
  pthread_mutex_unlock(&lock);
  if (!posted) free(l);
  return posted ? FOVEA_OK : fovea_fail(FOVEA_DEVICE, "rank %d cannot be sent a message", to);
}

/* Pieces of data that are on their way; a rank that is gone leaves them so. */
struct ranks_exchange {
  int count;
  MPI_Request requests[];
};

enum { DATA_TAG = TAG + 1 };
static const size_t piece = (size_t)1 << 30; /* MPI counts by int */

static int pieces(size_t bytes) { return (int)((bytes + piece - 1) / piece); }

/* What this rank has for the others, or where theirs comes to: bytes[i] for rank i, in order of ranks; or without
 * `bytes` so many for each, `apart` from each other. */
typedef struct side {
  const unsigned char *gives;
  unsigned char *takes; /* one of the two */
  const size_t *bytes;
  size_t each, apart;
} side;

static size_t size_for(const side *s, int rank) { return s->bytes ? s->bytes[rank] : s->each; }

/* Where what is of rank `after` lies, when that of the rank before does so at `at`. */
static size_t place_after(const side *s, size_t at, int after) {
  return after == 0 ? 0 : at + (s->bytes ? s->bytes[after - 1] : s->apart);
}

static size_t place_of(const side *s, int rank) {
  size_t at = 0;
  for (int i = 0; i <= rank; i++) at = place_after(s, at, i);
  return at;
}

static int start_piece(const side *s, size_t at, size_t size, int rank, MPI_Request *request) {
  if (s->gives) return MPI_Isend(s->gives + at, (int)size, MPI_BYTE, rank, DATA_TAG, MPI_COMM_WORLD, request);
  return MPI_Irecv(s->takes + at, (int)size, MPI_BYTE, rank, DATA_TAG, MPI_COMM_WORLD, request);
}

static int start_rank(ranks_exchange *x, const side *s, size_t begin, int rank) {
  const size_t end = begin + size_for(s, rank);
  int error = MPI_SUCCESS;
  for (size_t at = begin; at < end && error == MPI_SUCCESS; at += piece)
    error = start_piece(s, at, end - at < piece ? end - at : piece, rank, &x->requests[x->count++]);
  return error;
}

/* Not all with the same rank first. */
static int start(ranks_exchange *x, const ranks *r, const side *s) {
  int error = MPI_SUCCESS;
  size_t at = place_of(s, r->index);
  for (int i = 1; i < r->count && error == MPI_SUCCESS; i++) {
    const int rank = (r->index + i) % r->count;
    at = place_after(s, at, rank);
    error = start_rank(x, s, at, rank);
  }
  return error;
}

static fovea_status begin_exchange(const ranks *r, const side *from, const side *to, ranks_exchange **x) {
  size_t requests = 0;
  for (int i = 0; i < r->count; i++) requests += (size_t)pieces(size_for(from, i)) + (size_t)pieces(size_for(to, i));
  *x = malloc(sizeof **x + requests * sizeof *(*x)->requests);
  if (!*x) return fovea_fail(FOVEA_NO_MEMORY, "no memory for what %d ranks tell each other", r->count);
  (*x)->count = 0;
  pthread_mutex_lock(&lock);
  int error = start(*x, r, to);
  if (error == MPI_SUCCESS) error = start(*x, r, from);
  pthread_mutex_unlock(&lock);
  return error == MPI_SUCCESS ? FOVEA_OK : fovea_fail(FOVEA_DEVICE, "what is for other ranks cannot be sent");
}

fovea_status ranks_exchange_begin(const ranks *r, void *data, const size_t *bytes, ranks_exchange **x) {
  const side to = {.takes = data, .bytes = bytes};
  const side from = {.gives = (unsigned char *)data + place_of(&to, r->index), .each = bytes[r->index]};
  return begin_exchange(r, &from, &to, x);
}

fovea_status ranks_scatter_begin(const ranks *r, const void *give, void *take, const size_t *bytes,
                                 ranks_exchange **x) {
  const side from = {.gives = give, .bytes = bytes};
  const side to = {.takes = take, .each = bytes[r->index], .apart = bytes[r->index]};
  return begin_exchange(r, &from, &to, x);
}

bool ranks_exchange_over(ranks_exchange *x) {
  int done = 0;
  pthread_mutex_lock(&lock);
  if (MPI_Testall(x->count, x->requests, &done, MPI_STATUSES_IGNORE) != MPI_SUCCESS) done = 0; /* silence will tell */
  pthread_mutex_unlock(&lock);
  if (done) free(x);
  return done != 0;
}

static int exit_code;

static void abort_all(void) {
  ranks_end_within(5, exit_code); /* where the launcher cannot be reached */
  fflush(NULL);
  nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL); /* until the launcher has passed it on */
  pthread_mutex_lock(&lock);
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  _exit(exit_code);
}

void ranks_abandon(int code, bool now) {
  exit_code = code;
  if (now) abort_all();
  atexit(abort_all);
}

static bool take_letter(int *from, void *data, size_t size) {
  int there = 0;
  MPI_Status status;
  clear_delivered();
  if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || !there) return false;
  *from = status.MPI_SOURCE;
  return MPI_Recv(data, (int)size, MPI_BYTE, *from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) == MPI_SUCCESS;
}

bool ranks_receive(int *from, void *data, size_t size) {
  pthread_mutex_lock(&lock);
  const bool there = take_letter(from, data, size);
  pthread_mutex_unlock(&lock);
  return there;
}

#else

const char *ranks_library(void) { return NULL; }

fovea_status ranks_begin(ranks *r, const char *instead) {
  *r = (ranks){.count = 1, .local_count = 1};
  return launcher_fail("but this fovea was built without MPI: build it where libopenmpi-dev is installed, or ", instead,
                       "");
}

void ranks_end(bool whole) { (void)whole; }

void ranks_abandon(int code, bool now) {
  (void)code;
  (void)now;
}

static fovea_status refuse(const ranks *r) {
  return fovea_fail(FOVEA_INVALID, "no %d ranks: built without MPI", r->count);
}

fovea_status ranks_exchange_begin(const ranks *r, void *data, const size_t *bytes, ranks_exchange **x) {
  (void)data;
  (void)bytes;
  (void)x;
  return refuse(r);
}

fovea_status ranks_scatter_begin(const ranks *r, const void *give, void *take, const size_t *bytes,
                                 ranks_exchange **x) {
  (void)give;
  (void)take;
  (void)bytes;
  (void)x;
  return refuse(r);
}

bool ranks_exchange_over(ranks_exchange *x) {
  (void)x;
  return true;
}

fovea_status ranks_send(int to, const void *data, size_t size) {
  (void)data;
  return fovea_fail(FOVEA_INVALID, "no rank %d for %zu bytes: built without MPI", to, size);
}

bool ranks_receive(int *from, void *data, size_t size) {
  (void)data;
  (void)size;
  *from = 0;
  return false;
}

#endif
