/* What all targets do with their bytes. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fovea/data.h"
#include "fuzz/readers.h"

enum { PATH = 256 };

static char folder[PATH];

static void away(void) {
  char command[PATH + 16];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0) fprintf(stderr, "%s is left\n", folder);
}

/* A folder in memory, where there is one. */
static void make_folder(void) {
  snprintf(folder, sizeof folder, "%s/fovea-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  if (mkdtemp(folder) == NULL) abort();
  atexit(away);
}

static void put(const char *reader, const char *name, const uint8_t *data, size_t size) {
  char path[3 * PATH];
  snprintf(path, sizeof path, "%s/%s/%s", folder, reader, name);
  for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(path, 0777);
    *slash = '/';
  }
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
}

static void check(const fovea_dataset *set, const fovea_load_options *options) {
  const size_t image = (size_t)set->channels * (size_t)set->height * (size_t)set->width;
  uint8_t *pixels = malloc(image);
  if (set->count < 1 || image < 1 || (options->limit > 0 && set->count > options->limit)) abort();
  if ((set->file == NULL) == (set->pixels == NULL) || pixels == NULL) abort();
  uint64_t sum = 0; /* every byte is there to be read */
  for (uint32_t i = 0; i < set->count && i < 100; i++) {
    if (fovea_dataset_read(set, &i, 1, pixels) != FOVEA_OK && set->file == NULL) abort();
    for (size_t k = 0; k < image; k++) sum += pixels[k];
    if (set->labels != NULL) sum += set->labels[i];
  }
  if (sum == UINT64_MAX) abort();
  free(pixels);
}

void fuzz_read(const char *reader, const char *name, const uint8_t *data, size_t size) {
  static const fovea_load_options all[] = {{.limit = 0},
                                           {.limit = 2, .in_file = true},
                                           {.split = 0.5, .seed = 1, .layout = FOVEA_LAYOUT_NCHW},
                                           {.height = 3, .width = 2}};
  static const uint8_t images[16 + 8] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4};
  static bool made;
  char set_folder[2 * PATH];
  if (!made) make_folder();
  made = true;
  if (strcmp(name, "train-labels-idx1-ubyte") == 0) put(reader, "train-images-idx3-ubyte", images, sizeof images);
  put(reader, name, data, size);
  snprintf(set_folder, sizeof set_folder, "%s/%s", folder, reader);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    fovea_dataset *set = NULL;
    if (fovea_dataset_load_as(set_folder, "train", &all[i], &set) == FOVEA_OK) check(set, &all[i]);
    fovea_dataset_destroy(set);
  }
}
