#include "cli/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/driver_folder.h"

enum { SAME_REQUEST = 2, FAREWELL = 1024, MILLISECONDS = 1000 };

/* Handlers run on any thread, the driver's too, at any moment: all they touch is atomic. */
static atomic_int received;
static atomic_llong received_at; /* in milliseconds */
static atomic_int busy;          /* threads that are */
static _Thread_local bool this_thread_is;
static atomic_bool terminal, quiet;
static char farewells[2][FAREWELL];
static _Atomic(const char *) farewell;

#define FINISHING "finishing the step under way and saving", "what was not saved is lost"
const signals_words signals_of_beginning = {"nothing had begun, start it again", FINISHING};
const signals_words signals_of_training = {"there was nothing new to save, go on with --resume", FINISHING};
static _Atomic(const signals_words *) words = &signals_of_training;

static const struct {
  int number;
  const char *name;
} caught[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};
enum { CAUGHT = sizeof caught / sizeof *caught };

static long long now(void) {
  struct timespec t = {0};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * MILLISECONDS + t.tv_nsec / (1000000000 / MILLISECONDS);
}

/* write() is all that a handler may print with. */
static void put(int descriptor, const char *text) { (void)!write(descriptor, text, strlen(text)); }

const char *signals_name(int number) {
  for (int i = 0; i < CAUGHT; i++)
    if (caught[i].number == number) return caught[i].name;
  return "a signal";
}

/* The three parts one after the other. */
static void say(int number, const char *what, const char *which, const char *end) {
  char line[256] = "";
  if (atomic_load(&quiet)) return;
  if (atomic_load(&terminal)) strncat(line, "\n", 2); /* a bar may stand there */
  strncat(line, "fovea: ", 8);
  strncat(line, signals_name(number), 16);
  const char *const parts[] = {what, which, end};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) strncat(line, parts[i], sizeof line - strlen(line) - 1);
  put(STDERR_FILENO, line);
}

/* Also in the midst of the driver's reading of compiled kernels, which is no fault of theirs. */
static _Noreturn void end(int number) {
  fovea_driver_folder_died(false);
  _exit(128 + number);
}

static void on_signal(int number) {
  const int reason = errno;
  const signals_words *said = atomic_load(&words);
  int before = 0;
  if (atomic_load(&busy) == 0) {
    say(number, ": ended; ", said->idle, "\n");
    const char *text = atomic_load(&farewell);
    if (text != NULL && !atomic_load(&quiet)) put(STDOUT_FILENO, text);
    end(number);
  }
  if (atomic_compare_exchange_strong(&received, &before, number)) {
    atomic_store(&received_at, now());
    say(number, ": ", said->finishing, "; again after 2 seconds ends at once\n");
  } else if (atomic_load(&received_at) != 0 && now() - atomic_load(&received_at) >= SAME_REQUEST * MILLISECONDS) {
    say(number, " again: ended at once; ", said->lost, "\n");
    end(number);
  }
  errno = reason;
}

/* A thread of its own waits for them, and they are blocked everywhere else: LLVM, which compiles kernels in this
 * process, takes their handlers for itself, with SA_RESETHAND, so that the second of two signals at once would be
 * deadly. */
static void *wait_for_signals(void *user) {
  const sigset_t *set = user;
  int number = 0;
  while (true)
    if (sigwait(set, &number) == 0) on_signal(number);
  return NULL;
}

static bool start_thread(sigset_t *set) {
  enum { STACK = 256 << 10 };
  static atomic_bool started;
  pthread_t thread;
  pthread_attr_t attributes;
  if (atomic_load(&started)) return true;
  if (pthread_attr_init(&attributes) != 0) return false;
  (void)pthread_attr_setstacksize(&attributes, STACK);
  (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  const bool made = pthread_create(&thread, &attributes, wait_for_signals, set) == 0;
  (void)pthread_attr_destroy(&attributes);
  atomic_store(&started, made);
  return made;
}

void signals_say(const signals_words *said) { atomic_store(&words, said); }

void signals_catch(const signals_words *said) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESTART}, before;
  signals_say(said);
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < CAUGHT; i++) sigaddset(&action.sa_mask, caught[i].number);
  signals_rest();
  atomic_store(&terminal, isatty(STDERR_FILENO) == 1);
  static sigset_t set; /* the thread's, too */
  sigemptyset(&set);
  for (int i = 0; i < CAUGHT; i++) {
    const bool ignored =
        caught[i].number == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    if (!ignored) sigaddset(&set, caught[i].number);
    if (!ignored) sigaction(caught[i].number, &action, NULL); /* where there is no thread */
  }
  (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (!start_thread(&set)) (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int signals_received(void) { return atomic_load(&received); }

void signals_quiet(void) { atomic_store(&quiet, true); }

void signals_adopt(int number) {
  int before = 0;
  if (number != 0) (void)atomic_compare_exchange_strong(&received, &before, number);
}

void signals_busy(void) {
  if (!this_thread_is) atomic_fetch_add(&busy, 1);
  this_thread_is = true;
}

void signals_rest(void) {
  if (this_thread_is) atomic_fetch_sub(&busy, 1);
  this_thread_is = false;
}

/* In this order no signal is missed: one that comes between the two ends the process. */
bool signals_idle(void) {
  signals_rest();
  if (signals_received() == 0) return false;
  signals_busy(); /* until the caller has told how it stopped */
  return true;
}

void signals_farewell(const char *text) {
  char *copy = farewells[atomic_load(&farewell) == farewells[0]];
  snprintf(copy, FAREWELL, "%s", text);
  atomic_store(&farewell, copy);
}

int signals_exit_code(void) { return 128 + signals_received(); }
