#include "train/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/fail.h"
#include "base/hash.h"
#include "cli/json.h"
#include "train/identity.h"

enum { BLOCK = 16, NUMBERS = 3 }; /* images that one sum is of; value, first and second moment */

/* --- settings ---------------------------------------------------------------------------------------------------- */

static fovea_status compare(team *t, const char *own) {
  char **texts = NULL, first[TEAM_NAME], other[TEAM_NAME];
  fovea_status status = team_gather_texts(t, own, &texts);
  for (int r = 1; r < team_who(t)->count && status == FOVEA_OK; r++)
    status = identity_of_ranks(team_name(t, 0, first), texts[0], team_name(t, r, other), texts[r]);
  team_free_texts(t, texts);
  return status;
}

/* Takes the object; NULL: there was no memory for it. */
static fovea_status compare_settings(team *t, json_t *all) {
  char *text = all != NULL ? run_config_text(all) : NULL;
  json_decref(all);
  fovea_status status = text != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for the settings of a rank");
  status = team_settle(t, status);
  if (status == FOVEA_OK) status = team_settle(t, compare(t, text));
  free(text);
  return status;
}

static json_t *said_or_none(const char *text) { return json_said(text != NULL ? text : ""); }

fovea_status share_compare_options(team *t, const run_options *o) {
  char build[RUN_HASH];
  const char *blas = fovea_environment("FOVEA_BLAS");
  if (t == NULL) return FOVEA_OK;
  identity_hash_text(ranks_build(), build);
  return compare_settings(
      t, json_pack("{s:s,s:s,s:b,s:I,s:b,s:b,s:b,s:b,s:o,s:o}", "build", build, "fovea_blas",
                   blas != NULL ? blas : "builtin", "resume", o->resume, "rank_timeout", (json_int_t)o->rank_timeout,
                   "sync_bn", o->sync_bn, "tensorboard", o->tensorboard, "json", o->json, "log_json", o->log_json,
                   "out", said_or_none(o->out), "init", said_or_none(o->init)));
}

fovea_status share_compare(team *t, const json_t *config) {
  return t != NULL ? compare_settings(t, json_incref((json_t *)(uintptr_t)config)) : FOVEA_OK;
}

fovea_status share_compare_networks(team *t, const fovea_network *network) {
  char text[80];
  if (t == NULL) return FOVEA_OK;
  snprintf(text, sizeof text, "{\"blas\":\"%s\"}", fovea_network_blas(network));
  return team_settle(t, compare(t, text));
}

/* --- parameters -------------------------------------------------------------------------------------------------- */

static const fovea_value numbers[NUMBERS] = {FOVEA_VALUE, FOVEA_FIRST_MOMENT, FOVEA_SECOND_MOMENT};

static size_t largest(const fovea_network *network) {
  size_t most = 1;
  for (size_t i = 0; i < fovea_network_parameter_count(network); i++)
    if (fovea_network_parameter(network, i)->count > most) most = fovea_network_parameter(network, i)->count;
  return most;
}

static float *room(const fovea_network *network, fovea_status *status) {
  float *data = malloc(largest(network) * sizeof *data);
  if (data == NULL) *status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the largest of the parameters");
  return data;
}

static fovea_status share_one(team *t, fovea_network *network, size_t i, fovea_value which, float *data) {
  const size_t size = fovea_network_parameter(network, i)->count * sizeof *data;
  fovea_status status = team_is_first(t) ? fovea_network_get(network, i, which, data) : FOVEA_OK;
  if (status == FOVEA_OK) status = team_give(t, data, size);
  if (status == FOVEA_OK && !team_is_first(t)) status = fovea_network_set(network, i, which, data);
  return status;
}

fovea_status share_training(team *t, fovea_vae *vae, fovea_training_state *state) {
  fovea_network *network = vae->network;
  fovea_status status = FOVEA_OK;
  uint32_t step = fovea_network_get_step(network);
  if (t == NULL) return FOVEA_OK;
  float *data = room(network, &status);
  for (size_t i = 0; i < fovea_network_parameter_count(network) && status == FOVEA_OK; i++)
    for (int k = 0; k < (fovea_network_parameter(network, i)->trainable ? NUMBERS : 1) && status == FOVEA_OK; k++)
      status = share_one(t, network, i, numbers[k], data);
  free(data);
  if (status == FOVEA_OK) status = team_give(t, state, sizeof *state);
  if (status == FOVEA_OK) status = team_give(t, &step, sizeof step);
  return status == FOVEA_OK ? fovea_network_set_step(network, step) : status;
}

static fovea_status hash_of(fovea_network *network, uint64_t *hash) {
  XXH64_state_t state;
  fovea_status status = FOVEA_OK;
  float *data = room(network, &status);
  XXH64_reset(&state, 0);
  for (size_t i = 0; i < fovea_network_parameter_count(network) && status == FOVEA_OK; i++) {
    const fovea_parameter *p = fovea_network_parameter(network, i);
    for (int k = 0; k < NUMBERS && p->trainable && status == FOVEA_OK; k++) {
      status = fovea_network_get(network, i, numbers[k], data);
      if (status == FOVEA_OK) XXH64_update(&state, data, p->count * sizeof *data);
    }
  }
  free(data);
  *hash = XXH64_digest(&state);
  return status;
}

static fovea_status compare_hashes(team *t, uint64_t *all) {
  char name[TEAM_NAME], first[TEAM_NAME];
  fovea_status status = team_gather(t, all, sizeof *all);
  for (int r = 1; r < team_who(t)->count && status == FOVEA_OK; r++)
    if (all[r] != all[0])
      status = fovea_fail(FOVEA_MISMATCH,
                          "%s has other parameters than %s after the same steps: its device or driver computes other "
                          "numbers, which fovea check on that host may find; nothing more is saved",
                          team_name(t, r, name), team_name(t, 0, first));
  return status;
}

fovea_status share_check(team *t, fovea_network *network) {
  if (t == NULL) return FOVEA_OK;
  uint64_t *all = calloc((size_t)team_who(t)->count, sizeof *all);
  fovea_status status = all != NULL ? hash_of(network, &all[team_who(t)->index])
                                    : fovea_fail(FOVEA_NO_MEMORY, "no memory for %d ranks", team_who(t)->count);
  status = team_settle(t, status);
  if (status == FOVEA_OK) status = team_settle(t, compare_hashes(t, all));
  free(all);
  return status;
}

fovea_status share_copy(fovea_network *from, fovea_network *to) {
  fovea_status status = FOVEA_OK;
  float *data = room(from, &status);
  for (size_t i = 0; i < fovea_network_parameter_count(from) && status == FOVEA_OK; i++) {
    status = fovea_network_get(from, i, FOVEA_VALUE, data);
    if (status == FOVEA_OK) status = fovea_network_set(to, i, FOVEA_VALUE, data);
  }
  free(data);
  return status;
}

/* --- parts ------------------------------------------------------------------------------------------------------- */

static long long blocks(long long batch) { return (batch + BLOCK - 1) / BLOCK; }

fovea_status share_check_batch(const team *t, long long batch) {
  if (t == NULL || team_who(t)->count <= blocks(batch)) return FOVEA_OK;
  const int count = team_who(t)->count;
  return fovea_fail(FOVEA_INVALID,
                    "a batch of %lld is %lld block%s of 16 images, too few for %d ranks, each of which takes whole "
                    "blocks: start %lld or fewer, or take --batch %lld",
                    batch, blocks(batch), blocks(batch) == 1 ? "" : "s", count, blocks(batch),
                    (long long)count * BLOCK);
}

const char *share_say_parts(team *t, int batch, char text[SHARE_TEXT]) {
  fovea_ranks r = *team_ranks(t);
  size_t first = 0, count = 0, least = (size_t)batch, most = 0;
  size_t used = (size_t)snprintf(text, SHARE_TEXT, "batch %d over %d ranks:", batch, r.count);
  for (r.rank = 0; r.rank < r.count; r.rank++) {
    if (fovea_ranks_part(&r, batch, (size_t)batch, &first, &count) != FOVEA_OK) count = 0;
    if (used < SHARE_TEXT - 32)
      used += (size_t)snprintf(text + used, SHARE_TEXT - used, "%s %zu", r.rank > 0 ? "," : "", count);
    least = count < least ? count : least;
    most = count > most ? count : most;
  }
  snprintf(text + used, SHARE_TEXT - used, "%s images", used < SHARE_TEXT - 32 ? "" : ", ...");
  if (least == most) text[0] = '\0';
  return text;
}
