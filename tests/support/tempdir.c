#define _XOPEN_SOURCE 700 /* nftw */
#include "support/tempdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *level) {
  (void)about;
  (void)type;
  (void)level;
  return remove(path);
}

static pid_t owner;

static void remove_folder(void) {
  if (getpid() == owner) nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* a forked child leaves it alone */
}

const char *temp_path(const char *name) {
  static char paths[8][1024];
  static size_t next;
  if (folder[0] == '\0') {
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/fovea-test-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
    if (mkdtemp(folder) == NULL) abort();
    owner = getpid();
    atexit(remove_folder);
  }
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

const char *temp_file(const char *name, const void *data, size_t size) {
  const char *path = temp_path(name);
  char parent[1024];
  snprintf(parent, sizeof parent, "%s", path);
  for (char *slash = strchr(parent + strlen(folder) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(parent, 0777);
    *slash = '/';
  }
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
  return path;
}
