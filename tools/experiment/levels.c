#include "experiment/levels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/sweep_design.h"
#include "train/csvlog.h"

static const char *const four[LEVELS_FOUR] = {"activation", "attention", "batchnorm", "dropout"};

/* The words of one of the four, in the order of the loops. */
static const char *words_of(size_t which) {
  return which == LEVELS_ACTIVATION  ? run_activations
         : which == LEVELS_ATTENTION ? "spatial|channel|cbam|none"
                                     : "on|off";
}

/* The caller has made sure that there is room; what is too long is cut. */
static void add_word(factor *f, const char *word, size_t length) {
  char *out = f->words[f->count++];
  length = strnlen(word, length < LEVELS_WORD ? length : LEVELS_WORD - 1);
  memcpy(out, word, length);
  out[length] = 0;
}

static void add_choice(factor *f, const char *choices, int index) {
  char word[RUN_WORD];
  options_choice(choices, index, word, sizeof word);
  add_word(f, word, sizeof word);
}

/* What the options have. */
static void own_level(size_t which, const run_options *o, factor *f) {
  f->count = f->first = 0;
  if (which == LEVELS_ACTIVATION) add_choice(f, run_activations, o->activation);
  if (which == LEVELS_ATTENTION) add_choice(f, run_attentions, o->attention);
  if (which == LEVELS_BATCHNORM) add_word(f, o->batchnorm ? "on" : "off", 3);
  if (which == LEVELS_DROPOUT) add_word(f, o->dropout > 0 ? "on" : "off", 3);
}

/* Of the activations the first four, those of the experiment that this one repeats. */
static void all_levels(size_t which, const run_options *o, factor *f) {
  f->count = f->first = 0;
  if (which == LEVELS_ATTENTION) {
    add_choice(f, run_attentions, o->attention == FOVEA_ATTENTION_NONE ? FOVEA_ATTENTION_SPATIAL : o->attention);
    f->first = f->count;
    add_word(f, "none", 4);
    return;
  }
  for (int i = 0; i < (which == LEVELS_ACTIVATION ? 4 : 2); i++) add_choice(f, words_of(which), i);
}

/* The option that is called so, of a table on `o`. */
static option find_option(const char *name, run_options *o) {
  option table[RUN_OPTIONS];
  const size_t count = run_options_table(o, table);
  size_t i = 0;
  while (i + 1 < count && strcmp(table[i].name, name) != 0) i++;
  return table[i];
}

/* A list of numbers as --arch wants it, from 35-25-15-5. */
static void with_commas(const char *word, char out[LEVELS_WORD]) {
  snprintf(out, LEVELS_WORD, "%s", word);
  for (char *s = out; *s; s++)
    if (*s == '-') *s = ',';
}

/* The value of a level, as the option reads it; the word becomes the shortest of the same value. */
static fovea_status read_value(const char *name, char *word, run_options *o) {
  const option of = find_option(name, o);
  char text[LEVELS_WORD];
  with_commas(word, text);
  fovea_status status = options_set(&of, of.kind == OPTION_INTS ? text : word);
  if (status) return fovea_fail_in(status, "--factors");
  char number[CSVLOG_NUMBER];
  if (of.kind == OPTION_FLOAT) snprintf(word, LEVELS_WORD, "%s", csvlog_number(*(double *)of.value, number));
  if (of.kind == OPTION_INT) snprintf(word, LEVELS_WORD, "%lld", *(long long *)of.value);
  return FOVEA_OK;
}

static fovea_status check_word(size_t which, const factor *f, char *word, run_options *scratch) {
  const bool rate = which == LEVELS_DROPOUT && options_find_choice("on|off", word, strlen(word)) < 0;
  if (which >= LEVELS_FOUR || rate) return read_value(f->name, word, scratch);
  if (options_find_choice(words_of(which), word, strlen(word)) >= 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--factors: %s has no level '%.40s', it has %s", f->name, word, words_of(which));
}

static bool is_switch(const char *word) { return strcmp(word, "on") == 0 || strcmp(word, "off") == 0; }

/* Words of one of the four are in the order of its list, whatever the order in the text. */
static void sort_words(size_t which, factor *f) {
  factor sorted = {.name = f->name};
  if (which >= LEVELS_FOUR || (which == LEVELS_DROPOUT && !is_switch(f->words[0]))) return;
  const char *word = words_of(which);
  for (; *word; word += strcspn(word, "|"), word += *word == '|')
    for (size_t i = 0; i < f->count; i++)
      if (strlen(f->words[i]) == strcspn(word, "|") && strncmp(f->words[i], word, strcspn(word, "|")) == 0) {
        if (i == 0) sorted.first = sorted.count;
        add_word(&sorted, f->words[i], LEVELS_WORD);
      }
  *f = sorted;
}

/* The length of text[n] without the blanks at its end. */
static size_t without_blanks(const char *text, size_t n) {
  while (n > 0 && text[n - 1] == ' ') n--;
  return n;
}

/* "elu|relu" of length `n`. */
static fovea_status some_levels(size_t which, const char *text, size_t n, const run_options *o, factor *f) {
  run_options scratch = *o;
  f->count = f->first = 0;
  for (const char *end = text + n;; text++) {
    text += strspn(text, " ");
    const size_t field = strcspn(text, "|,"), length = without_blanks(text, field);
    if (f->count == LEVELS_MOST || length >= LEVELS_WORD)
      return fovea_fail(FOVEA_INVALID, "--factors: %s has more than %d levels, or one of more than %d characters",
                        f->name, LEVELS_MOST, LEVELS_WORD - 1);
    add_word(f, text, length);
    char *word = f->words[f->count - 1];
    fovea_status status = check_word(which, f, word, &scratch);
    if (status) return status;
    for (size_t i = 0; i + 1 < f->count; i++)
      if (strcmp(f->words[i], word) == 0)
        return fovea_fail(FOVEA_INVALID, "--factors: %s has the level '%.*s' twice", f->name, (int)length, text);
    if (is_switch(word) != is_switch(f->words[0]))
      return fovea_fail(FOVEA_INVALID,
                        "--factors: %s has words and numbers as levels: on and off, or rates such as 0|0.2", f->name);
    text += field;
    if (text >= end) break;
  }
  sort_words(which, f);
  return FOVEA_OK;
}

/* Factor number i of all that there are. */
static const char *name_at(size_t i) { return i < LEVELS_FOUR ? four[i] : fovea_sweep_numbers[i - LEVELS_FOUR].name; }

enum { KNOWN = LEVELS_FOUR + FOVEA_SWEEP_NUMBERS };

static fovea_status unknown_factor(const char *name, size_t length) {
  char known[200] = "";
  for (size_t i = 0; i < KNOWN; i++) {
    const size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "", name_at(i));
  }
  return fovea_fail(FOVEA_INVALID, "--factors: '%.*s' is not one of %s, such as activation=elu|relu,dropout,latent=2|8",
                    (int)(length < 40 ? length : 40), name, known);
}

/* The place of the factor in the list, to which it may be added. */
static fovea_status find_factor(factor_list *list, const char *name, size_t length, size_t *place) {
  size_t i = 0;
  while (i < KNOWN && (strlen(name_at(i)) != length || memcmp(name_at(i), name, length) != 0)) i++;
  if (i == KNOWN) return unknown_factor(name, length);
  *place = i < LEVELS_FOUR ? i : LEVELS_FOUR;
  if (i < LEVELS_FOUR) return FOVEA_OK;
  while (*place < list->count && strcmp(list->of[*place].name, name_at(i)) != 0) ++*place;
  if (*place == list->count) list->of[list->count++] = (factor){.name = name_at(i)};
  return FOVEA_OK;
}

fovea_status levels_parse(const char *text, const run_options *o, factor_list *list) {
  _Static_assert((int)KNOWN <= (int)LEVELS_FACTORS, "room for all");
  bool seen[LEVELS_FACTORS] = {false};
  list->count = LEVELS_FOUR;
  for (size_t i = 0; i < LEVELS_FOUR; i++) {
    list->of[i].name = four[i];
    own_level(i, o, &list->of[i]);
  }
  for (;; text++) {
    text += strspn(text, " ");
    const size_t item = strcspn(text, ","), name = strcspn(text, ",=");
    size_t place = 0;
    fovea_status status = find_factor(list, text, without_blanks(text, name), &place);
    if (status) return status;
    factor *f = &list->of[place];
    if (seen[place]) return fovea_fail(FOVEA_INVALID, "--factors: %s is there twice", f->name);
    seen[place] = true;
    if (name == item && place >= LEVELS_FOUR)
      return fovea_fail(FOVEA_INVALID, "--factors: %s needs its levels, such as %s=%s", f->name, f->name,
                        strcmp(f->name, "arch") == 0   ? "35-25-15-5|12-8-4"
                        : strcmp(f->name, "flip") == 0 ? "none|horizontal"
                        : strcmp(f->name, "fill") == 0 ? "edge|black"
                                                       : "2|8");
    if (name == item)
      all_levels(place, o, f);
    else
      status = some_levels(place, text + name + 1, item - name - 1, o, f);
    text += item;
    if (status || !*text) return status;
  }
}

fovea_status levels_apply(const factor *f, size_t level, const run_options *base, run_options *options) {
  const char *word = f->words[level];
  if (strcmp(f->name, "dropout") == 0 && is_switch(word)) {
    options->dropout = word[1] == 'n' ? base->dropout : 0;
    return FOVEA_OK;
  }
  const option of = find_option(f->name, options);
  char text[LEVELS_WORD];
  with_commas(word, text);
  return options_set(&of, of.kind == OPTION_INTS ? text : word);
}

void levels_first(const factor_list *list, char *text, size_t size) {
  size_t used = 0;
  text[0] = 0;
  for (size_t i = 0; i < list->count; i++) {
    const factor *f = &list->of[i];
    if (f->count > 1 && !is_switch(f->words[0]) && used < size)
      used += (size_t)snprintf(text + used, size - used, "%s%s=%s", used > 0 ? "," : "", f->name, f->words[f->first]);
  }
}

void levels_name(const factor *f, size_t level, char *out, size_t size) {
  const char *word = f->words[level];
  const bool bn = strcmp(f->name, "batchnorm") == 0, dropout = strcmp(f->name, "dropout") == 0;
  if (bn || dropout) {
    const bool off = strcmp(word, "off") == 0 || strcmp(word, "0") == 0;
    snprintf(out, size, "%s%s%s", off ? "no" : "", bn ? "bn" : "drop", off || is_switch(word) ? "" : word);
  } else {
    const bool own = strcmp(f->name, "activation") == 0 || strcmp(f->name, "attention") == 0;
    snprintf(out, size, "%s%s", own ? "" : f->name, word);
  }
}
