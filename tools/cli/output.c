#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "fovea/safetensors.h"

static bool is_there(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0;
}

static size_t read_start(const char *path, char *bytes, size_t most) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  const size_t size = fread(bytes, 1, most, file);
  fclose(file);
  return size;
}

static bool is_png(const char *path) {
  static const char signature[] = "\x89PNG\r\n\x1a\n";
  char bytes[sizeof signature - 1];
  return read_start(path, bytes, sizeof bytes) == sizeof bytes && memcmp(bytes, signature, sizeof bytes) == 0;
}

/* protobuf has no signature: field 1, the format's version, a number below 128, then field 2, the producer's name. So
 * do all exporters begin that we know. */
static bool is_onnx(const char *path) {
  char bytes[3];
  return read_start(path, bytes, sizeof bytes) == sizeof bytes && bytes[0] == 0x08 && bytes[1] > 0 && bytes[2] == 0x12;
}

/* Those of --save say which code they were reconstructed from. */
static bool is_of_save(const char *path) {
  fovea_safetensors *file = NULL;
  if (fovea_safetensors_open(path, &file) != FOVEA_OK) return false;
  const bool is = fovea_safetensors_metadata(file, "latent") != NULL;
  fovea_safetensors_close(file);
  return is;
}

static const char *name_in(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static bool same_place(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The folder that a file is in, "./" or all before its name. */
static char *folder_of(const char *path) {
  const size_t length = (size_t)(name_in(path) - path);
  return length > 0 ? strndup(path, length) : strdup("./");
}

bool output_same_file(const char *a, const char *b) {
  if (strcmp(a, b) == 0 || same_place(a, b)) return true;
  char *const one = folder_of(a), *const other = folder_of(b);
  const bool same = one != NULL && other != NULL && strcmp(name_in(a), name_in(b)) == 0 && same_place(one, other);
  free(one);
  free(other);
  return same;
}

/* A file that every program would take for another, by its name. Names of no known kind are the user's. */
static fovea_status check_name(const char *option, const char *path, const char *what, const char *own) {
  static const char *const known[] = {".png", ".jpg",  ".jpeg", ".svg",         ".pdf", ".html", ".htm",
                                      ".csv", ".json", ".txt",  ".safetensors", ".npz", ".npy",  ".onnx"};
  const char *dot = strrchr(path, '.');
  if (dot == NULL || strncasecmp(dot, own, strlen(dot)) == 0) return FOVEA_OK; /* .htm begins .html */
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcasecmp(dot, known[i]) == 0)
      return fovea_fail(FOVEA_INVALID, "%s %s: this is %s, and no %s; choose a name that ends in %s", option, path,
                        what, known[i] + 1, own);
  return FOVEA_OK;
}

fovea_status output_check_png(const char *option, const char *path) {
  if (!is_there(path) || is_png(path)) return check_name(option, path, "a PNG", ".png");
  return fovea_fail(FOVEA_INVALID, "%s %s: this file is there, is no PNG and would be lost; choose another name",
                    option, path);
}

fovea_status output_check_onnx(const char *option, const char *path) {
  if (!is_there(path) || is_onnx(path)) return check_name(option, path, "an ONNX file", ".onnx");
  return fovea_fail(FOVEA_INVALID, "%s %s: this file is there, is no ONNX file and would be lost; choose another name",
                    option, path);
}

/* By the line that its template begins with. */
static bool is_report(const char *path) {
  char bytes[200] = "";
  FILE *file = fopen(path, "rb");
  if (file == NULL) return false;
  fread(bytes, 1, sizeof bytes - 1, file);
  fclose(file);
  return strstr(bytes, "content=\"fovea report\"") != NULL;
}

fovea_status output_check_report(const char *option, const char *path) {
  if (!is_there(path) || is_report(path)) return check_name(option, path, "an HTML page", ".html");
  return fovea_fail(FOVEA_INVALID,
                    "%s %s: this file is there, is no report and would be lost; choose another name with --out", option,
                    path);
}

fovea_status output_check_tensors(const char *option, const char *path) {
  if (!is_there(path) || is_of_save(path)) return check_name(option, path, "a safetensors file", ".safetensors");
  return fovea_fail(FOVEA_INVALID,
                    "%s %s: this file is there, was not made by --save and would be lost; choose another "
                    "name",
                    option, path);
}
