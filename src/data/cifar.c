/* CIFAR-10's and CIFAR-100's binary files (cs.toronto.edu/~kriz/cifar.html): of each image its label, of CIFAR-100 the
 * coarse and the fine one, and 3 channels of 32 x 32 bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/source.h"

enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE, MOST_META = 1 << 16 };

typedef struct cifar {
  const fovea_names *paths;
  size_t file, left; /* the file that is being read, and its images that were not */
  size_t labels;     /* bytes before an image: 1 or 2 */
  fovea_stream stream;
} cifar;

static void cifar_close(void *of) {
  cifar *c = of;
  if (c->stream.close != NULL) c->stream.close(c->stream.of);
  free(c);
}

/* CIFAR-100's files are train.bin and test.bin. */
static size_t labels_of(const char *path) {
  const char *name = fovea_path_name(path);
  return strcmp(name, "train.bin") == 0 || strcmp(name, "test.bin") == 0 ? 2 : 1;
}

static fovea_status images_in(const char *path, size_t record, size_t *images) {
  struct stat about;
  if (stat(path, &about) != 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, strerror(errno));
  if (!S_ISREG(about.st_mode)) return fovea_fail(FOVEA_INVALID, "cannot read '%s': it is not a regular file", path);
  *images = (size_t)about.st_size / record;
  if (*images > 0 && (size_t)about.st_size % record == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%s' has %zu bytes, which is no number of CIFAR's records of %zu", path,
                    (size_t)about.st_size, record);
}

static fovea_status open_file(cifar *c, size_t file) {
  if (c->stream.close != NULL) c->stream.close(c->stream.of);
  c->stream.close = NULL;
  c->file = file;
  fovea_status status = images_in(c->paths->name[file], c->labels + PIXELS, &c->left);
  return status == FOVEA_OK ? fovea_stream_open(c->paths->name[file], &c->stream) : status;
}

static fovea_status next_record(cifar *c, uint8_t label[2], uint8_t *pixels) {
  size_t first = 0, got = 0;
  fovea_status status = c->left == 0 ? open_file(c, c->file + 1) : FOVEA_OK;
  if (status == FOVEA_OK) status = c->stream.read(c->stream.of, label, c->labels, &first);
  if (status == FOVEA_OK) status = c->stream.read(c->stream.of, pixels, PIXELS, &got);
  if (status == FOVEA_OK && first + got < c->labels + PIXELS)
    status = fovea_fail(FOVEA_INVALID, "'%s' is cut off", c->paths->name[c->file]);
  c->left--;
  return status;
}

static fovea_status cifar_next(void *of, uint8_t *pixels) {
  uint8_t label[2];
  return pixels != NULL ? next_record(of, label, pixels) : FOVEA_OK; /* the sizes were checked */
}

static fovea_status read_labels(cifar *c, fovea_source *source) {
  uint8_t pixels[PIXELS], label[2];
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < source->count && status == FOVEA_OK; i++) {
    status = next_record(c, label, pixels);
    source->labels[i] = label[c->labels - 1];
  }
  return status == FOVEA_OK ? open_file(c, 0) : status;
}

/* A name a line. */
static fovea_status read_meta(const char *path, fovea_names *names) {
  uint8_t *text = NULL;
  size_t size = 0;
  fovea_status status = fovea_file_read(path, MOST_META, &text, &size);
  for (char *line = (char *)text; status == FOVEA_OK && *line != '\0';) {
    const size_t n = strcspn(line, "\r\n");
    if (n > 0) status = fovea_names_add(names, strndup(line, n));
    line += n;
    line += strspn(line, "\r\n");
  }
  free(text);
  return status;
}

fovea_status fovea_cifar_source(const fovea_names *paths, const char *meta, fovea_data_report *report,
                                fovea_source *source) {
  cifar *c = calloc(1, sizeof *c);
  *source =
      (fovea_source){.channels = 3, .height = SIDE, .width = SIDE, .of = c, .next = cifar_next, .close = cifar_close};
  if (c == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", paths->name[0]);
  c->paths = paths;
  c->labels = labels_of(paths->name[0]);
  fovea_status status = FOVEA_OK;
  for (size_t i = 0, images; i < paths->count && status == FOVEA_OK; i++) {
    status = images_in(paths->name[i], c->labels + PIXELS, &images);
    source->count += status == FOVEA_OK ? images : 0;
  }
  if (status == FOVEA_OK) status = open_file(c, 0);
  if (status == FOVEA_OK && (source->labels = malloc(source->count * sizeof *source->labels)) == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", source->count);
  if (status == FOVEA_OK) status = read_labels(c, source);
  if (status == FOVEA_OK && meta != NULL) status = read_meta(meta, &source->classes);
  if (status == FOVEA_OK && c->labels == 2)
    status = fovea_report_remark(report, "CIFAR-100: labels are the fine ones, the coarse ones are not used");
  if (status != FOVEA_OK) fovea_source_close(source);
  return status;
}
