#include "reach/ranks.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef FOVEA_MPI
#include <mpi.h>
#endif

#include "base/environment.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "cli/options.h"

/* What launchers say of how many they started, also where MPI is not asked. Slurm sets its variable for each step
 * (srun), not for a batch script. */
static long long launched(const char **variable) {
  const struct {
    const char *name, *value;
  } said[] = {{"OMPI_COMM_WORLD_SIZE", fovea_environment("OMPI_COMM_WORLD_SIZE")},
              {"PMI_SIZE", fovea_environment("PMI_SIZE")},
              {"SLURM_STEP_NUM_TASKS", fovea_environment("SLURM_STEP_NUM_TASKS")}};
  long long count = 1;
  for (size_t i = 0; i < sizeof said / sizeof *said; i++)
    if (said[i].value && options_read_int(said[i].value, 2, 1e9, &count)) return *variable = said[i].name, count;
  return 1;
}

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
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS || given < MPI_THREAD_FUNNELED)
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

fovea_status ranks_begin(ranks *r) {
  const char *variable = NULL;
  const long long count = launched(&variable);
  *r = (ranks){.count = 1, .local_count = 1};
  if (count < 2) return FOVEA_OK;
  fovea_status status = join(r);
  if (status || r->count == count) return status;
  const int found = r->count;
  MPI_Finalize();
  return fovea_fail(FOVEA_INVALID,
                    "this process was started as one of %lld (%s), and by MPI it is one of %d: the launcher is not of "
                    "%s, which fovea was built with; under Slurm try srun --mpi=pmix, or use --shard",
                    count, variable, found, ranks_library());
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
  while (under_way) {
    clear_delivered();
    ranks_rest();
  }
  MPI_Finalize();
}

fovea_status ranks_send(int to, const void *data, size_t size) {
  letter *l = malloc(sizeof *l + size);
  if (!l) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a message to rank %d", to);
  memcpy(l->data, data, size);
  if (MPI_Isend(l->data, (int)size, MPI_BYTE, to, TAG, MPI_COMM_WORLD, &l->request) != MPI_SUCCESS) {
    free(l);
    return fovea_fail(FOVEA_DEVICE, "rank %d cannot be sent a message", to);
  }
  l->next = under_way;
  under_way = l;
  clear_delivered();
  return FOVEA_OK;
}

bool ranks_receive(int *from, void *data, size_t size) {
  int there = 0;
  MPI_Status status;
  clear_delivered();
  if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || !there) return false;
  *from = status.MPI_SOURCE;
  return MPI_Recv(data, (int)size, MPI_BYTE, *from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) == MPI_SUCCESS;
}

#else

const char *ranks_library(void) { return NULL; }

fovea_status ranks_begin(ranks *r) {
  const char *variable = NULL;
  const long long count = launched(&variable);
  *r = (ranks){.count = 1, .local_count = 1};
  if (count < 2) return FOVEA_OK;
  return fovea_fail(
      FOVEA_INVALID,
      "this process was started as one of %lld (%s), but this fovea was built without MPI: build it where "
      "libopenmpi-dev is installed, or use --shard, which needs none",
      count, variable);
}

void ranks_end(bool whole) { (void)whole; }

fovea_status ranks_send(int to, const void *data, size_t size) {
  (void)data;
  return fovea_fail(FOVEA_INVALID, "no rank %d for %zu bytes: built without MPI", to, size);
}

bool ranks_receive(int *from, void *data, size_t size) {
  (void)from;
  (void)data;
  (void)size;
  return false;
}

#endif
