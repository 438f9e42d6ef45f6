#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

enum { BAR = 24 };
static const double terminal_interval = 0.1, line_interval = 5; /* seconds between two prints */

static struct {
  bool active, terminal;
  char label[128], note[128];
  const char *unit;
  size_t total, done;
  double begun, printed;
} progress;

/* "1:05" or "2:03:04" */
static const char *duration_text(double seconds, char text[32]) {
  unsigned long s = seconds > 0 ? (unsigned long)(seconds + 0.5) : 0;
  if (s >= 3600) {
    snprintf(text, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
  } else {
    snprintf(text, 32, "%lu:%02lu", s / 60, s % 60);
  }
  return text;
}

static void print_now(bool last) {
  char bar[BAR + 4] = {0}, share[16] = "", time_text[48] = "", duration[32];
  double elapsed = fovea_seconds() - progress.begun;
  double rate = elapsed > 0 ? (double)progress.done / elapsed : 0;
  if (progress.total > 0) {
    double part = (double)progress.done / (double)progress.total;
    if (part > 1) part = 1;
    memset(bar, ' ', BAR + 3);
    bar[0] = '[';
    memset(bar + 1, '#', (size_t)(part * BAR));
    bar[BAR + 1] = ']';
    snprintf(share, sizeof share, "%3d%% ", (int)(100 * part));
  }
  if (last) {
    snprintf(time_text, sizeof time_text, ", took %s", duration_text(elapsed, duration));
  } else if (rate > 0 && progress.total > progress.done) {
    snprintf(time_text, sizeof time_text, ", %s left",
             duration_text((double)(progress.total - progress.done) / rate, duration));
  }
  /* \033[K clears what a longer line left behind. */
  fprintf(stderr, "%s%s: %s%s%zu %s, %.*f %s/s%s%s%s%s", progress.terminal ? "\r" : "", progress.label,
          progress.terminal ? bar : "", share, progress.done, progress.unit, rate < 10 ? 2 : 0, rate, progress.unit,
          time_text, *progress.note ? ", " : "", progress.note, progress.terminal ? "\033[K" : "");
  if (last || !progress.terminal) fputc('\n', stderr);
  fflush(stderr);
}

void progress_begin(const char *label, size_t total, const char *unit) {
  progress_end();
  memset(&progress, 0, sizeof progress);
  progress.active = true;
  progress.terminal = isatty(STDERR_FILENO) == 1;
  snprintf(progress.label, sizeof progress.label, "%s", label);
  progress.unit = unit;
  progress.total = total;
  progress.begun = progress.printed = fovea_seconds();
}

void progress_say(const char *line) {
  if (progress.active && progress.terminal) fputs("\r\033[K", stderr);
  fprintf(stderr, "%s\n", line);
}

void progress_update(size_t done, const char *note) {
  if (!progress.active) return;
  progress.done = done;
  snprintf(progress.note, sizeof progress.note, "%s", note ? note : "");
  double now = fovea_seconds();
  if (now - progress.printed < (progress.terminal ? terminal_interval : line_interval)) return;
  progress.printed = now;
  print_now(false);
}

void progress_end(void) {
  if (!progress.active) return;
  print_now(true);
  progress.active = false;
}
