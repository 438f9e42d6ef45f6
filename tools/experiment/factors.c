#include "experiment/factors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "graph/ops.h"

enum { ACTIVATION, ATTENTION, BATCHNORM, DROPOUT, FACTORS };
/* Of a factor; activations are more than the words of the others. */
enum {
#define X(name, NAME, moves_zero, ulp) +1
  MOST_LEVELS = FOVEA_ACTIVATIONS(X) - 1 /* without linear */
#undef X
};

static const struct {
  const char *name, *words; /* words in the order of the loops; NULL: run_activations */
} known[FACTORS] = {[ACTIVATION] = {"activation", NULL},
                    [ATTENTION] = {"attention", "spatial|channel|cbam|none"},
                    [BATCHNORM] = {"batchnorm", "on|off"},
                    [DROPOUT] = {"dropout", "on|off"}};

static const char *words_of(int factor) { return known[factor].words ? known[factor].words : run_activations; }

/* Which words of a factor take part. */
typedef bool levels[MOST_LEVELS];

/* The words' indices in run_attentions. */
static const int attention_of_word[MOST_LEVELS] = {FOVEA_ATTENTION_SPATIAL, FOVEA_ATTENTION_CHANNEL,
                                                   FOVEA_ATTENTION_CBAM, FOVEA_ATTENTION_NONE};
enum { NO_ATTENTION = 3 };

static int word_of_attention(int attention) {
  int word = 0;
  while (attention_of_word[word] != attention) word++;
  return word;
}

static void levels_of_options(const run_options *o, levels of[FACTORS]) {
  for (int i = 0; i < FACTORS; i++) memset(of[i], 0, sizeof of[i]);
  of[ACTIVATION][o->activation] = true;
  of[ATTENTION][word_of_attention(o->attention)] = true;
  of[BATCHNORM][o->batchnorm ? 0 : 1] = true;
  of[DROPOUT][o->dropout > 0 ? 0 : 1] = true;
}

/* Of the activations the first four, those of the experiment that this one repeats. */
static void all_levels(const run_options *o, int factor, levels out) {
  memset(out, 0, sizeof(levels));
  for (int i = 0; i < (factor == ACTIVATION ? 4 : 2); i++) out[i] = true;
  if (factor != ATTENTION) return;
  const int on = o->attention == FOVEA_ATTENTION_NONE ? FOVEA_ATTENTION_SPATIAL : o->attention;
  memset(out, 0, sizeof(levels));
  out[word_of_attention(on)] = out[NO_ATTENTION] = true;
}

/* "elu|relu" of length `n`. */
static fovea_status some_levels(int factor, const char *text, size_t n, levels out) {
  memset(out, 0, sizeof(levels));
  for (const char *end = text + n;;) {
    size_t length = strcspn(text, "|,");
    const int word = options_find_choice(words_of(factor), text, length);
    if (word < 0)
      return fovea_fail(FOVEA_INVALID, "--factors: %s has no level '%.*s', it has %s", known[factor].name,
                        (int)(length < 40 ? length : 40), text, words_of(factor));
    if (out[word])
      return fovea_fail(FOVEA_INVALID, "--factors: %s has the level '%.*s' twice", known[factor].name, (int)length,
                        text);
    out[word] = true;
    text += length;
    if (text >= end) return FOVEA_OK;
    text++;
  }
}

static fovea_status parse(const char *text, const run_options *o, levels of[FACTORS]) {
  bool seen[FACTORS] = {false};
  levels_of_options(o, of);
  for (;;) {
    const size_t item = strcspn(text, ","), name = strcspn(text, ",=");
    int factor = 0;
    while (factor < FACTORS && (strlen(known[factor].name) != name || memcmp(known[factor].name, text, name) != 0))
      factor++;
    if (factor == FACTORS)
      return fovea_fail(FOVEA_INVALID,
                        "--factors: '%.*s' is not one of activation, attention, batchnorm, dropout, "
                        "such as activation=elu|relu,dropout",
                        (int)(name < 40 ? name : 40), text);
    if (seen[factor]) return fovea_fail(FOVEA_INVALID, "--factors: %s is there twice", known[factor].name);
    seen[factor] = true;
    fovea_status status = FOVEA_OK;
    if (name == item)
      all_levels(o, factor, of[factor]);
    else
      status = some_levels(factor, text + name + 1, item - name - 1, of[factor]);
    if (status != FOVEA_OK || text[item] == '\0') return status;
    text += item + 1;
  }
}

static factors_config make(const int word[FACTORS], long long seed) {
  factors_config c = {.activation = word[ACTIVATION],
                      .attention = attention_of_word[word[ATTENTION]],
                      .batchnorm = word[BATCHNORM] == 0,
                      .dropout = word[DROPOUT] == 0,
                      .seed = seed};
  char activation[RUN_WORD], attention[RUN_WORD];
  options_choice(run_activations, c.activation, activation, sizeof activation);
  options_choice(run_attentions, c.attention, attention, sizeof attention);
  snprintf(c.name, sizeof c.name, "%s-%s-%s-%s-s%lld", activation, attention, c.batchnorm ? "bn" : "nobn",
           c.dropout ? "drop" : "nodrop", seed);
  snprintf(c.columns, sizeof c.columns, "%s,%s,%s,%s,%lld", activation, attention, c.batchnorm ? "on" : "off",
           c.dropout ? "on" : "off", seed);
  return c;
}

fovea_status factors_plan(const char *factors, const run_options *options, long long seeds, factors_config **configs,
                          size_t *count) {
  enum { M = MOST_LEVELS, COMBINATIONS = M * M * M * M };
  levels of[FACTORS];
  fovea_status status = parse(factors, options, of);
  if (status != FOVEA_OK) return status;
  if (of[DROPOUT][0] && !(options->dropout > 0))
    return fovea_fail(FOVEA_INVALID,
                      "--dropout 0 leaves nothing to vary: --factors asks for dropout on; give the rate that on means, "
                      "such as --dropout 0.2, or leave dropout out of --factors");
  if (options->seed > RUN_LARGEST_SEED - (seeds - 1))
    return fovea_fail(FOVEA_INVALID, "--seeds: %lld seeds from %lld on go beyond the largest seed, %lld", seeds,
                      options->seed, RUN_LARGEST_SEED);
  factors_config *list = malloc((size_t)seeds * M * 4 * 2 * 2 * sizeof *list);
  if (list == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the configurations of %lld seeds", seeds);
  size_t n = 0;
  for (long long seed = options->seed; seed < options->seed + seeds; seed++) {
    for (int i = 0; i < COMBINATIONS; i++) {
      const int word[FACTORS] = {i / (M * M * M), i / (M * M) % M, i / M % M, i % M};
      bool wanted = true;
      for (int f = 0; f < FACTORS; f++) wanted = wanted && of[f][word[f]];
      if (wanted) list[n++] = make(word, seed);
    }
  }
  *configs = list;
  *count = n;
  return FOVEA_OK;
}
