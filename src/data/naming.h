/* What the name of a file or of an array says: emnist-letters-train-images-idx3-ubyte.gz, x_train, test_labels. */
#ifndef FOVEA_DATA_NAMING_H
#define FOVEA_DATA_NAMING_H

#include <stdbool.h>
#include <stddef.h>

enum { FOVEA_NAMING_SET = 128 };

typedef enum fovea_split_name {
  FOVEA_SPLIT_NONE,
  FOVEA_SPLIT_TRAIN,
  FOVEA_SPLIT_TEST,
  FOVEA_SPLIT_VAL
} fovea_split_name;
typedef enum fovea_what { FOVEA_WHAT_UNKNOWN, FOVEA_WHAT_IMAGES, FOVEA_WHAT_LABELS } fovea_what;

typedef struct fovea_naming {
  fovea_split_name split;
  fovea_what what;
  int idx;                    /* the rank in idx3; 0 for none */
  bool foreign;               /* a suffix of what is to be unpacked first */
  char set[FOVEA_NAMING_SET]; /* the other words: "emnist-letters" */
} fovea_naming;

/* Adds what `name` says to *naming, which is zeroed at first; of upper and lower case alike. */
void fovea_naming_add(fovea_naming *naming, const char *name);

/* Whether a set of this name is asked for by `asked`: its name, or one of its words. */
bool fovea_naming_is(const char *set, const char *asked);

#endif
