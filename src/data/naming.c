#include "data/naming.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WORD = 64 };

static const struct {
  const char *word;
  fovea_split_name split;
  fovea_what what;
} words[] = {{"train", FOVEA_SPLIT_TRAIN, FOVEA_WHAT_UNKNOWN},    {"training", FOVEA_SPLIT_TRAIN, FOVEA_WHAT_UNKNOWN},
             {"trn", FOVEA_SPLIT_TRAIN, FOVEA_WHAT_UNKNOWN},      {"test", FOVEA_SPLIT_TEST, FOVEA_WHAT_UNKNOWN},
             {"testing", FOVEA_SPLIT_TEST, FOVEA_WHAT_UNKNOWN},   {"t10k", FOVEA_SPLIT_TEST, FOVEA_WHAT_UNKNOWN},
             {"val", FOVEA_SPLIT_VAL, FOVEA_WHAT_UNKNOWN},        {"valid", FOVEA_SPLIT_VAL, FOVEA_WHAT_UNKNOWN},
             {"validation", FOVEA_SPLIT_VAL, FOVEA_WHAT_UNKNOWN}, {"images", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},
             {"image", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},      {"imgs", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},
             {"img", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},        {"pixels", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},
             {"pictures", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},   {"x", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},
             {"data", FOVEA_SPLIT_NONE, FOVEA_WHAT_IMAGES},       {"labels", FOVEA_SPLIT_NONE, FOVEA_WHAT_LABELS},
             {"label", FOVEA_SPLIT_NONE, FOVEA_WHAT_LABELS},      {"y", FOVEA_SPLIT_NONE, FOVEA_WHAT_LABELS},
             {"targets", FOVEA_SPLIT_NONE, FOVEA_WHAT_LABELS},    {"target", FOVEA_SPLIT_NONE, FOVEA_WHAT_LABELS},
             {"classes", FOVEA_SPLIT_NONE, FOVEA_WHAT_LABELS},    {"xtrain", FOVEA_SPLIT_TRAIN, FOVEA_WHAT_IMAGES},
             {"ytrain", FOVEA_SPLIT_TRAIN, FOVEA_WHAT_LABELS},    {"xtest", FOVEA_SPLIT_TEST, FOVEA_WHAT_IMAGES},
             {"ytest", FOVEA_SPLIT_TEST, FOVEA_WHAT_LABELS},      {"xval", FOVEA_SPLIT_VAL, FOVEA_WHAT_IMAGES},
             {"yval", FOVEA_SPLIT_VAL, FOVEA_WHAT_LABELS}};

static const char *const said_elsewhere[] = {"ubyte", "byte", "int", "short", "float",       "double",
                                             "gz",    "npy",  "npz", "csv",   "safetensors", "arr"};
static const char *const foreign[] = {"zip", "xz", "bz2", "zst", "7z", "rar", "tar", "tgz", "html", "txt", "part"};

static bool in(const char *word, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(word, list[i]) == 0) return true;
  return false;
}

static void add_word(fovea_naming *n, const char *word, bool after_arr) {
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcmp(word, words[i].word) != 0) continue;
    if (words[i].split != FOVEA_SPLIT_NONE) n->split = words[i].split;
    if (words[i].what != FOVEA_WHAT_UNKNOWN && n->what == FOVEA_WHAT_UNKNOWN) n->what = words[i].what;
    return;
  }
  if (strncmp(word, "idx", 3) == 0 && word[3] >= '1' && word[3] <= '4' && word[4] == '\0') {
    n->idx = word[3] - '0';
    return;
  }
  if (in(word, foreign, sizeof foreign / sizeof *foreign)) n->foreign = true;
  if (in(word, said_elsewhere, sizeof said_elsewhere / sizeof *said_elsewhere)) return;
  if (after_arr && isdigit((unsigned char)word[0])) return; /* numpy's arr_0 */
  const size_t used = strlen(n->set);
  snprintf(n->set + used, sizeof n->set - used, "%s%s", used > 0 ? "-" : "", word);
}

void fovea_naming_add(fovea_naming *n, const char *name) {
  char word[WORD];
  bool after_arr = false;
  while (*name != '\0') {
    size_t length = 0;
    while (*name != '\0' && strchr("-_. /", *name) != NULL) name++;
    for (; *name != '\0' && strchr("-_. /", *name) == NULL; name++)
      if (length < WORD - 1) word[length++] = (char)tolower((unsigned char)*name);
    word[length] = '\0';
    if (length == 0) break;
    add_word(n, word, after_arr);
    after_arr = strcmp(word, "arr") == 0;
  }
}

bool fovea_naming_is(const char *set, const char *asked) {
  const size_t n = strlen(asked);
  if (strcasecmp(set, asked) == 0) return true;
  for (const char *word = set; *word != '\0'; word += strcspn(word, "-"), word += *word == '-')
    if (strcspn(word, "-") == n && strncasecmp(word, asked, n) == 0) return true;
  return false;
}
