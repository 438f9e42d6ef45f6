/* Who trains which configuration, and what came of it. Whoever trains asks and puts, in this process or, by its ranks,
 * in others; results.csv and failed.csv have one writer, this one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/results.h"
#include "experiment/sweep.h"

fovea_status sweep_desk_open(sweep *s) {
  s->taken = calloc(s->plan.count, sizeof *s->taken);
  s->begun = calloc(s->plan.count, sizeof *s->begun);
  s->settled = calloc(s->plan.count, sizeof *s->settled);
  if (!s->taken || !s->begun || !s->settled)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu configurations", s->plan.count);
  for (size_t i = 0; i < s->plan.count; i++) s->settled[i] = s->plan.configs[i].done;
  return FOVEA_OK;
}

void sweep_desk_close(sweep *s) {
  free(s->taken);
  free(s->begun);
  free(s->settled);
}

/* --- under the lock ---------------------------------------------------------------------------------------------- */

static void end(sweep *s, fovea_status status, const char *reason) {
  atomic_store(&s->ending, true);
  if (s->status != FOVEA_OK || status == FOVEA_OK) return;
  s->status = status;
  snprintf(s->reason, sizeof s->reason, "%s", reason);
}

/* Commas and quotes in a reason would be CSV. */
static fovea_status append_failure(sweep *s, const factors_config *c, const char *why) {
  char reason[400], line[400 + FACTORS_NAME + FACTORS_COLUMNS], header[SWEEP_FAILED_HEADER];
  snprintf(reason, sizeof reason, "%s", why);
  progress_tell("fovea: %s failed and is left out of the regression: %s", c->name, reason);
  for (char *p = reason; *p != '\0'; p++) *p = *p == ',' ? ';' : *p == '"' ? '\'' : *p == '\n' ? ' ' : *p;
  snprintf(line, sizeof line, "%s,%s,%s", c->name, c->columns, reason);
  fovea_status status = FOVEA_OK;
  if (!run_exists(s->failures)) status = csvlog_write(s->failures, sweep_failed_header(s, header), &(csvlog){0});
  s->failed++;
  return status != FOVEA_OK ? status : fovea_file_append_line(s->failures, line);
}

/* What is wrong in one configuration's folder stops that configuration alone. */
static fovea_status refuse(sweep *s, const factors_config *c, const char *why) {
  progress_tell("fovea: %s is left out: %s", c->name, why);
  s->refused++;
  if (s->left_out == NULL) s->left_out = json_array();
  const int failed = json_array_append_new(s->left_out, json_pack("{s:s,s:s}", "config", c->name, "reason", why));
  return failed ? fovea_fail(FOVEA_NO_MEMORY, "no memory for what is left out") : FOVEA_OK;
}

/* A device that fails: another may have better luck with what it had. */
static void leave_out(sweep *s, const char *name, const sweep_outcome *o) {
  s->able--;
  if (s->able == 0) {
    end(s, o->status, o->reason);
    return;
  }
  progress_tell("fovea: %s fails and is left out from here on, what it trained goes to another: %s", name, o->reason);
}

static fovea_status take_down(sweep *s, const char *name, size_t place, const sweep_outcome *o) {
  factors_config *c = &s->plan.configs[place];
  if (o->status == FOVEA_MISMATCH) {
    c->done = c->failed = s->settled[place] = true;
    return append_failure(s, c, o->reason);
  }
  if (o->status == FOVEA_INVALID && o->begun) {
    s->settled[place] = true;
    return refuse(s, c, o->reason);
  }
  if (o->status == FOVEA_DEVICE || o->status == FOVEA_NO_MEMORY) return leave_out(s, name, o), FOVEA_OK;
  if (o->status != FOVEA_OK) return end(s, o->status, o->reason), FOVEA_OK;
  if (o->stopped != 0) {
    if (s->stopped == 0 && o->stopped > 0) s->stopped = o->stopped;
    return end(s, FOVEA_OK, ""), FOVEA_OK;
  }
  c->done = s->settled[place] = true;
  if (!o->begun) sweep_correct_estimate(s, place, o->seconds);
  return results_append(s->results, c, &o->result);
}

static void prepare_farewell(const sweep *s) {
  char text[RUN_PATH + 256];
  if (s->options.json) {
    char *state = sweep_state(s, true, NULL);
    json_preview(state, text, sizeof text);
    free(state);
  } else {
    sweep_stopped_text(s, text, sizeof text);
  }
  signals_farewell(text);
  signals_say(&signals_of_training);
}

/* --- the desk ---------------------------------------------------------------------------------------------------- */

static sweep_answer ask(sweep *s, int who, size_t *place, bool *begun) {
  bool others = false;
  if (atomic_load(&s->ending)) return SWEEP_END;
  for (size_t i = 0; i < s->plan.count; i++) {
    if (s->settled[i]) continue;
    others = others || s->taken[i] != 0;
    if (s->taken[i] != 0) continue;
    s->taken[i] = who;
    *place = i;
    *begun = s->begun[i];
    s->begun[i] = true;
    prepare_farewell(s);
    return SWEEP_WORK;
  }
  return others ? SWEEP_WAIT : SWEEP_END; /* theirs may come back */
}

sweep_answer sweep_desk_ask(sweep *s, int who, size_t *place, bool *begun) {
  pthread_mutex_lock(&s->changing);
  const sweep_answer answer = ask(s, who, place, begun);
  pthread_mutex_unlock(&s->changing);
  return answer;
}

void sweep_desk_put(sweep *s, int who, const char *name, size_t place, const sweep_outcome *o) {
  pthread_mutex_lock(&s->changing);
  if (s->taken[place] == who) s->taken[place] = 0;
  if (!s->settled[place]) { /* else another had it meanwhile, with the same bits */
    const fovea_status status = take_down(s, name, place, o);
    if (status != FOVEA_OK) end(s, status, fovea_error_message());
    if (s->plan.configs[place].done) s->finished += sweep_images_of(s, place);
  }
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->changing);
}

size_t sweep_desk_lose(sweep *s, int first, int last, size_t workers) {
  size_t had = SIZE_MAX, open = 0;
  pthread_mutex_lock(&s->changing);
  for (size_t i = 0; i < s->plan.count; i++) {
    open += !s->settled[i];
    if (s->taken[i] < first || s->taken[i] > last) continue;
    s->taken[i] = 0;
    had = i;
  }
  s->able -= workers;
  if (s->able == 0 && open > 0) end(s, FOVEA_DEVICE, "no device is left to train what is not done; --resume goes on");
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->changing);
  return had;
}

void sweep_desk_end(sweep *s, fovea_status status, const char *reason) {
  pthread_mutex_lock(&s->changing);
  end(s, status, reason);
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->changing);
}

void sweep_desk_stop(sweep *s, int number) {
  pthread_mutex_lock(&s->changing);
  if (s->stopped == 0) s->stopped = number;
  end(s, FOVEA_OK, "");
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->changing);
}

static bool take_here(sweep_worker *w, size_t *place, bool *begun) {
  sweep *s = w->sweep;
  sweep_answer answer;
  pthread_mutex_lock(&s->changing);
  while ((answer = ask(s, w->who, place, begun)) == SWEEP_WAIT) pthread_cond_wait(&s->changed, &s->changing);
  pthread_mutex_unlock(&s->changing);
  return answer == SWEEP_WORK;
}

static void give_here(sweep_worker *w, size_t place, const sweep_outcome *o) {
  pthread_mutex_lock(&w->sweep->changing);
  w->images = 0;
  pthread_mutex_unlock(&w->sweep->changing);
  sweep_desk_put(w->sweep, w->who, w->name, place, o);
}

const sweep_desk sweep_desk_here = {take_here, give_here};
