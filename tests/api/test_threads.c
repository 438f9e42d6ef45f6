/* Many threads whose calls are the process's first, in fresh processes of this very program; and threads that train at
 * once, each on a device of its own or all on one, to the same bits. hygiene/thread_sanitizer runs it, too. */
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
  const int all = (waiting / expected + 1) * expected; /* of this meeting */
  if (++waiting == all) pthread_cond_broadcast(&gate_opens);
  while (waiting < all) pthread_cond_wait(&gate_opens, &gate);
  pthread_mutex_unlock(&gate);
}

static void say(void *user, const char *line) { (void)user, (void)line; }

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

static fovea_status step(fovea_network *network, int steps) {
  uint8_t pixels[BATCH * SIDE * SIDE];
  fovea_losses losses;
  fovea_status status = FOVEA_OK;
  tiny_pixels(pixels, sizeof pixels);
  for (int i = 0; i < steps && !status; i++) status = fovea_network_train_step(network, pixels, NULL, BATCH, 0.01f);
  if (!status) status = fovea_network_evaluate(network, pixels, NULL, BATCH, 0);
  if (!status) status = fovea_network_losses(network, &losses);
  return status;
}

static fovea_status train_on(fovea_device *on, thread *t) {
  fovea_vae *vae = NULL;
  const fovea_vae_config config = tiny_config(SIDE, BATCH);
  fovea_status status = fovea_vae_create(on, &config, true, &vae);
  if (!status) status = step(vae->network, STEPS);
  if (!status) status = read_parameters(vae->network, t);
  fovea_vae_destroy(vae);
  return status;
}

static fovea_status train(thread *t) {
  fovea_device *own = NULL;
  fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
  if (!status) status = train_on(own, t);
  fovea_device_close(own);
  return status;
}

/* --- what threads share: made before they begin --------------------------------------------------------------------
 */

static fovea_device *shared_device;
static fovea_vae *shared_vae;

static fovea_status share_device(void) { return fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &shared_device); }

static fovea_status share_vae(void) {
  const fovea_vae_config config = tiny_config(SIDE, BATCH);
  const fovea_status status = share_device();
  return status ? status : fovea_vae_create(shared_device, &config, true, &shared_vae);
}

static void end_sharing(void) {
  fovea_vae_destroy(shared_vae);
  fovea_device_close(shared_device);
}

static fovea_status train_beside_others(thread *t) { return train_on(shared_device, t); }

/* A network of its own, on a device of its own, of a graph that is frozen. */
static fovea_status train_same_graph(thread *t) {
  const fovea_network_options options = {.batch = BATCH, .seed = 5, .training = true};
  fovea_device *own = NULL;
  fovea_network *network = NULL;
  int dims[3];
  fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
  if (!status) status = fovea_tensor_shape(shared_vae->graph, shared_vae->mu, dims);
  if (!status && fovea_add_activation(shared_vae->graph, 0, FOVEA_RELU) != -1) status = FOVEA_MISMATCH;
  if (!status && fovea_graph_keep(shared_vae->graph, 0) != FOVEA_INVALID) status = FOVEA_MISMATCH;
  if (!status) status = fovea_network_create(own, shared_vae->graph, &options, &network);
  if (!status) status = step(network, STEPS);
  if (!status) status = read_parameters(network, t);
  fovea_network_destroy(network);
  fovea_device_close(own);
  return status;
}

/* One network: the calls are each whole, in some order; all threads' steps are taken. Between two calls of a thread
 * come others'. */
static fovea_status train_same_network(thread *t) {
  float values[FLOATS];
  fovea_network *network = shared_vae->network;
  fovea_status status = step(network, STEPS);
  for (int i = 0; i < STEPS && !status; i++) status = fovea_network_read(network, shared_vae->mu, BATCH, values);
  if (!status) status = fovea_network_get(network, 0, FOVEA_VALUE, values);
  if (!status) status = fovea_device_finish(shared_device);
  meet(); /* all have done their steps */
  t->count = 1, t->result[0] = (float)fovea_network_get_step(network);
  if (t->result[0] != (float)(expected * STEPS)) status = FOVEA_MISMATCH;
  return status;
}

/* Profiling and listening, while others compute. */
static fovea_status profile_beside_others(thread *t) {
  if (t->number > 0) return train_on(shared_device, t);
  fovea_profile_row *rows = NULL;
  size_t count = 0;
  fovea_status status = fovea_profile_begin(shared_device);
  for (int i = 0; i < 20 && !status; i++) {
    fovea_device_tell(shared_device, i % 2 ? NULL : say, NULL);
    status = fovea_device_finish(shared_device);
  }
  if (!status) status = fovea_profile_end(shared_device, &rows, &count);
  fovea_free(rows);
  return status ? status : train_on(shared_device, t);
}

/* Each changes the place of what it closes. */
static fovea_status set_cache(thread *t) {
  for (int i = 0; i < 50; i++) {
    const fovea_status status = fovea_cache_set_folder(i % 2 ? NULL : "");
    if (status) return status;
  }
  return open_and_close(t);
}

/* --- the process ---------------------------------------------------------------------------------------------------
 */

typedef struct role {
  const char *name;
  fovea_status (*work)(thread *t);
  int threads, processes;
  fovea_status (*before)(void); /* what they share; NULL: nothing */
} role;

static const role roles[] = {{"open", open_and_close, 8, 12, NULL},
                             {"list or open", list_or_open, 16, 4, NULL},
                             {"fail", fail_alone, 8, 2, NULL},
                             {"train", train, 4, 2, NULL},
                             {"train on one device", train_beside_others, 4, 2, share_device},
                             {"train of one graph", train_same_graph, 3, 1, share_vae},
                             {"train one network", train_same_network, 4, 2, share_vae},
                             {"profile", profile_beside_others, 3, 1, share_device},
                             {"set the cache", set_cache, 8, 2, NULL}};
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
  if (r->before && r->before() != FOVEA_OK) return fprintf(stderr, "%s: %s\n", r->name, fovea_error_message()), 98;
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
  end_sharing();
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
