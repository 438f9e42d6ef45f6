/* The fair sample, and the split of a set; the rules are in fovea/data.h and split.h. */
#include <Random123/philox.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "data/split.h"

enum { SAMPLE = 0x53414d50, SPLIT = 0x53504c54 };

typedef struct candidate {
  uint64_t word;
  uint32_t place;
  uint16_t label;
} candidate;

static uint64_t philox(philox4x32_ctr_t counter, uint64_t seed) {
  const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  const philox4x32_ctr_t word = philox4x32_R(10, counter, key);
  return (uint64_t)word.v[1] << 32 | word.v[0];
}

static uint64_t word_of(uint32_t place, uint32_t stream, uint64_t seed) {
  return philox((philox4x32_ctr_t){{place, 0, stream, 0}}, seed);
}

static int by_label_and_word(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->label != y->label) return x->label < y->label ? -1 : 1;
  if (x->word != y->word) return x->word < y->word ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

static int by_place(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* What there is of each label, up to the largest. */
typedef struct quotas {
  size_t labels;
  uint64_t *there, *quota, *remainder; /* of n images; taken of them; what rounding down left */
} quotas;

static fovea_status quotas_create(const uint16_t *labels, size_t n, quotas *q) {
  *q = (quotas){.labels = 1};
  for (size_t i = 0; i < n && labels != NULL; i++) q->labels = labels[i] >= q->labels ? labels[i] + 1u : q->labels;
  q->there = calloc(3 * q->labels, sizeof *q->there);
  if (q->there == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to choose of %zu images", n);
  q->quota = q->there + q->labels;
  q->remainder = q->quota + q->labels;
  for (size_t i = 0; i < n; i++) q->there[labels != NULL ? labels[i] : 0]++;
  return FOVEA_OK;
}

/* The label whose value is the largest, the first of equals. */
static size_t largest(const uint64_t *values, size_t labels) {
  size_t best = 0;
  for (size_t i = 1; i < labels; i++) best = values[i] > values[best] ? i : best;
  return best;
}

/* How many are taken of each label; count < n. */
static void apportion(quotas *q, size_t n, size_t count) {
  uint64_t left = count, classes = 0;
  for (size_t i = 0; i < q->labels; i++) {
    q->quota[i] = count * q->there[i] / n; /* both below 2^32 */
    q->remainder[i] = count * q->there[i] % n;
    left -= q->quota[i];
    classes += q->there[i] > 0;
  }
  for (; left > 0; left--) {
    const size_t i = largest(q->remainder, q->labels);
    q->quota[i]++;
    q->remainder[i] = 0;
  }
  for (size_t i = 0; i < q->labels && count >= classes; i++) {
    if (q->there[i] == 0 || q->quota[i] > 0) continue;
    q->quota[largest(q->quota, q->labels)]--;
    q->quota[i] = 1;
  }
}

static fovea_status choose(const uint16_t *labels, size_t n, size_t count, uint32_t stream, uint64_t seed,
                           uint32_t *index) {
  if (n > (uint64_t)1 << 32) return fovea_fail(FOVEA_INVALID, "a sample of %zu images: at most 2^32 are expected", n);
  if (count >= n) {
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)i;
    return FOVEA_OK;
  }
  candidate *all = malloc(n * sizeof *all);
  if (all == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to choose %zu of %zu images", count, n);
  quotas q;
  const fovea_status status = quotas_create(labels, n, &q);
  if (status == FOVEA_OK) {
    for (size_t i = 0; i < n; i++)
      all[i] = (candidate){word_of((uint32_t)i, stream, seed), (uint32_t)i, labels != NULL ? labels[i] : 0};
    apportion(&q, n, count);
    qsort(all, n, sizeof *all, by_label_and_word);
    size_t taken = 0;
    for (size_t i = 0; i < n; i++) {
      if (q.quota[all[i].label] == 0) continue;
      q.quota[all[i].label]--;
      index[taken++] = all[i].place;
    }
    if (taken > 1) qsort(index, taken, sizeof *index, by_place);
  }
  free(q.there);
  free(all);
  return status;
}

fovea_status fovea_dataset_sample(const uint16_t *labels, size_t n, size_t count, uint32_t *index) {
  if (!index) return fovea_fail_null("index");
  return choose(labels, n, count, SAMPLE, 0, index);
}

fovea_status fovea_split(const uint16_t *labels, size_t n, double part, uint64_t seed, bool test, uint32_t *index,
                         size_t *count) {
  const size_t tests = (size_t)(part * (double)n + 0.5);
  if (tests < 1 || tests >= n)
    return fovea_fail(FOVEA_INVALID, "a split of %g of %zu image%s leaves nothing to %s", part, n, n == 1 ? "" : "s",
                      tests < 1 ? "test" : "train");
  fovea_status status = choose(labels, n, tests, SPLIT, seed, index);
  *count = tests;
  if (status != FOVEA_OK || test) return status;
  uint32_t *rest = malloc(n * sizeof *rest); /* index has room for them all */
  if (rest == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to split %zu images", n);
  size_t left = 0;
  for (size_t i = 0, k = 0; i < n; i++) {
    if (k < tests && index[k] == i)
      k++;
    else
      rest[left++] = (uint32_t)i;
  }
  for (size_t i = 0; i < left; i++) index[i] = rest[i];
  free(rest);
  *count = left;
  return FOVEA_OK;
}

/* Where in the path the digits are of the last number in the file's name before its suffix: *length of them. */
static size_t find_number(const char *path, size_t *length) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path, *point = strrchr(name, '.');
  const char *end = point != NULL ? point : name + strlen(name);
  while (end > name && (end[-1] < '0' || end[-1] > '9')) end--;
  const char *begin = end;
  while (begin > name && begin[-1] >= '0' && begin[-1] <= '9') begin--;
  *length = (size_t)(end - begin);
  return (size_t)(begin - path);
}

fovea_status fovea_split_tests(const char *path, double part, uint64_t seed, bool *test, uint64_t *word) {
  static const uint64_t golden = 0x9e3779b97f4a7c15;
  size_t digits;
  const size_t size = strlen(path), at = find_number(path, &digits);
  uint64_t number = 0;
  char *rest = malloc(size + 1);
  if (rest == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to split '%s'", path);
  for (size_t i = 0; i < digits; i++) number = 10 * number + (uint64_t)(path[at + i] - '0');
  memcpy(rest, path, at);
  memcpy(rest + at, path + at + digits, size - at - digits);
  const uint64_t h = XXH64(rest, size - digits, 0);
  free(rest);
  *word = philox((philox4x32_ctr_t){{(uint32_t)h, (uint32_t)(h >> 32), SPLIT, 1}}, seed) + golden * number;
  *test = (double)(*word >> 11) * 0x1p-53 < part;
  return FOVEA_OK;
}
