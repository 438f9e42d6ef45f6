/* Ranks that train one network together: they meet for what each has a part of, and none waits for one that is gone. A
 * thread tells the others that this process is there, and hears of them, whatever else it does. A rank that was silent
 * for some seconds, or that failed, ends every meeting of the others, so that all of them end. For one thread beside
 * that one. NULL is a process that is alone: what all ranks would do is then done by it. */
#ifndef FOVEA_TOOLS_REACH_TEAM_H
#define FOVEA_TOOLS_REACH_TEAM_H

#include "fovea/ranks.h"
#include "reach/ranks.h"

/* A second's beats may be late; what is silent for longer than the limit is lost. Then the others end: at once where
 * they wait for it, and in any case after so many seconds more. */
enum { TEAM_SILENCE = 10, TEAM_LEAST_SILENCE = 2, TEAM_MOST_SILENCE = 3600, TEAM_GRACE = 5 };

typedef struct team team;

/* After ranks_begin; *t stays NULL where r->count is 1. Every rank comes to it, and to all that follows but for
 * team_fail, in the same order. FOVEA_NO_MEMORY, FOVEA_DEVICE. */
fovea_status team_begin(const ranks *r, team **t);

/* Seconds of silence after which a rank is lost: TEAM_SILENCE until it is said. */
void team_set_silence(team *t, long long seconds);

/* This rank's way out. `code`, of the whole process, may be another than the one with which it failed. */
void team_end(team *t, int code);

/* As the network takes them; NULL for NULL. */
fovea_ranks *team_ranks(team *t);
const ranks *team_who(const team *t);

/* Whether it is the one that prints, writes files and draws. */
bool team_is_first(const team *t);

/* Whether it is the one that says why all end: the first of those that are left. */
bool team_is_speaker(team *t);

/* "rank 1 on HOST"; returns text. */
enum { TEAM_NAME = RANKS_HOST + 24 };
const char *team_name(const team *t, int rank, char text[TEAM_NAME]);

/* All ranks learn whether one of them failed: then all return its status, with a message that names it. */
fovea_status team_settle(team *t, fovea_status status);

/* The first rank's bytes go to all. Statuses of all meetings: FOVEA_DEVICE where a rank is lost, naming it, and what a
 * rank failed with. */
fovea_status team_give(team *t, void *data, size_t size);

/* The same of a text, or of NULL: the others' is theirs to free. */
fovea_status team_give_text(team *t, char **text);

/* Everybody's `size` bytes, in order of ranks, to all: each has put its own at its place. */
fovea_status team_gather(team *t, void *data, size_t size);

/* Everybody's text, to all: texts[count], each to be freed with the array. */
fovea_status team_gather_texts(team *t, const char *own, char ***texts);
void team_free_texts(const team *t, char **texts);

/* The largest of all ranks' numbers, of which none is below 0; *whose is the first rank that has it. What is wrong with
 * the meeting is told by the next one, and the number is then this rank's own. */
int team_most(team *t, int number, int *whose);

/* Where something failed that only this rank may have met: the others end, too. Returns the status; one that the team
 * gave is not told again. */
fovea_status team_fail(team *t, fovea_status status);

#endif
