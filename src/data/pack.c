#include "data/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/foreign.h"
#include "data/pack_format.h"
#include "data/report.h"

enum { MOST_SIDE = 65535 };

struct fovea_pack {
  char *path;
  int descriptor;
  uint64_t records; /* where they begin */
  size_t count;     /* of the file's split */
  size_t image;     /* bytes */
  uint32_t *chosen; /* the places of the set's images; NULL: all */
  size_t set_count;
  uint64_t hash;
};

bool fovea_pack_is(const char *path) {
  uint8_t bytes[8];
  return fovea_first_bytes(path, bytes, sizeof bytes) == 8 && memcmp(bytes, FOVEA_PACK_MAGIC, 8) == 0;
}

void fovea_pack_close(fovea_pack *p) {
  if (p == NULL) return;
  if (p->descriptor >= 0) close(p->descriptor);
  free(p->chosen);
  free(p->path);
  free(p);
}

/* ---- reading bytes ---------------------------------------------------------------------------------------------- */

static fovea_status read_at(const fovea_pack *p, uint64_t at, void *data, size_t size) {
  const ptrdiff_t got = fovea_file_read_at(p->descriptor, at, data, size);
  if (got < 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", p->path, strerror(errno));
  return (size_t)got == size ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "'%s' is cut off; pack the set anew", p->path);
}

static fovea_status damaged(const fovea_pack *p, const char *what) {
  return fovea_fail(FOVEA_INVALID, "'%s' is damaged: the checksum of its %s is wrong; pack the set anew", p->path,
                    what);
}

/* Its two splits as the header has them. */
typedef struct layout {
  json_t *text;
  int channels, height, width;
  size_t image, count[2];
  bool labels[2];
  uint64_t at[2], end;
} layout;

static fovea_status bad_header(const fovea_pack *p, const char *what) {
  return fovea_fail(FOVEA_INVALID, "'%s' is damaged: %s in its header; pack the set anew", p->path, what);
}

/* Where everything is: the text has been verified, but may be anybody's. */
static fovea_status place(const fovea_pack *p, layout *l, uint64_t at, uint64_t size) {
  json_int_t count[2];
  int labels[2];
  if (json_unpack(l->text, "{s:i,s:i,s:i,s:I,s:I,s:[b,b]}", "channels", &l->channels, "height", &l->height, "width",
                  &l->width, "train", &count[0], "test", &count[1], "labels", &labels[0], &labels[1]) != 0)
    return bad_header(p, "something is missing");
  const int sides[] = {l->channels, l->height, l->width};
  l->image = 1;
  for (int i = 0; i < 3; i++) {
    if (sides[i] < 1 || sides[i] > MOST_SIDE) return bad_header(p, "a size is out of range");
    l->image *= (size_t)sides[i]; /* below 2^48 */
  }
  for (int i = 0; i < 2; i++) {
    if (count[i] < 1 || count[i] > UINT32_MAX) return bad_header(p, "a number of images is out of range");
    const uint64_t record = l->image + FOVEA_PACK_HASH, n = (uint64_t)count[i];
    if (n > size / record) return fovea_fail(FOVEA_INVALID, "'%s' is cut off: it has %" PRIu64 " bytes", p->path, size);
    l->count[i] = (size_t)n;
    l->labels[i] = labels[i] != 0;
    l->at[i] = at;
    at += (l->labels[i] ? 2 * n + FOVEA_PACK_HASH : 0) + n * record + FOVEA_PACK_TRAILER;
  }
  l->end = at;
  if (at == size) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%s' has %" PRIu64 " bytes, its header promises %" PRIu64 "%s", p->path, size, at,
                    size < at ? ": it is cut off" : "");
}

static fovea_status read_layout(const fovea_pack *p, layout *l) {
  uint8_t fixed[FOVEA_PACK_FIXED];
  struct stat about;
  json_error_t error;
  if (fstat(p->descriptor, &about) != 0 || !S_ISREG(about.st_mode))
    return fovea_fail(FOVEA_INVALID, "cannot read '%s': it is no regular file", p->path);
  fovea_status status = read_at(p, 0, fixed, sizeof fixed);
  if (status != FOVEA_OK) return status;
  const uint64_t version = fovea_pack_get(fixed + 8, 4), length = fovea_pack_get(fixed + 12, 4);
  if (memcmp(fixed, FOVEA_PACK_MAGIC, 8) != 0) return fovea_fail(FOVEA_INVALID, "'%s' is no packed set", p->path);
  if (version != FOVEA_PACK_VERSION)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' is a packed set of version %" PRIu64
                      ", this fovea reads version %d: pack the "
                      "set anew",
                      p->path, version, FOVEA_PACK_VERSION);
  if (length > FOVEA_PACK_TEXT) return bad_header(p, "its length is out of range");
  char *text = malloc((size_t)length + 1);
  if (text == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", p->path);
  status = read_at(p, sizeof fixed, text, (size_t)length);
  if (status == FOVEA_OK && XXH64(text, (size_t)length, 0) != fovea_pack_get(fixed + 16, 8))
    status = damaged(p, "header");
  if (status == FOVEA_OK && (l->text = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error)) == NULL)
    status = bad_header(p, "the text is no JSON");
  if (status == FOVEA_OK) status = place(p, l, FOVEA_PACK_FIXED + length, (uint64_t)about.st_size);
  free(text);
  return status;
}

/* ---- images ----------------------------------------------------------------------------------------------------- */

static size_t place_of(const fovea_pack *p, const uint32_t *index, size_t first, size_t i) {
  const size_t n = index != NULL ? index[first + i] : first + i;
  return p->chosen != NULL && n < p->set_count ? p->chosen[n] : n;
}

/* One read of an image and its checksum; `room` has space for both. */
static fovea_status read_image(const fovea_pack *p, size_t n, uint8_t *room, uint8_t *pixels) {
  if (n >= p->count) return fovea_fail(FOVEA_INVALID, "'%s' has %zu images, number %zu is none", p->path, p->count, n);
  const size_t record = p->image + FOVEA_PACK_HASH;
  fovea_status status = read_at(p, p->records + (uint64_t)n * record, room, record);
  if (status == FOVEA_OK && XXH64(room, p->image, n) != fovea_pack_get(room + p->image, 8))
    status =
        fovea_fail(FOVEA_INVALID, "'%s' is damaged: the checksum of image %zu is wrong; pack the set anew", p->path, n);
  if (status == FOVEA_OK) memcpy(pixels, room, p->image);
  return status;
}

fovea_status fovea_pack_read(const fovea_pack *p, const uint32_t *index, size_t first, size_t count, uint8_t *pixels) {
  uint8_t *room = malloc(p->image + FOVEA_PACK_HASH);
  fovea_status status =
      room == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory for an image of '%s'", p->path) : FOVEA_OK;
  for (size_t i = 0; i < count && status == FOVEA_OK; i++)
    status = read_image(p, place_of(p, index, first, i), room, pixels + i * p->image);
  free(room);
  return status;
}

void fovea_pack_ahead(const fovea_pack *p, const uint32_t *index, size_t first, size_t count) {
  const size_t record = p->image + FOVEA_PACK_HASH;
  const bool together = index == NULL && p->chosen == NULL;
  for (size_t i = 0; i < (together ? 1 : count); i++)
    posix_fadvise(p->descriptor, (off_t)(p->records + (uint64_t)place_of(p, index, first, i) * record),
                  (off_t)(together ? count * record : record), POSIX_FADV_WILLNEED);
}

bool fovea_pack_hash(const fovea_pack *p, uint64_t *hash) {
  *hash = p->hash;
  return p->chosen == NULL;
}

/* ---- the load --------------------------------------------------------------------------------------------------- */

static fovea_status read_labels(const fovea_pack *p, uint64_t at, uint16_t **labels) {
  const size_t size = 2 * p->count + FOVEA_PACK_HASH;
  uint8_t *bytes = malloc(size);
  *labels = malloc(p->count * sizeof **labels);
  fovea_status status = bytes == NULL || *labels == NULL
                            ? fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", p->count)
                            : read_at(p, at, bytes, size);
  if (status == FOVEA_OK && XXH64(bytes, size - FOVEA_PACK_HASH, 0) != fovea_pack_get(bytes + 2 * p->count, 8))
    status = damaged(p, "labels");
  for (size_t i = 0; i < p->count && status == FOVEA_OK; i++) (*labels)[i] = (uint16_t)fovea_pack_get(bytes + 2 * i, 2);
  free(bytes);
  return status;
}

static fovea_status read_trailer(fovea_pack *p) {
  uint8_t bytes[FOVEA_PACK_TRAILER];
  fovea_status status = read_at(p, p->records + (uint64_t)p->count * (p->image + FOVEA_PACK_HASH), bytes, sizeof bytes);
  p->hash = fovea_pack_get(bytes, 8);
  if (status == FOVEA_OK && XXH64(bytes, 8, 0) != fovea_pack_get(bytes + 8, 8)) status = damaged(p, "hash");
  return status;
}

static fovea_status read_classes(const fovea_pack *p, const json_t *text, fovea_data_report *report) {
  const json_t *classes = json_object_get(text, "classes");
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < json_array_size(classes) && status == FOVEA_OK; i++) {
    int label;
    const char *name;
    if (json_unpack(json_array_get(classes, i), "[i,s]", &label, &name) != 0) return bad_header(p, "a class is none");
    status = fovea_report_class(report, name, label);
  }
  return status;
}

/* Takes the sample of the split that `limit` asks for, and its labels. */
static fovea_status take(fovea_pack *p, size_t limit, uint16_t *labels, fovea_dataset *set) {
  set->report->images = p->count;
  set->count = p->set_count = limit == 0 || limit > p->count ? p->count : limit;
  if (set->count < p->count && (p->chosen = malloc(set->count * sizeof *p->chosen)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to choose %zu of %zu images", set->count, p->count);
  fovea_status status = p->chosen != NULL ? fovea_dataset_sample(labels, p->count, set->count, p->chosen) : FOVEA_OK;
  if (status != FOVEA_OK || labels == NULL) return status;
  status = fovea_report_count(set->report, labels, p->count, p->chosen, set->count);
  for (size_t i = 0; i < set->count && p->chosen != NULL; i++) labels[i] = labels[p->chosen[i]]; /* ascending */
  set->labels = labels;
  return status;
}

static fovea_status load_pixels(const fovea_pack *p, fovea_dataset *set) {
  set->pixels = malloc(set->count * p->image);
  if (set->pixels == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", set->count, p->image);
  return fovea_pack_read(p, NULL, 0, set->count, set->pixels);
}

static fovea_status load(fovea_pack *p, int which, const fovea_load_options *o, fovea_dataset *set) {
  layout l = {.text = NULL};
  uint16_t *labels = NULL;
  fovea_status status = read_layout(p, &l);
  if (status == FOVEA_OK) {
    p->count = l.count[which];
    p->image = l.image;
    p->records = l.at[which] + (l.labels[which] ? 2 * (uint64_t)p->count + FOVEA_PACK_HASH : 0);
    set->channels = l.channels;
    set->height = l.height;
    set->width = l.width;
    status = l.labels[which] ? read_labels(p, l.at[which], &labels) : FOVEA_OK;
  }
  if (status == FOVEA_OK) status = read_trailer(p);
  if (status == FOVEA_OK && labels != NULL) status = read_classes(p, l.text, set->report);
  if (status == FOVEA_OK) status = take(p, o->limit, labels, set);
  if (status == FOVEA_OK && !o->in_file) status = load_pixels(p, set);
  if (labels != set->labels) free(labels);
  json_decref(l.text);
  return status;
}

static fovea_status check_options(const char *path, const fovea_load_options *o) {
  const bool coloured = (o->background[0] | o->background[1] | o->background[2]) != 0;
  if (!o->transpose && o->layout == FOVEA_LAYOUT_BY_SHAPE && o->height == 0 && o->split == 0 &&
      o->fit == FOVEA_FIT_CROP && o->channels == FOVEA_CHANNELS_AUTO && !o->skip_bad && o->range[0] == o->range[1] &&
      !coloured)
    return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%s' is packed: its images stay as they were packed; give --%s to fovea pack", path,
                    o->transpose                         ? "transpose"
                    : o->layout != FOVEA_LAYOUT_BY_SHAPE ? "layout"
                    : o->height != 0                     ? "size"
                    : o->split != 0                      ? "split"
                    : o->fit != FOVEA_FIT_CROP           ? "fit"
                    : o->skip_bad                        ? "skip-bad"
                    : o->range[0] != o->range[1]         ? "range"
                    : coloured                           ? "background"
                                                         : "channels");
}

fovea_status fovea_pack_load(const char *path, int which, const fovea_load_options *o, fovea_dataset *set) {
  fovea_status status = check_options(path, o);
  if (status != FOVEA_OK) return status;
  fovea_pack *p = calloc(1, sizeof *p);
  if (p == NULL || (p->path = strdup(path)) == NULL) {
    free(p);
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", path);
  }
  p->descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  status =
      p->descriptor < 0 ? fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, strerror(errno)) : load(p, which, o, set);
  if (status == FOVEA_OK && o->in_file)
    set->file = p;
  else
    fovea_pack_close(p);
  return status;
}
