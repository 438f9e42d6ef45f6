/* The fovea command as another process that can be watched and sent signals. */
#ifndef FOVEA_TESTS_SUPPORT_PROCESS_H
#define FOVEA_TESTS_SUPPORT_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* Runs "ENVIRONMENT fovea ARGUMENTS" by the shell; the exit code, or -1 for a signal. stdout and stderr together are in
 * output[size], cut to it. */
int process_fovea(const char *environment, const char *arguments, char *output, size_t size);

typedef struct process {
  pid_t pid;
  int descriptor; /* reads its stdout and stderr */
  char *output;
  size_t size, used;
} process;

/* Starts fovea with the words of `arguments` (no quoting); output[size] receives what it prints. Aborts on failure. */
process process_start(const char *arguments, char *output, size_t size);

/* The same on a terminal of its own, so many columns wide, called `term` in $TERM. What it prints has the terminal's
 * carriage returns. */
process process_start_on_terminal(const char *arguments, const char *term, int columns, char *output, size_t size);

/* The same without the descriptors 0, 1 and 2; nothing of it can be read. */
pid_t process_start_closed(const char *arguments);

/* Reads until `text` has been printed; 0, or -1 when the process ended without it. */
int process_wait_for(process *p, const char *text);

/* Reads to the end; the exit code, or minus the number of the signal that ended it. */
int process_end(process *p);

#endif
