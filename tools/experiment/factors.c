#include "experiment/factors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "experiment/fraction.h"
#include "experiment/given.h"

enum { MOST_CONFIGS = 1000000 };

/* Of a seed: the levels of configuration `index`, the last factor's changing fastest. */
static void levels_of(const factor_list *list, size_t index, size_t level[LEVELS_FACTORS]) {
  for (size_t f = list->count; f-- > 0; index /= list->of[f].count) level[f] = index % list->of[f].count;
}

static fovea_status count_configs(const factor_list *list, long long seeds, size_t *in_seed) {
  *in_seed = 1;
  for (size_t f = 0; f < list->count; f++) {
    *in_seed *= list->of[f].count;
    if (*in_seed > MOST_CONFIGS / (size_t)seeds)
      return fovea_fail(FOVEA_INVALID, "--factors: more than %d configurations with %lld seeds", MOST_CONFIGS, seeds);
  }
  return FOVEA_OK;
}

static void append(char *text, size_t size, const char *separator, const char *word) {
  const size_t used = strlen(text);
  snprintf(text + used, size - used, "%s%s", used > 0 ? separator : "", word);
}

static fovea_status make(const factor_list *list, const size_t level[LEVELS_FACTORS], const run_options *base,
                         long long seed, factors_config *c) {
  char part[LEVELS_WORD + 16];
  *c = (factors_config){.options = *base};
  c->options.seed = seed;
  for (size_t f = 0; f < list->count; f++) {
    fovea_status status = levels_apply(&list->of[f], level[f], base, &c->options);
    if (status) return fovea_fail_in(status, "--factors");
    levels_name(&list->of[f], level[f], part, sizeof part);
    append(c->name, sizeof c->name, "-", part);
    append(c->columns, sizeof c->columns, ",", list->of[f].words[level[f]]);
  }
  snprintf(part, sizeof part, "s%lld", seed);
  append(c->name, sizeof c->name, "-", part);
  append(c->columns, sizeof c->columns, ",", part + 1);
  if (strlen(c->name) + 1 == sizeof c->name || strlen(c->columns) + 1 == sizeof c->columns)
    return fovea_fail(FOVEA_INVALID, "--factors: the name of a configuration is too long: %s...", c->name);
  fovea_status status = run_options_check(&c->options);
  return status ? fovea_fail_in(status, "the configuration %s", c->name) : FOVEA_OK;
}

/* --- a sample of them ----------------------------------------------------------------------------------------------
 */

typedef struct drawn {
  XXH64_hash_t hash;
  size_t index;
} drawn;

static int by_hash(const void *a, const void *b) {
  const drawn *x = a, *y = b;
  return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash) : (x->index > y->index) - (x->index < y->index);
}

/* Keeps `most` of the wanted: those whose levels have the smallest hashes with the seed. More of them have these, too.
 */
static fovea_status draw(const factor_list *list, size_t most, uint64_t seed, bool *wanted, size_t in_seed) {
  drawn *all = malloc(in_seed * sizeof *all);
  if (!all) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu configurations", in_seed);
  size_t n = 0;
  for (size_t i = 0; i < in_seed; i++) {
    size_t level[LEVELS_FACTORS];
    XXH64_state_t state;
    if (!wanted[i]) continue;
    levels_of(list, i, level);
    XXH64_reset(&state, seed);
    for (size_t f = 0; f < list->count; f++) {
      const char *word = list->of[f].words[level[f]];
      XXH64_update(&state, word, strlen(word) + 1);
    }
    all[n++] = (drawn){XXH64_digest(&state), i};
  }
  qsort(all, n, sizeof *all, by_hash);
  for (size_t i = most; i < n; i++) wanted[all[i].index] = false;
  free(all);
  return FOVEA_OK;
}

/* A factor that the part leaves one level of varies in no row, and no fit has it. */
static void tell_single(const factor_list *list, const bool *wanted, size_t in_seed, factors_plan *plan) {
  size_t first = 0;
  while (first < in_seed && !wanted[first]) first++;
  for (size_t f = 0; f < list->count; f++) {
    size_t level[LEVELS_FACTORS], only;
    bool varies = false;
    levels_of(list, first, level);
    only = level[f];
    for (size_t i = first; i < in_seed && !varies; i++) {
      levels_of(list, i, level);
      varies = wanted[i] && level[f] != only;
    }
    const size_t used = strlen(plan->aliases);
    if (!varies && list->of[f].count > 1)
      snprintf(plan->aliases + used, sizeof plan->aliases - used,
               "%s has one level in this part, %s: nothing here tells what it does\n", list->of[f].name,
               list->of[f].words[only]);
  }
}

/* wanted[in_seed]: which of a seed's configurations take part. */
static fovea_status choose(const factors_request *request, const factor_list *list, uint64_t seed, bool *wanted,
                           size_t in_seed, factors_plan *plan) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < in_seed; i++) wanted[i] = true;
  if (request->fraction && strcmp(request->fraction, "1/1") != 0 && request->random)
    return fovea_fail(FOVEA_INVALID, "--random and --fraction are two ways to leave configurations out; give one");
  if (request->fraction && strcmp(request->fraction, "1/1") != 0) {
    fraction f;
    status = fraction_make(request->fraction, list, &f);
    if (status) return status;
    for (size_t i = 0; i < in_seed; i++) {
      size_t level[LEVELS_FACTORS];
      levels_of(list, i, level);
      wanted[i] = fraction_has(&f, level);
    }
    fraction_tell(&f, list, plan->aliases, sizeof plan->aliases);
  }
  if (request->random && (size_t)request->random < in_seed)
    status = draw(list, (size_t)request->random, seed, wanted, in_seed);
  if (!status) tell_single(list, wanted, in_seed, plan);
  return status;
}

static fovea_status make_all(const factor_list *list, const run_options *o, long long seeds, const bool *wanted,
                             size_t in_seed, factors_plan *plan) {
  fovea_status status = FOVEA_OK;
  for (long long seed = o->seed; seed < o->seed + seeds; seed++) {
    for (size_t i = 0; i < in_seed && !status; i++) {
      size_t level[LEVELS_FACTORS];
      levels_of(list, i, level);
      if (wanted[i]) status = make(list, level, o, seed, &plan->configs[plan->count++]);
    }
  }
  return status;
}

static fovea_status check(const factors_request *request, const run_options *o, const factor_list *list) {
  if (strcmp(list->of[LEVELS_DROPOUT].words[0], "on") == 0 && !(o->dropout > 0))
    return fovea_fail(FOVEA_INVALID,
                      "--dropout 0 leaves nothing to vary: --factors asks for dropout on; give the rate that on means, "
                      "such as --dropout 0.2, or leave dropout out of --factors");
  if (o->seed > RUN_LARGEST_SEED - (request->seeds - 1))
    return fovea_fail(FOVEA_INVALID, "--seeds: %lld seeds from %lld on go beyond the largest seed, %lld",
                      request->seeds, o->seed, RUN_LARGEST_SEED);
  return FOVEA_OK;
}

fovea_status factors_make(const factors_request *request, const run_options *o, factors_plan *plan) {
  factor_list *list = malloc(sizeof *list); /* 80 KiB */
  bool *wanted = NULL;
  size_t in_seed = 0;
  *plan = (factors_plan){.configs = NULL};
  fovea_status status = list ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for the factors");
  if (!status) status = levels_parse(request->factors, o, list);
  if (!status) status = check(request, o, list);
  if (!status) status = given_check_baselines(request->baselines, list);
  if (!status) status = count_configs(list, request->seeds, &in_seed);
  if (!status) {
    plan->whole = in_seed * (size_t)request->seeds;
    plan->configs = malloc(plan->whole * sizeof *plan->configs);
    wanted = malloc(in_seed * sizeof *wanted);
    if (!plan->configs || !wanted)
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu configurations", plan->whole);
  }
  if (!status) status = choose(request, list, (uint64_t)o->seed, wanted, in_seed, plan);
  if (!status) status = make_all(list, o, request->seeds, wanted, in_seed, plan);
  for (size_t f = 0; f < list->count && !status; f++) append(plan->header, sizeof plan->header, ",", list->of[f].name);
  if (!status) {
    append(plan->header, sizeof plan->header, ",", "seed");
    levels_first(list, plan->first, sizeof plan->first);
    plan->others = list->count - LEVELS_FOUR;
  }
  free(list);
  free(wanted);
  return status;
}

const char *factors_say_fill(const factors_plan *plan) {
  bool filled = false;
  for (size_t i = 0; i < plan->count; i++) {
    if (plan->configs[i].options.augment.shift > 0) return NULL;
    filled |= plan->configs[i].options.augment.fill > 0;
  }
  return filled ? "fill says what a shift leaves empty, and no configuration has one: it changes nothing" : NULL;
}

void factors_say_part(const factors_request *request, const factors_plan *plan, char text[FACTORS_PART]) {
  char by[40];
  text[0] = 0;
  if (plan->whole == plan->count) return;
  if (request->random > 0)
    snprintf(by, sizeof by, "--random %lld", request->random);
  else
    snprintf(by, sizeof by, "--fraction %.20s", request->fraction);
  snprintf(text, FACTORS_PART, "these are %zu of %zu configurations, by %s", plan->count, plan->whole, by);
}
