/* SIGINT, SIGTERM and SIGHUP in a command that takes its time: what is new is saved first, and nothing is waited for
 * when nothing is new. A process is idle when its end would lose nothing, as while kernels are compiled, and busy else:
 * while one of its threads is, each of which says so for itself. */
#ifndef FOVEA_TOOLS_CLI_SIGNALS_H
#define FOVEA_TOOLS_CLI_SIGNALS_H

#include <stdbool.h>

/* What is said: of the end of an idle process, "SIGINT: ended; ..."; of what a busy one does first, "SIGINT: ..."; of
 * what another signal ends then, "SIGINT again: ended at once; ...". */
typedef struct signals_words {
  const char *idle, *finishing, *lost;
} signals_words;

/* Before there is a folder to go on in, and from then on. */
extern const signals_words signals_of_beginning, signals_of_training;

/* From now on, and idle. `words` are borrowed. The first signal says what will happen: an idle process ends at once,
 * with 128 + its number; a busy one remembers it, to be asked for. Signals of the next two seconds are the same
 * request, because timeout(1) and terminals send theirs twice; a later one ends the process at once. A SIGHUP that is
 * ignored, as under nohup(1), stays so. */
void signals_catch(const signals_words *words);

/* What is said from now on. `words` are borrowed. */
void signals_say(const signals_words *words);

/* The number of the signal that was remembered, or 0. */
int signals_received(void);

/* Idle from now on; whether a signal came before that, so that the caller is to stop. */
bool signals_idle(void);
void signals_busy(void);

/* Idle, whatever came: of a thread that ends, or that has told how it stopped. */
void signals_rest(void);

/* What an idle process that a signal ends prints on stdout: copied, cut to about a thousand bytes. */
void signals_farewell(const char *text);

/* From now on nothing is said of signals: of one process of several, another of which says it. */
void signals_quiet(void);

/* As if the signal had been received here, and remembered; another process was sent it. 0 is none. */
void signals_adopt(int number);
const char *signals_name(int number); /* "SIGINT" */

/* 128 + the signal remembered: the exit code of a command that stopped for it. */
int signals_exit_code(void);

#endif
