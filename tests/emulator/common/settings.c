#define _GNU_SOURCE
#include "settings.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static settings all;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The number of the word that a variable has, 0 when it is not set. Another word ends the process: a test that runs
 * with another setting than it says would prove nothing. */
static unsigned word(const char *variable, const char *const *words) {
  const char *value = getenv(variable);
  if (!value || !*value) return 0;
  for (unsigned i = 0; words[i]; i++)
    if (strcmp(value, words[i]) == 0) return i;
  fprintf(stderr, "emulator: %s is \"%s\", and may be", variable, value);
  for (unsigned i = 0; words[i]; i++) fprintf(stderr, " %s", words[i]);
  fputc('\n', stderr);
  exit(1);
}

static unsigned number(const char *variable, unsigned otherwise, unsigned least, unsigned most) {
  const char *value = getenv(variable);
  if (!value || !*value) return otherwise;
  char *end;
  const unsigned long n = strtoul(value, &end, 10);
  if (*end == '\0' && n >= least && n <= most) return (unsigned)n;
  fprintf(stderr, "emulator: %s is \"%s\", and may be %u to %u\n", variable, value, least, most);
  exit(1);
}

static void read_all(void) {
  static const char *const devices[] = {"gfx1100", "gfx90a", "sm_80", "cuda", NULL},
                           *const roundings[] = {"exact", "up", "down", "random", NULL},
                           *const orders[] = {"forward", "backward", "strided", NULL};
  cpu_set_t processors;
  const int count = sched_getaffinity(0, sizeof processors, &processors) ? 1 : CPU_COUNT(&processors);
  all.device = (emulated)word("EMULATOR_DEVICE", devices);
  const bool nvidia = all.device >= SM_80;
  all.reciprocal = (rounding)word("EMULATOR_RECIPROCAL", roundings);
  all.root = (rounding)word("EMULATOR_ROOT", roundings);
  all.order = (group_order)word("EMULATOR_ORDER", orders);
  all.flush = number("EMULATOR_FLUSH", 0, 0, 1);
  all.divides = number("EMULATOR_DIVIDES", nvidia, 0, 1);
  all.idle = number("EMULATOR_IDLE", 0, 0, 1);
  all.trace = number("EMULATOR_TRACE", 0, 0, 1);
  all.units = number("EMULATOR_UNITS", nvidia ? 108 : 48, 1, 1024);
  all.threads = number("EMULATOR_THREADS", (unsigned)count, 1, 64);
  all.most_items = number("EMULATOR_GROUP", nvidia ? 1024 : 256, 1, 1024);
}

const settings *settings_get(void) {
  pthread_once(&once, read_all);
  return &all;
}
