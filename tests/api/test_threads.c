/* Many threads whose calls are the process's first, in fresh processes of this very program; and threads that train at
 * once, each on a device of its own, to the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/device.h"
#include "support/tiny.h"

enum { MOST_THREADS = 16, SIDE = 8, BATCH = 8, STEPS = 6, FLOATS = 4096 };

/* --- what a thread of a fresh process does; its own message where it fails -----------------------------------------
 */

typedef struct thread {
  pthread_t id;
  int number;
  fovea_status status;
  char message[256];
  size_t count; /* of what it computed */
  float result[FLOATS];
} thread;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opens = PTHREAD_COND_INITIALIZER;
static int waiting, expected;

/* So that the first calls come at once. */
static void meet(void) {
  pthread_mutex_lock(&gate);
  if (++waiting == expected) pthread_cond_broadcast(&gate_opens);
  while (waiting < expected) pthread_cond_wait(&gate_opens, &gate);
  pthread_mutex_unlock(&gate);
}

static fovea_status open_and_close(thread *t) {
  fovea_device *own = NULL;
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < 3 && !status; i++) {
    status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
    if (!status) status = fovea_device_finish(own);
    if (!status && !fovea_device_get_info(own)->usable) status = FOVEA_MISMATCH;
    fovea_device_close(own);
    own = NULL;
  }
  (void)t;
  return status;
}

static fovea_status list_or_open(thread *t) {
  if (t->number % 2) return open_and_close(t);
  fovea_device_info *list = NULL;
  size_t count = 0;
  const fovea_status status = fovea_device_list(&list, &count);
  fovea_free(list);
  return status;
}

/* A failure's message is the thread's own, whatever the others do. */
static fovea_status fail_alone(thread *t) {
  char name[32];
  snprintf(name, sizeof name, "no device %d!", t->number);
  for (int i = 0; i < 20; i++) {
    fovea_device *own = NULL;
    if (fovea_device_open(name, &own) != FOVEA_INVALID) return FOVEA_MISMATCH;
    if (!strstr(fovea_error_message(), name)) return FOVEA_MISMATCH;
  }
  return FOVEA_OK;
}

static fovea_status read_parameters(fovea_network *network, thread *t) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < fovea_network_parameter_count(network) && !status; i++) {
    const size_t count = fovea_network_parameter(network, i)->count;
    if (t->count + count > FLOATS) return FOVEA_NO_MEMORY;
    status = fovea_network_get(network, i, FOVEA_VALUE, t->result + t->count);
    t->count += count;
  }
  return status;
}

static fovea_status train(thread *t) {
  uint8_t pixels[BATCH * SIDE * SIDE];
  fovea_device *own = NULL;
  fovea_vae *vae = NULL;
  const fovea_vae_config config = tiny_config(SIDE, BATCH);
  tiny_pixels(pixels, sizeof pixels);
  fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
  if (!status) status = fovea_vae_create(own, &config, true, &vae);
  for (int i = 0; i < STEPS && !status; i++)
    status = fovea_network_train_step(vae->network, pixels, NULL, BATCH, 0.01f);
  if (!status) status = read_parameters(vae->network, t);
  fovea_vae_destroy(vae);
  fovea_device_close(own);
  return status;
}

/* --- the process ---------------------------------------------------------------------------------------------------
 */

typedef struct role {
  const char *name;
  fovea_status (*work)(thread *t);
  int threads, processes;
} role;

static const role roles[] = {{"open", open_and_close, 8, 12},
                             {"list or open", list_or_open, 16, 4},
                             {"fail", fail_alone, 8, 2},
                             {"train", train, 4, 2}};
enum { ROLES = sizeof roles / sizeof *roles };

static const role *played;

static void *run_thread(void *argument) {
  thread *t = argument;
  meet();
  t->status = played->work(t);
  snprintf(t->message, sizeof t->message, "%s", fovea_error_message());
  return NULL;
}

static int play(const role *r) {
  static thread threads[MOST_THREADS];
  int failures = 0;
  played = r;
  expected = r->threads;
  for (int i = 0; i < r->threads; i++) {
    threads[i].number = i;
    if (pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) != 0) return 99;
  }
  for (int i = 0; i < r->threads; i++) pthread_join(threads[i].id, NULL);
  for (int i = 0; i < r->threads; i++) {
    const thread *t = &threads[i];
    const bool same = t->count == threads[0].count && memcmp(t->result, threads[0].result, 4 * t->count) == 0;
    if (t->status == FOVEA_OK && same) continue;
    fprintf(stderr, "%s, thread %d: %d, %s: %s\n", r->name, i, (int)t->status, same ? "same" : "other bits",
            t->message);
    failures++;
  }
  return failures;
}

/* --- the tests ------------------------------------------------------------------------------------------------------
 */

static const char *program;

static int in_a_fresh_process(const role *r) {
  int status = 0;
  fflush(stderr);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    execl(program, program, r->name, (char *)NULL);
    _exit(127);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  fprintf(stderr, "%s: %s %d\n", r->name, WIFSIGNALED(status) ? "signal" : "exit",
          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  return 1;
}

static void run_processes(void **state) {
  const role *r = *state;
  int failures = 0;
  for (int i = 0; i < r->processes; i++) failures += in_a_fresh_process(r);
  if (failures) fail_msg("%d of %d processes", failures, r->processes);
}

int main(int argc, char **argv) {
  struct CMUnitTest tests[ROLES];
  program = argv[0];
  for (int i = 0; i < ROLES; i++) {
    if (argc > 1 && strcmp(argv[1], roles[i].name) == 0) return play(&roles[i]);
    tests[i] = (struct CMUnitTest){roles[i].name, run_processes, NULL, NULL, (void *)&roles[i]};
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
