#include "events/events.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event.pb-c.h>
#include "base/clock.h"
#include "base/fail.h"
#include "events/internal.h"

enum { PATH = 4096, SESSION_START = 1 };
static const char tag_walk[] = "walk";

struct events {
  records waiting;
  char dir[PATH], path[PATH]; /* path: "" before the first flush */
  unsigned long long seconds; /* of the file's name: at least this */
  int last;                   /* the last epoch that holds */
  bool follows;               /* there are files before it */
};

records *events_records(events *log) { return &log->waiting; }

/* --- records ----------------------------------------------------------------------------------------------------- */

fovea_status events_put(records *r, const Tb__Event *event) {
  const size_t size = tb__event__get_packed_size(event);
  uint8_t *at = records_begin(r, size);
  if (at == NULL) return FOVEA_NO_MEMORY;
  tb__event__pack(event, at);
  records_seal(r, size);
  return FOVEA_OK;
}

static fovea_status put_summary(records *r, int64_t step, Tb__Summary__Value **values, size_t count) {
  Tb__Summary summary = TB__SUMMARY__INIT;
  Tb__Event event = TB__EVENT__INIT;
  summary.n_value = count;
  summary.value = values;
  event.wall_time = fovea_time();
  event.step = step;
  event.what_case = TB__EVENT__WHAT_SUMMARY;
  event.summary = &summary;
  return events_put(r, &event);
}

fovea_status events_put_value(records *r, int64_t step, Tb__Summary__Value *value) {
  return put_summary(r, step, &value, 1);
}

fovea_status events_put_version(records *r) {
  char version[] = "brain.Event:2";
  Tb__Event event = TB__EVENT__INIT;
  event.wall_time = fovea_time();
  event.what_case = TB__EVENT__WHAT_FILE_VERSION;
  event.file_version = version;
  return events_put(r, &event);
}

/* --- what is there ----------------------------------------------------------------------------------------------- */

typedef struct restoring {
  int completed;
  events_found *found;
} restoring;

/* The walk and the end are of the last epoch, or of the one that failed. */
static bool holds(const restoring *r, const Tb__Event *event) {
  return event->what_case != TB__EVENT__WHAT_SUMMARY || event->step <= r->completed;
}

static void note(restoring *r, const Tb__Event *event) {
  events_found *f = r->found;
  const Tb__Summary *s = event->what_case == TB__EVENT__WHAT_SUMMARY ? event->summary : NULL;
  for (size_t i = 0; s != NULL && i < s->n_value; i++) {
    const char *tag = s->value[i]->tag;
    f->begun = f->begun || strcmp(tag, events_tag_begun) == 0;
    f->ended = f->ended || strcmp(tag, events_tag_ended) == 0;
    f->walk = f->walk || strcmp(tag, tag_walk) == 0;
  }
  /* The first of several values of one kind: an epoch's scalars are one event. */
  if (s == NULL || s->n_value == 0 || s->value[0]->value_case != TB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE) return;
  if (event->step <= f->last) return;
  f->missing += (int)event->step - f->last - 1;
  f->last = (int)event->step;
}

static fovea_status keep_held(void *user, const uint8_t *data, size_t size, bool *kept) {
  restoring *r = user;
  Tb__Event *event = tb__event__unpack(NULL, size, data);
  *kept = event != NULL && holds(r, event);
  if (*kept) note(r, event);
  if (event != NULL) tb__event__free_unpacked(event, NULL);
  return FOVEA_OK;
}

__attribute__((format(printf, 2, 3))) static void tell(void (*say)(const char *line), const char *format, ...) {
  char line[PATH + 256];
  va_list rest;
  va_start(rest, format);
  vsnprintf(line, sizeof line, format, rest);
  va_end(rest);
  if (say != NULL) say(line);
}

static fovea_status path_of(const char *dir, unsigned long long seconds, char path[PATH]) {
  char name[RECORDS_NAME];
  if (snprintf(path, PATH, "%s/%s", dir, records_name(seconds, name)) < PATH) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%.100s...: the path is too long", dir);
}

static fovea_status restore(events *log, restoring *r, void (*say)(const char *line)) {
  char path[PATH];
  unsigned long long *seconds = NULL;
  size_t count = 0, dropped;
  bool damaged;
  fovea_status status = records_list(log->dir, &seconds, &count);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
    status = path_of(log->dir, seconds[i], path);
    if (status == FOVEA_OK) status = records_restore(path, keep_held, r, &dropped, &damaged);
    if (status == FOVEA_OK && damaged) tell(say, "fovea: %s: events from a torn or damaged one on are dropped", path);
    if (status == FOVEA_OK && dropped > 0)
      tell(say, "fovea: %s: %zu events after the checkpoint are dropped; they are done again", path, dropped);
    if (log->seconds <= seconds[i]) log->seconds = seconds[i] + 1;
  }
  r->found->files = log->follows = count > 0;
  log->last = r->found->last;
  free(seconds);
  return status;
}

fovea_status events_open(const char *dir, int completed, void (*say)(const char *line), events **log,
                         events_found *found) {
  *found = (events_found){0};
  restoring r = {.completed = completed, .found = found};
  events *e = calloc(1, sizeof *e);
  if (e == NULL) return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its events", dir);
  snprintf(e->dir, sizeof e->dir, "%s", dir);
  fovea_status status = restore(e, &r, say);
  if (status == FOVEA_OK)
    *log = e;
  else
    events_close(e);
  return status;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

static Tb__Summary__Value value_of(const char *tag) {
  Tb__Summary__Value value = TB__SUMMARY__VALUE__INIT;
  value.tag = (char *)tag;
  return value;
}

fovea_status events_scalars(events *log, int step, const events_scalar *scalars, size_t count) {
  enum { MOST = 16 };
  Tb__Summary__Value values[MOST], *list[MOST];
  if (count > MOST) return fovea_fail(FOVEA_INVALID, "events: %zu scalars, at most %d", count, MOST);
  for (size_t i = 0; i < count; i++) {
    values[i] = value_of(scalars[i].tag);
    values[i].value_case = TB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
    values[i].simple_value = (float)scalars[i].value;
    list[i] = &values[i];
  }
  return put_summary(&log->waiting, step, list, count);
}

/* Of the chunk IHDR, which is the first (PNG specification, 11.2.2): width, height, depth, type of colour. */
fovea_status events_image(events *log, int step, const char *tag, const uint8_t *png, size_t size) {
  static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  enum { WIDTH = 16, HEIGHT = 20, COLOUR = 25, END = 33, GRAY = 0 };
  if (size < END || memcmp(png, signature, sizeof signature) != 0)
    return fovea_fail(FOVEA_INVALID, "events: the image %s is no PNG", tag);
  Tb__Summary__Image image = TB__SUMMARY__IMAGE__INIT;
  Tb__Summary__Value value = value_of(tag);
  image.width = png[WIDTH] << 24 | png[WIDTH + 1] << 16 | png[WIDTH + 2] << 8 | png[WIDTH + 3];
  image.height = png[HEIGHT] << 24 | png[HEIGHT + 1] << 16 | png[HEIGHT + 2] << 8 | png[HEIGHT + 3];
  image.colorspace = png[COLOUR] == GRAY ? 1 : 3;
  image.encoded_image_string = (ProtobufCBinaryData){size, (uint8_t *)png};
  value.value_case = TB__SUMMARY__VALUE__VALUE_IMAGE;
  value.image = &image;
  return events_put_value(&log->waiting, step, &value);
}

/* Least, greatest, number, sum and sum of squares of those that are finite. */
static void describe(Tb__HistogramProto *h, const float *values, size_t count) {
  h->min = DBL_MAX;
  h->max = -DBL_MAX;
  for (size_t i = 0; i < count; i++) {
    const double v = values[i];
    if (!isfinite(v)) continue;
    if (v < h->min) h->min = v;
    if (v > h->max) h->max = v;
    h->num += 1;
    h->sum += v;
    h->sum_squares += v * v;
  }
  if (!(h->num > 0)) h->min = h->max = 0;
}

fovea_status events_histogram(events *log, int step, const char *tag, const float *values, size_t count) {
  double limits[EVENTS_BUCKETS], buckets[EVENTS_BUCKETS] = {0};
  Tb__HistogramProto h = TB__HISTOGRAM_PROTO__INIT;
  describe(&h, values, count);
  const double width = (h.max - h.min) / EVENTS_BUCKETS;
  const size_t used = width > 0 ? EVENTS_BUCKETS : 1; /* of equal values one */
  for (size_t i = 0; i < used; i++) limits[i] = i + 1 < used ? h.min + width * (double)(i + 1) : h.max;
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(values[i])) continue;
    const size_t at = used > 1 ? (size_t)((values[i] - h.min) / width) : 0;
    buckets[at < used ? at : used - 1]++;
  }
  h.n_bucket_limit = h.n_bucket = used;
  h.bucket_limit = limits;
  h.bucket = buckets;
  Tb__Summary__Value value = value_of(tag);
  value.value_case = TB__SUMMARY__VALUE__VALUE_HISTO;
  value.histo = &h;
  return events_put_value(&log->waiting, step, &value);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

/* What a new file begins with; then what waits. */
static fovea_status begin_file(events *log) {
  records head = {0};
  Tb__SessionLog session = TB__SESSION_LOG__INIT;
  Tb__Event event = TB__EVENT__INIT;
  const unsigned long long now = (unsigned long long)fovea_time();
  if (log->seconds < now) log->seconds = now;
  session.status = SESSION_START;
  event.wall_time = fovea_time();
  event.step = log->last + 1;
  event.what_case = TB__EVENT__WHAT_SESSION_LOG;
  event.session_log = &session;
  char path[PATH];
  fovea_status status = path_of(log->dir, log->seconds, path);
  if (status == FOVEA_OK) status = events_put_version(&head);
  if (status == FOVEA_OK && log->follows) status = events_put(&head, &event);
  if (status == FOVEA_OK) status = records_flush(&head, path);
  if (status == FOVEA_OK) memcpy(log->path, path, sizeof path);
  free(head.bytes);
  return status;
}

fovea_status events_flush(events *log) {
  fovea_status status = FOVEA_OK;
  if (log->waiting.size == 0) return FOVEA_OK;
  if (log->path[0] == '\0') status = begin_file(log);
  return status == FOVEA_OK ? records_flush(&log->waiting, log->path) : status;
}

void events_close(events *log) {
  if (log == NULL) return;
  free(log->waiting.bytes);
  free(log);
}
