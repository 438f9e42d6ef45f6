#include "cli/progress.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum { BAR = 24, USUAL_COLUMNS = 80 };
static const double terminal_interval = 0.1, line_interval = 5; /* seconds between two prints */

static struct {
  bool active, terminal;
  char label[128], note[128];
  const char *unit;
  size_t total, done;
  double begun, printed;
} progress;                                /* under the lock */
static void (*listener)(const char *line); /* under it, too */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

static int columns_of_terminal(void) {
#ifdef TIOCGWINSZ
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
#endif
  return USUAL_COLUMNS;
}

/* A terminal that can do more than print: one that says "dumb" or nothing gets lines. */
static bool can_redraw(void) {
  const char *term = getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

static void format_bar(char bar[BAR + 4]) {
  const double part = fmin((double)progress.done / (double)progress.total, 1);
  memset(bar, ' ', BAR + 3);
  bar[0] = '[';
  memset(bar + 1, '#', (size_t)(part * BAR));
  bar[BAR + 1] = ']';
  bar[BAR + 3] = '\0';
}

static void format_line(char *line, size_t size, const char *bar, bool last) {
  char share[16] = "", time_text[48] = "", duration[32];
  const double elapsed = fovea_seconds() - progress.begun;
  const double rate = elapsed > 0 ? (double)progress.done / elapsed : 0;
  if (progress.total > 0)
    snprintf(share, sizeof share, "%3d%% ", (int)(100 * fmin((double)progress.done / (double)progress.total, 1)));
  if (last)
    snprintf(time_text, sizeof time_text, ", took %s", duration_text(elapsed, duration));
  else if (rate > 0 && progress.total > progress.done)
    snprintf(time_text, sizeof time_text, ", %s left",
             duration_text((double)(progress.total - progress.done) / rate, duration));
  snprintf(line, size, "%s: %s%s%zu %s, %.*f %s/s%s%s%s", progress.label, bar, share, progress.done, progress.unit,
           rate < 10 ? 2 : 0, rate, progress.unit, time_text, *progress.note ? ", " : "", progress.note);
}

/* On a terminal the line must fit, less the column where the cursor stands: one that wraps is not drawn over. First the
 * bar goes, then the line's end. */
static void print_now(bool last) {
  char line[512], bar[BAR + 4] = "";
  if (!progress.terminal) {
    format_line(line, sizeof line, "", last);
    fprintf(stderr, "%s\n", line);
    return;
  }
  const size_t width = (size_t)columns_of_terminal() - 1;
  if (progress.total > 0) format_bar(bar);
  format_line(line, sizeof line, bar, last);
  if (strlen(line) > width) format_line(line, sizeof line, "", last);
  /* \033[K clears what a longer line left behind. */
  fprintf(stderr, "\r%.*s\033[K%s", (int)width, line, last ? "\n" : "");
  fflush(stderr);
}

static void end_bar(void) {
  if (progress.active) print_now(true);
  progress.active = false;
}

void progress_begin(const char *label, size_t total, const char *unit) {
  pthread_mutex_lock(&lock);
  end_bar();
  memset(&progress, 0, sizeof progress);
  progress.active = true;
  progress.terminal = can_redraw();
  snprintf(progress.label, sizeof progress.label, "%s", label);
  progress.unit = unit;
  progress.total = total;
  progress.begun = progress.printed = fovea_seconds();
  pthread_mutex_unlock(&lock);
}

void progress_listen(void (*hear)(const char *line)) {
  pthread_mutex_lock(&lock);
  listener = hear;
  pthread_mutex_unlock(&lock);
}

void progress_say(const char *line) {
  pthread_mutex_lock(&lock);
  if (listener != NULL) listener(line);
  fflush(stdout); /* where both are one file, what was printed before stands before */
  if (progress.active && progress.terminal) fputs("\r\033[K", stderr);
  fprintf(stderr, "%s\n", line);
  pthread_mutex_unlock(&lock);
}

void progress_hear(void *user, const char *line) {
  (void)user;
  progress_say(line);
}

void progress_tell(const char *format, ...) {
  char line[2048];
  va_list rest;
  va_start(rest, format);
  vsnprintf(line, sizeof line, format, rest);
  va_end(rest);
  progress_say(line);
}

void progress_say_network(const fovea_device_info *device, const fovea_vae *vae) {
  progress_tell("fovea: %s (%s), %zu parameters, %.1f MiB of its %.1f GiB of memory", device->name, device->platform,
                fovea_vae_parameter_count(vae), (double)fovea_network_memory(vae->network) / 1048576.0,
                (double)device->global_memory / 1073741824.0);
}

static void update(size_t done, const char *note) {
  if (!progress.active) return;
  progress.done = done;
  snprintf(progress.note, sizeof progress.note, "%s", note ? note : "");
  double now = fovea_seconds();
  if (now - progress.printed < (progress.terminal ? terminal_interval : line_interval)) return;
  progress.printed = now;
  print_now(false);
}

void progress_update(size_t done, const char *note) {
  pthread_mutex_lock(&lock);
  update(done, note);
  pthread_mutex_unlock(&lock);
}

void progress_end(void) {
  pthread_mutex_lock(&lock);
  end_bar();
  pthread_mutex_unlock(&lock);
}
