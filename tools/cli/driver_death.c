/* Compilers in drivers give up by abort() or exit(): PoCL 3.1 aborts when a kernel cannot be linked or read, LLVM when
 * memory ends, and calls exit(1) when a file cannot be written. */
#define _XOPEN_SOURCE 700 /* sigaltstack */
#include "cli/driver_death.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "cli/json.h"
#include "fovea/status.h"
#include "runtime/driver_folder.h"
#include "runtime/driver_watch.h"

static volatile sig_atomic_t watching;
static _Thread_local int blamed = -1; /* the device that this thread works with; -1: none, or it cannot tell */
static struct {
  const char *const *names; /* of the devices */
  char *const *const *arguments;
  atomic_int count;
} others;
static bool no_linker; /* asked beforehand: looking along PATH is nothing for a signal handler */

static const struct death {
  int signal;
  const char *name;
} deaths[] = {{SIGABRT, "SIGABRT"}, {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"}};
enum { DEATHS = sizeof deaths / sizeof *deaths };

/* PoCL has clang link each kernel, which runs the first `ld` of PATH. */
static bool on_path(const char *program) {
  const char *path = fovea_environment("PATH");
  char file[4096];
  if (!path) path = "/usr/bin:/bin";
  while (*path) {
    const size_t length = strcspn(path, ":");
    const int n = snprintf(file, sizeof file, "%.*s/%s", (int)length, path, program);
    if (n > 0 && (size_t)n < sizeof file && access(file, X_OK) == 0) return true;
    path += length + (path[length] == ':');
  }
  return false;
}

/* The sentence, on stderr and kept for stdout's JSON. */
static char sentence[1024];
static void put(const char *text) {
  (void)!write(STDERR_FILENO, text, strlen(text));
  strncat(sentence, text, sizeof sentence - strlen(sentence) - 1);
}

/* Other threads and what they hold end with it, whatever state the driver left that in. */
static void start_without(int device) {
  sigset_t all;
  sigemptyset(&all);
  for (int i = 0; i < DEATHS; i++) sigaddset(&all, deaths[i].signal);
  put("; ");
  put(others.names[device]);
  put(" is left out from here on, and the others go on from what is saved\n");
  fovea_driver_folder_died(true);
  (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
  execv("/proc/self/exe", others.arguments[device]);
  put("fovea: it cannot start again");
}

/* Async-signal-safe. The sentence has a line of its own, whatever the driver wrote. */
static _Noreturn void die(const char *how, const char *doing) {
  const char *folder = fovea_driver_folder();
  fovea_status status = FOVEA_DEVICE;
  put("\nfovea: ");
  sentence[0] = '\0';
  put("ended by ");
  put(how);
  put(" while the OpenCL driver ");
  put(doing);
  put(" (what it said, if anything, stands above): ");
  if (fovea_memory_is_short()) {
    status = FOVEA_NO_MEMORY;
    put("memory is short, 512 MiB more cannot be had; raise the limit (ulimit -v) or free some");
  } else if (folder[0] && fovea_folder_is_full(folder)) {
    status = FOVEA_IO;
    put("it cannot write its files in ");
    put(folder);
    put(", which is full, beyond a limit or gone; free some room there");
  } else if (no_linker) {
    put("there is no linker 'ld' on PATH, which it may need to compile; install one, e.g. Debian's binutils");
  } else {
    put("a fault of the driver, of the kernels that it compiled, of the machine or of fovea");
    if (blamed >= 0 && blamed < atomic_load(&others.count)) start_without(blamed);
    if (folder[0]) put("; the compiled kernels in use are set aside at the next start");
  }
  json_dying(status, sentence);
  put("\n");
  fovea_driver_folder_died(status == FOVEA_DEVICE && !no_linker);
  _exit((int)status);
}

static void on_signal(int number) {
  const char *doing = fovea_driver_doing(), *name = "a signal";
  for (int i = 0; i < DEATHS; i++)
    if (deaths[i].signal == number) name = deaths[i].name;
  if (watching && doing) die(name, doing);
  signal(number, SIG_DFL); /* a fault of ours: as if nobody had watched */
  raise(number);
}

static void on_exit_of_others(void) {
  const char *doing = fovea_driver_doing();
  if (watching) die("exit()", doing ? doing : "was at work");
}

_Noreturn void driver_death_by_abort(void) {
  const char *doing = fovea_driver_doing();
  if (watching && doing) die("abort()", doing);
  signal(SIGABRT, SIG_DFL);
  for (;;) raise(SIGABRT);
}

static void take_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is a write error with a message and an exit code */
#ifdef __SANITIZE_ADDRESS__
  return; /* a sanitizer's report says more */
#endif
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < DEATHS; i++) (void)sigaction(deaths[i].signal, &action, NULL);
}

void driver_death_watch(void) {
  static char stack[64 << 10]; /* where a stack that overflowed is no help */
  const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  no_linker = !on_path("ld");
  watching = 1;
  (void)sigaltstack(&other, NULL);
  take_signals();
  fovea_driver_when_loaded(take_signals);
  (void)atexit(on_exit_of_others);
}

void driver_death_blame(int device) { blamed = device; }

void driver_death_others(const char *const *names, char *const *const *arguments, int count) {
  atomic_store(&others.count, 0);
  others.names = names;
  others.arguments = arguments;
  atomic_store(&others.count, count);
}

void driver_death_unwatch(void) { watching = 0; }
