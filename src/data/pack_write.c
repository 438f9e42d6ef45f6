#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/find.h"
#include "data/lanes.h"
#include "data/pack.h"
#include "data/pack_format.h"
#include "data/report.h"

/* ---- what is packed --------------------------------------------------------------------------------------------- */

/* A split of what is packed: its source, and of that the images and labels that are the split. */
typedef struct part {
  fovea_source source;
  fovea_dataset set; /* without pixels */
  uint32_t *places;
} part;

typedef struct packing {
  const fovea_pack_job *job;
  fovea_found found;
  fovea_data_report *seen; /* what was said when that was looked for */
  part part[2];
  size_t done; /* images of both */
} packing;

static void part_free(part *p) {
  fovea_source_close(&p->source);
  free(p->places);
  free(p->set.labels);
  fovea_report_destroy(p->set.report);
}

/* Pictures are read one by one; where some may be passed over, which reading tells, all are loaded. */
static fovea_status loaded_at(void *of, size_t i, uint8_t *pixels) {
  const uint32_t place = (uint32_t)i;
  return fovea_dataset_read(of, &place, 1, pixels);
}

static void loaded_close(void *of) { fovea_dataset_destroy(of); }

/* A loaded set as a part's. */
static void take_loaded(fovea_dataset *set, part *p) {
  p->source = (fovea_source){.count = set->count,
                             .channels = set->channels,
                             .height = set->height,
                             .width = set->width,
                             .of = set,
                             .at = loaded_at,
                             .close = loaded_close};
  p->set = *set;
  p->set.pixels = NULL;
  set->labels = NULL; /* both are the part's now */
  set->report = NULL;
}

static fovea_status open_pictures(packing *k) {
  const fovea_pack_job *job = k->job;
  const fovea_load_options *const options[2] = {job->options, job->options};
  fovea_dataset *sets[2], *const set[2] = {&k->part[0].set, &k->part[1].set};
  fovea_source *const source[2] = {&k->part[0].source, &k->part[1].source};
  fovea_status status = FOVEA_OK;
  if (job->options->skip_bad) {
    status = fovea_dataset_load_both(job->from, options, NULL, &sets);
    for (int i = 0; i < 2 && status == FOVEA_OK; i++) take_loaded(sets[i], &k->part[i]);
  } else {
    for (int i = 0; i < 2 && status == FOVEA_OK; i++) status = fovea_report_create(&set[i]->report);
    if (status == FOVEA_OK) status = fovea_pictures_open(job->from, options, NULL, set, source);
  }
  for (int i = 0; i < 2 && status == FOVEA_OK; i++) {
    part *p = &k->part[i];
    p->places = malloc(p->set.count * sizeof *p->places);
    if (p->places == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the places of %zu images", p->set.count);
    for (size_t n = 0; n < p->set.count; n++) p->places[n] = (uint32_t)n;
  }
  return status;
}

static fovea_status open_part(packing *k, int which) {
  part *p = &k->part[which];
  int of;
  fovea_status status = fovea_report_create(&p->set.report);
  if (status == FOVEA_OK) status = fovea_report_copy(k->seen, p->set.report);
  if (status == FOVEA_OK)
    status = fovea_found_open(k->job->from, &k->found, which, k->job->options, p->set.report, &p->source, &of);
  return status == FOVEA_OK ? fovea_dataset_from(&p->source, of, k->job->options, false, &p->set, &p->places) : status;
}

static fovea_status open_parts(packing *k) {
  fovea_status status = fovea_find_path(k->job->from);
  if (status == FOVEA_OK) status = fovea_report_create(&k->seen);
  if (status == FOVEA_OK) status = fovea_find(k->job->from, k->job->options, k->seen, &k->found);
  const char *asked = k->job->options->set;
  if (status == FOVEA_OK && k->found.kind == FOVEA_FOUND_NOTHING && asked != NULL && strcasecmp(asked, "pictures") != 0)
    status = fovea_fail(FOVEA_INVALID, "'%s' has no set called '%.60s'", k->job->from, asked);
  if (status == FOVEA_OK && k->found.kind == FOVEA_FOUND_PACK)
    status = fovea_fail(FOVEA_INVALID, "'%s' is packed already", k->job->from);
  if (status == FOVEA_OK && k->found.kind == FOVEA_FOUND_NOTHING) {
    status = open_pictures(k);
  } else {
    for (int i = 0; i < 2 && status == FOVEA_OK; i++) status = open_part(k, i);
  }
  const fovea_dataset *a = &k->part[0].set, *b = &k->part[1].set;
  if (status == FOVEA_OK && (a->channels != b->channels || a->height != b->height || a->width != b->width))
    status =
        fovea_fail(FOVEA_INVALID, "%s: training images are %dx%dx%d (channels, height, width), test images %dx%dx%d%s",
                   k->job->from, a->channels, a->height, a->width, b->channels, b->height, b->width,
                   a->channels == b->channels ? "; --size makes them one size" : "");
  return status;
}

/* ---- what is written -------------------------------------------------------------------------------------------- */

/* A class's name is a folder's and may be any bytes: where it is no UTF-8, those of no ASCII are written as \xff. */
static json_t *name_of(const char *name, fovea_data_report *report) {
  json_t *text = json_string(name);
  if (text != NULL) return text;
  char *escaped = malloc(4 * strlen(name) + 1), *to = escaped;
  for (; escaped != NULL && *name != '\0'; name++)
    to += snprintf(to, 5, (unsigned char)*name < 0x80 ? "%c" : "\\x%02x", (unsigned char)*name);
  if (escaped == NULL) return NULL;
  text = json_string(escaped);
  if (fovea_report_remark(report, "the name of a class is no UTF-8: it is kept as '%s'", escaped) != FOVEA_OK) {
    json_decref(text);
    text = NULL;
  }
  free(escaped);
  return text;
}

/* The classes of both splits, each once; NULL without memory. */
static json_t *classes_of(const packing *k) {
  json_t *list = json_array();
  for (int i = 0; i < 2; i++) {
    const fovea_data_report *r = k->part[i].set.report;
    for (size_t c = 0; c < r->class_count; c++) {
      bool there = false;
      for (size_t d = 0; i > 0 && d < k->part[0].set.report->class_count; d++)
        there = there || k->part[0].set.report->classes[d].label == r->classes[c].label;
      json_t *name = there ? NULL : name_of(r->classes[c].name, k->part[i].set.report);
      if (there || json_array_append_new(list, json_pack("[i,o]", r->classes[c].label, name)) == 0) continue;
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static fovea_status put_header(const packing *k, fovea_file *file) {
  const fovea_dataset *train = &k->part[0].set, *test = &k->part[1].set;
  uint8_t fixed[FOVEA_PACK_FIXED];
  json_t *json = json_pack("{s:i,s:i,s:i,s:I,s:I,s:[b,b],s:o}", "channels", train->channels, "height", train->height,
                           "width", train->width, "train", (json_int_t)train->count, "test", (json_int_t)test->count,
                           "labels", train->labels != NULL, test->labels != NULL, "classes", classes_of(k));
  char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
  json_decref(json);
  if (text == NULL) return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for the names of its classes", k->job->from);
  const size_t length = strlen(text);
  memcpy(fixed, FOVEA_PACK_MAGIC, 8);
  fovea_pack_put(fixed + 8, FOVEA_PACK_VERSION, 4);
  fovea_pack_put(fixed + 12, length, 4);
  fovea_pack_put(fixed + 16, XXH64(text, length, 0), 8);
  fovea_status status = length > FOVEA_PACK_TEXT
                            ? fovea_fail(FOVEA_INVALID, "%s: the names of its classes are too long", k->job->from)
                            : fovea_file_put(file, fixed, sizeof fixed);
  if (status == FOVEA_OK) status = fovea_file_put(file, text, length);
  free(text);
  return status;
}

static fovea_status put_labels(const fovea_dataset *set, fovea_file *file) {
  if (set->labels == NULL) return FOVEA_OK;
  const size_t size = 2 * set->count;
  uint8_t *bytes = malloc(size + FOVEA_PACK_HASH);
  if (bytes == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", set->count);
  for (size_t i = 0; i < set->count; i++) fovea_pack_put(bytes + 2 * i, set->labels[i], 2);
  fovea_pack_put(bytes + size, XXH64(bytes, size, 0), FOVEA_PACK_HASH);
  fovea_status status = fovea_file_put(file, bytes, size + FOVEA_PACK_HASH);
  free(bytes);
  return status;
}

static fovea_status put_records(packing *k, part *p, XXH64_state_t *hash, fovea_file *file) {
  const fovea_dataset *set = &p->set;
  const size_t image = (size_t)set->channels * (size_t)set->height * (size_t)set->width;
  fovea_lanes *lanes = NULL;
  const uint8_t *records;
  size_t n = 1;
  fovea_status status = fovea_lanes_create(&p->source, p->places, set->count, k->job->threads, &lanes);
  while (status == FOVEA_OK && n > 0) {
    status = fovea_lanes_next(lanes, &records, &n);
    if (status != FOVEA_OK || n == 0) break;
    for (size_t i = 0; i < n; i++) XXH64_update(hash, records + i * (image + FOVEA_PACK_HASH), image);
    status = fovea_file_put(file, records, n * (image + FOVEA_PACK_HASH));
    k->done += n;
    if (status == FOVEA_OK && !k->job->progress(k->job->user, k->done))
      status = fovea_fail(FOVEA_INVALID, "stopped; nothing was written");
  }
  fovea_lanes_destroy(lanes);
  return status;
}

static fovea_status put_part(packing *k, part *p, fovea_file *file) {
  const fovea_dataset *set = &p->set;
  uint8_t trailer[FOVEA_PACK_TRAILER];
  XXH64_state_t hash;
  fovea_pack_hash_begin(&hash, set->count, set->channels, set->height, set->width);
  fovea_status status = put_labels(set, file);
  if (status == FOVEA_OK) status = put_records(k, p, &hash, file);
  if (status != FOVEA_OK) return status;
  if (set->labels != NULL) fovea_pack_hash_labels(&hash, set->labels, set->count);
  fovea_pack_put(trailer, XXH64_digest(&hash), 8);
  fovea_pack_put(trailer + 8, XXH64(trailer, 8, 0), 8);
  return fovea_file_put(file, trailer, sizeof trailer);
}

fovea_status fovea_pack_write(const fovea_pack_job *job) {
  packing k = {.job = job, .found = {.kind = FOVEA_FOUND_NOTHING}};
  fovea_file *file = NULL;
  fovea_status status = open_parts(&k);
  if (status == FOVEA_OK) status = job->begin(job->user, &k.part[0].set, &k.part[1].set);
  if (status == FOVEA_OK) status = fovea_file_begin(job->path, &file);
  if (status == FOVEA_OK) {
    status = put_header(&k, file);
    for (int i = 0; i < 2 && status == FOVEA_OK; i++) status = put_part(&k, &k.part[i], file);
    if (status == FOVEA_OK)
      status = fovea_file_commit(file);
    else
      fovea_file_abandon(file);
  }
  if (status == FOVEA_OK) job->end(job->user, &k.part[0].set, &k.part[1].set);
  for (int i = 0; i < 2; i++) part_free(&k.part[i]);
  fovea_found_free(&k.found);
  fovea_report_destroy(k.seen);
  return status;
}
