#include "experiment/fraction.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"

enum { MOST_TRIES = 4000000 };

static int bits_of(unsigned word) {
  int bits = 0;
  for (; word; word &= word - 1) bits++;
  return bits;
}

/* All products of the first `p` generators; words[m] is that of the generators in m, less the empty one. */
static void multiply_out(const unsigned *generators, int p, unsigned *words) {
  for (unsigned m = 1; m < 1U << p; m++) {
    unsigned word = 0;
    for (int j = 0; j < p; j++)
      if (m >> j & 1) word ^= generators[j];
    words[m - 1] = word;
  }
}

/* The shortest word's length, and, smaller is better, how many are as short. */
static void judge(const unsigned *words, unsigned count, int *shortest, int *as_short) {
  *shortest = 1 << 10, *as_short = 0;
  for (unsigned i = 0; i < count; i++) {
    const int length = bits_of(words[i]);
    if (length < *shortest) *shortest = length, *as_short = 0;
    *as_short += length == *shortest;
  }
}

typedef struct search {
  int base, p; /* factors that are free, generators */
  unsigned generators[FRACTION_MOST], best[FRACTION_MOST];
  int shortest, as_short;
  long tries;
} search;

/* Each generator: one of the other factors is the product of some free ones, `from` on in the order of their bits. */
static void try_generators(search *s, int j, unsigned from) {
  unsigned words[1 << FRACTION_MOST];
  if (j == s->p) {
    int shortest, as_short;
    multiply_out(s->generators, s->p, words);
    judge(words, (1U << s->p) - 1, &shortest, &as_short);
    if (shortest > s->shortest || (shortest == s->shortest && as_short < s->as_short)) {
      s->shortest = shortest, s->as_short = as_short;
      memcpy(s->best, s->generators, sizeof s->best);
    }
    s->tries++;
    return;
  }
  for (unsigned product = from; product > 0 && s->tries < MOST_TRIES; product--) {
    if (bits_of(product) < 2) continue;
    s->generators[j] = product | 1U << (s->base + j);
    try_generators(s, j + 1, product - 1);
  }
}

static fovea_status parse(const char *text, int *p) {
  long long runs = 0;
  *p = 0;
  if (strncmp(text, "1/", 2) == 0 && options_read_int(text + 2, 2, 1 << FRACTION_MOST, &runs))
    while (1LL << *p < runs) ++*p;
  if (*p > 0 && 1LL << *p == runs) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--fraction: '%.40s' is not one of 1/2, 1/4, ... 1/%d", text, 1 << FRACTION_MOST);
}

fovea_status fraction_make(const char *text, const factor_list *list, fraction *f) {
  *f = (fraction){.count = 0};
  fovea_status status = parse(text, &f->p);
  for (size_t i = 0; i < list->count && !status; i++) {
    if (list->of[i].count > 2)
      status = fovea_fail(FOVEA_INVALID,
                          "--fraction is of factors of two levels, and %s has %zu; --random takes some of any",
                          list->of[i].name, list->of[i].count);
    if (list->of[i].count == 2) f->factors[f->count++] = i;
  }
  const int base = (int)f->count - f->p;
  if (!status && (base < 1 || (size_t)1 << base < f->count + 1))
    status = fovea_fail(FOVEA_INVALID,
                        "--fraction %s of %zu factor%s leaves fewer configurations than what is to be told apart, %zu",
                        text, f->count, f->count == 1 ? "" : "s", f->count + 1);
  if (status) return status;
  search s = {.base = base, .p = f->p};
  try_generators(&s, 0, (1U << base) - 1);
  multiply_out(s.best, f->p, f->words);
  f->resolution = s.shortest;
  return FOVEA_OK;
}

bool fraction_has(const fraction *f, const size_t *level) {
  unsigned second = 0; /* the factors at their second level */
  for (size_t i = 0; i < f->count; i++) second |= (unsigned)(level[f->factors[i]] == 1) << i;
  for (int j = 0; j < f->p; j++)
    if (bits_of(f->words[(1U << j) - 1] & second) % 2) return false;
  return true;
}

static void add(char *text, size_t size, const char *more) {
  const size_t used = strlen(text);
  snprintf(text + used, size - used, "%s", more);
}

static void add_product(char *text, size_t size, const fraction *f, const factor_list *list, unsigned word) {
  const char *separator = "";
  for (size_t i = 0; i < f->count; i++) {
    if (!(word >> i & 1)) continue;
    add(text, size, separator);
    add(text, size, list->of[f->factors[i]].name);
    separator = " x ";
  }
}

/* The effects of one or two factors that the word makes one with `effect`, if it is the first of them. */
static bool tell_aliases(const fraction *f, const factor_list *list, unsigned effect, char *text, size_t size) {
  bool any = false;
  for (unsigned m = 0; m + 1 < 1U << f->p; m++) {
    const unsigned other = effect ^ f->words[m];
    if (bits_of(other) > 2 || other == 0) continue;
    if (bits_of(other) < bits_of(effect) || (bits_of(other) == bits_of(effect) && other < effect)) return any;
    if (!any) add_product(text, size, f, list, effect);
    add(text, size, " = ");
    add_product(text, size, f, list, other);
    any = true;
  }
  if (any) add(text, size, "; ");
  return any;
}

/* The sign of the word: the second levels of a configuration are even in number. */
static void add_rule(char *text, size_t size, const fraction *f, const factor_list *list, int made, unsigned others) {
  const factor *of = &list->of[f->factors[made]];
  const char *separator = "";
  add(text, size, ": ");
  add(text, size, of->words[1]);
  add(text, size, bits_of(others) == 2 ? " where exactly one of " : " where an odd number of ");
  for (size_t i = 0; i < f->count; i++) {
    if (!(others >> i & 1)) continue;
    const factor *other = &list->of[f->factors[i]];
    add(text, size, separator);
    add(text, size, other->name);
    add(text, size, " ");
    add(text, size, other->words[1]);
    separator = ", ";
  }
  add(text, size, " holds, else ");
  add(text, size, of->words[0]);
}

void fraction_tell(const fraction *f, const factor_list *list, char *text, size_t size) {
  text[0] = 0;
  for (int j = 0; j < f->p; j++) {
    const unsigned made = 1U << ((int)f->count - f->p + j);
    add_product(text, size, f, list, made);
    add(text, size, " is set as ");
    add_product(text, size, f, list, f->words[(1U << j) - 1] & ~made);
    add_rule(text, size, f, list, (int)f->count - f->p + j, f->words[(1U << j) - 1] & ~made);
    add(text, size, "\n");
  }
  add(text, size, "what cannot be told apart: ");
  bool any = false;
  for (int bits = 1; bits <= 2; bits++)
    for (unsigned effect = 1; effect < 1U << f->count; effect++)
      if (bits_of(effect) == bits && tell_aliases(f, list, effect, text, size)) any = true;
  const size_t used = strlen(text);
  if (any)
    text[used - 2] = 0;
  else
    add(text, size, "only interactions of three factors or more");
  add(text, size, "\n");
}
