/* A launch's work-groups on a few threads, one launch after the other. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "settings.h"
#include "threads.h"
#include "trap.h"

enum { MOST_THREADS = 64 };

/* What the threads share of the launch that runs. */
static struct {
  pthread_mutex_t one_launch, lock;
  pthread_cond_t begin, end;
  pthread_t threads[MOST_THREADS];
  unsigned started, busy;
  uint64_t number; /* of launches begun */
  group_function *run_group;
  const void *launch;
  const uint32_t *groups;
  uint64_t total, stride;
  _Atomic uint64_t next;
  atomic_bool failed;
  workspace spaces[MOST_THREADS];
} pool = {.one_launch = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .begin = PTHREAD_COND_INITIALIZER,
          .end = PTHREAD_COND_INITIALIZER};

static uint64_t divisor(uint64_t a, uint64_t b) { return b ? divisor(b, a % b) : a; }

/* The i-th group to run, by the settings' order. */
static uint64_t ordered(uint64_t i) {
  switch (settings_get()->order) {
    case BACKWARD:
      return pool.total - 1 - i;
    case STRIDED:
      return (i * pool.stride + pool.total / 3) % pool.total;
    default:
      return i;
  }
}

static void run_groups(workspace *space) {
  const uint32_t *n = pool.groups;
  const uint64_t some = pool.total / 256 + 1; /* taken at once */
  while (!pool.failed) {
    const uint64_t first = atomic_fetch_add(&pool.next, some);
    if (first >= pool.total) return;
    for (uint64_t i = first; i < first + some && i < pool.total; i++) {
      const uint64_t j = ordered(i);
      const uint32_t group[3] = {(uint32_t)(j % n[0]), (uint32_t)(j / n[0] % n[1]), (uint32_t)(j / n[0] / n[1])};
      if (pool.run_group(space, pool.launch, group)) continue;
      if (!atomic_exchange(&pool.failed, true)) fprintf(stderr, "emulator: %s\n", space->fault);
      return;
    }
  }
}

static void *work(void *space) {
  uint64_t seen = 0;
  for (;;) {
    pthread_mutex_lock(&pool.lock);
    while (pool.number == seen) pthread_cond_wait(&pool.begin, &pool.lock);
    seen = pool.number;
    pthread_mutex_unlock(&pool.lock);
    run_groups(space);
    pthread_mutex_lock(&pool.lock);
    if (--pool.busy == 0) pthread_cond_signal(&pool.end);
    pthread_mutex_unlock(&pool.lock);
  }
  return NULL;
}

/* Threads beside the caller's; fewer where the system gives no more. */
static void start_threads(unsigned wanted) {
  while (pool.started < wanted &&
         pthread_create(&pool.threads[pool.started], NULL, work, &pool.spaces[1 + pool.started]) == 0)
    pool.started++;
}

static uint64_t executed(void) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < MOST_THREADS; i++) sum += pool.spaces[i].instructions;
  return sum;
}

bool threads_run(group_function *run_group, const void *launch, const uint32_t groups[3], uint64_t *instructions) {
  *instructions = 0;
  if (settings_get()->idle) return true;
  pthread_mutex_lock(&pool.one_launch);
  const uint64_t before = executed();
  pool.run_group = run_group, pool.launch = launch, pool.groups = groups;
  pool.total = (uint64_t)groups[0] * groups[1] * groups[2];
  pool.stride = pool.total / 2 | 1;
  while (pool.stride > 1 && divisor(pool.stride, pool.total) != 1) pool.stride -= 2;
  pool.next = 0;
  pool.failed = false;
  trap_begin();
  const bool several = pool.total > 1 && settings_get()->threads > 1;
  if (several) {
    pthread_mutex_lock(&pool.lock);
    start_threads(settings_get()->threads - 1);
    pool.busy = pool.started;
    pool.number++;
    pthread_cond_broadcast(&pool.begin);
    pthread_mutex_unlock(&pool.lock);
  }
  run_groups(&pool.spaces[0]);
  if (several) {
    pthread_mutex_lock(&pool.lock);
    while (pool.busy > 0) pthread_cond_wait(&pool.end, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
  }
  trap_end();
  *instructions = executed() - before;
  const bool good = !pool.failed;
  pthread_mutex_unlock(&pool.one_launch);
  return good;
}
