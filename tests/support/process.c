#define _XOPEN_SOURCE 700 /* posix_openpt */
#include "support/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

int process_fovea(const char *environment, const char *arguments, char *output, size_t size) {
  char line[4096];
  snprintf(line, sizeof line, "{ %s '%s' %s; } 2>&1", environment, FOVEA_COMMAND, arguments);
  FILE *pipe = popen(line, "r");
  if (pipe == NULL) abort();
  size_t n = fread(output, 1, size - 1, pipe);
  output[n] = '\0';
  while (fgetc(pipe) != EOF) continue;
  int status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* -1: without standard streams. */
static void become_fovea(const char *arguments, int descriptor) {
  char copy[4096], *words[64], *rest = NULL;
  int count = 0;
  snprintf(copy, sizeof copy, "%s", arguments);
  words[count++] = (char[]){"fovea"};
  for (char *w = strtok_r(copy, " ", &rest); w != NULL && count < 63; w = strtok_r(NULL, " ", &rest))
    words[count++] = w;
  words[count] = NULL;
  for (int stream = 0; stream <= STDERR_FILENO; stream++) {
    if (descriptor < 0)
      close(stream);
    else if (stream != STDIN_FILENO)
      dup2(descriptor, stream);
  }
  execv(FOVEA_COMMAND, words);
  _exit(127);
}

process process_start(const char *arguments, char *output, size_t size) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  pid_t pid = fork();
  if (pid < 0) abort();
  if (pid == 0) {
    close(ends[0]);
    become_fovea(arguments, ends[1]);
  }
  close(ends[1]);
  output[0] = '\0';
  return (process){pid, ends[0], output, size, 0};
}

process process_start_on_terminal(const char *arguments, const char *term, int columns, char *output, size_t size) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  const struct winsize window = {.ws_row = 24, .ws_col = (unsigned short)columns};
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) abort();
  const int side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  if (side < 0 || ioctl(side, TIOCSWINSZ, &window) != 0) abort();
  pid_t pid = fork();
  if (pid < 0) abort();
  if (pid == 0) {
    close(terminal);
    setenv("TERM", term, 1);
    become_fovea(arguments, side);
  }
  close(side);
  output[0] = '\0';
  return (process){pid, terminal, output, size, 0};
}

pid_t process_start_closed(const char *arguments) {
  pid_t pid = fork();
  if (pid < 0) abort();
  if (pid == 0) become_fovea(arguments, -1);
  return pid;
}

/* One read; false at the end, where a terminal says EIO. */
static int read_more(process *p) {
  char spill[4096];
  const size_t room = p->size - 1 - p->used;
  ssize_t n = read(p->descriptor, room > 0 ? p->output + p->used : spill, room > 0 ? room : sizeof spill);
  if (n <= 0) return 0;
  if (room > 0) p->used += (size_t)n;
  p->output[p->used] = '\0';
  return 1;
}

int process_wait_for(process *p, const char *text) {
  while (strstr(p->output, text) == NULL) {
    if (!read_more(p)) return -1;
  }
  return 0;
}

int process_end(process *p) {
  int status = 0;
  while (read_more(p)) continue;
  close(p->descriptor);
  waitpid(p->pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
