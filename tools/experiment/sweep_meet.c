/* Whether the ranks of a sweep are of one mind, before any of them trains. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/hash.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/sweep_ranks.h"

static const double meeting = 300; /* seconds that ranks may need longer than the first */

message sweep_message(const sweep *s, message_kind kind) {
  message m = {.kind = kind, .workers = s->able};
  ranks_host(m.host);
  return m;
}

static void hash_text(XXH64_state_t *hash, const char *text) { XXH64_update(hash, text, strlen(text) + 1); }

static uint64_t settings_of(const sweep *s) {
  XXH64_state_t hash;
  char *text = run_config_text(s->config);
  XXH64_reset(&hash, 0);
  hash_text(&hash, text != NULL ? text : "");
  hash_text(&hash, s->plan.header);
  for (size_t i = 0; i < s->plan.count; i++) hash_text(&hash, s->plan.configs[i].name);
  free(text);
  return XXH64_digest(&hash);
}

static message introduce(const sweep *s, fovea_status status) {
  message m = {.kind = HELLO, .build = ranks_build(), .workers = s->worker_count};
  ranks_host(m.host);
  m.outcome.status = status;
  if (status != FOVEA_OK) snprintf(m.outcome.reason, sizeof m.outcome.reason, "%s", fovea_error_message());
  if (status != FOVEA_OK) return m;
  m.settings = settings_of(s);
  m.data = s->data.train_hash * 31 + s->data.test_hash;
  return m;
}

/* In words, where rank `r` is not of one mind with the first. */
static fovea_status compare(const message *first, int r, const message *other) {
  static const char advice[] = "start all of them by one command, with one program and one set of images";
  if (other->build != first->build)
    return fovea_fail(FOVEA_INVALID, "rank %d on %s runs another build of fovea than rank 0 on %s; %s", r, other->host,
                      first->host, advice);
  if (other->outcome.status != FOVEA_OK)
    return fovea_fail(other->outcome.status, "rank %d on %s: %s", r, other->host, other->outcome.reason);
  if (other->data != first->data)
    return fovea_fail(FOVEA_INVALID, "rank %d on %s has other images or labels in --data than rank 0 on %s; %s", r,
                      other->host, first->host, advice);
  if (other->settings != first->settings)
    return fovea_fail(FOVEA_INVALID, "rank %d on %s has other settings than rank 0 on %s; %s", r, other->host,
                      first->host, advice);
  return FOVEA_OK;
}

static fovea_status hear_all(sweep *s, message *hello) {
  const double begun = fovea_seconds();
  int missing = s->ranks.count - 1, from = 0;
  message m;
  while (missing > 0) {
    if (!ranks_receive(&from, &m, sizeof m)) {
      ranks_rest();
    } else if (m.kind == HELLO) {
      hello[from] = m;
      missing--;
    }
    if (fovea_seconds() - begun > meeting)
      return fovea_fail(FOVEA_DEVICE, "%d of %d ranks are not ready %.0f seconds after the first", missing,
                        s->ranks.count, meeting);
  }
  return FOVEA_OK;
}

static fovea_status open_meeting(sweep *s, fovea_status status) {
  message *hello = calloc((size_t)s->ranks.count, sizeof *hello);
  if (hello == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", s->ranks.count);
  hello[0] = introduce(s, status);
  const fovea_status heard = hear_all(s, hello);
  if (status == FOVEA_OK) status = heard;
  for (int r = 1; r < s->ranks.count && status == FOVEA_OK; r++) {
    status = compare(&hello[0], r, &hello[r]);
    s->able += hello[r].workers;
  }
  free(hello);
  return status;
}

fovea_status sweep_end_alone(const sweep *s) {
  progress_tell("fovea: rank %d has not heard of rank 0 for %.0f seconds, and ends", s->ranks.index, SWEEP_ALONE);
  ranks_abandon(FOVEA_DEVICE, false);
  return FOVEA_DEVICE;
}

static fovea_status join_meeting(sweep *s, fovea_status status) {
  message m = introduce(s, status);
  int from = 0;
  double heard = fovea_seconds();
  if ((status = ranks_send(0, &m, sizeof m)) != FOVEA_OK) return status;
  for (m.kind = BEAT; m.kind != WELCOME && m.kind != REFUSED;) {
    if (ranks_receive(&from, &m, sizeof m))
      heard = fovea_seconds();
    else
      ranks_rest();
    s->alone = fovea_seconds() - heard > SWEEP_ALONE;
    if (s->alone) return sweep_end_alone(s);
  }
  return m.kind == WELCOME ? FOVEA_OK : m.outcome.status;
}

/* --- the first, while it does what takes its time ---------------------------------------------------------------- */

static void *keep_company(void *user) {
  sweep *s = user;
  const message m = {.kind = BEAT};
  double last = 0;
  while (!atomic_load(&s->end_company)) {
    for (int r = 1; r < s->ranks.count && fovea_seconds() - last > SWEEP_BEAT; r++) (void)ranks_send(r, &m, sizeof m);
    if (fovea_seconds() - last > SWEEP_BEAT) last = fovea_seconds();
    ranks_rest();
  }
  return NULL;
}

fovea_status sweep_begin_company(sweep *s) {
  if (s->ranks.count < 2 || s->ranks.index > 0) return FOVEA_OK;
  const int error = pthread_create(&s->company, NULL, keep_company, s);
  s->has_company = error == 0;
  return error == 0 ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no thread for the ranks: %s", strerror(error));
}

static void end_company(sweep *s) {
  if (!s->has_company) return;
  atomic_store(&s->end_company, true);
  pthread_join(s->company, NULL);
  s->has_company = false;
}

fovea_status sweep_meet(sweep *s, fovea_status status) {
  return s->ranks.index == 0 ? open_meeting(s, status) : join_meeting(s, status);
}

void sweep_dismiss(sweep *s, fovea_status status) {
  end_company(s);
  if (s->alone) return;
  const message m = {.kind = REFUSED, .outcome.status = status};
  for (int r = 1; r < s->ranks.count && s->ranks.index == 0; r++) (void)ranks_send(r, &m, sizeof m);
  ranks_end(true);
}

void sweep_work_with_ranks(sweep *s) {
  signals_busy(); /* the main thread's farewells take a moment */
  end_company(s);
  if (s->ranks.index == 0)
    sweep_lead(s);
  else
    sweep_follow(s);
}
