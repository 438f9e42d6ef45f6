#include "data/picture_folder.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "data/pictures.h"
#include "data/ring.h"
#include "data/survey.h"

/* By one of several threads; *brightest is that of all whose 16 bits were read. */
static fovea_status load_one(const fovea_tree_item *item, const fovea_target *target, uint8_t *to,
                             atomic_ushort *brightest) {
  uint8_t *pixels = NULL;
  uint16_t here = 0;
  fovea_status status = fovea_picture_read(item->path, &item->info, &pixels, &here);
  if (status == FOVEA_OK) status = fovea_target_apply(target, &item->info, pixels, to);
  free(pixels);
  unsigned short before = atomic_load(brightest);
  while (before < here && !atomic_compare_exchange_weak(brightest, &before, here)) continue;
  return status;
}

/* ---- all of them, by threads ------------------------------------------------------------------------------------ */

/* A piece is a few images; up to so many bytes of decoded pictures are held at once. */
enum { PIECE_BYTES = 1 << 20, PIECE_IMAGES = 16, MOST_THREADS = 64, SLOTS_A_THREAD = 3 };
static const size_t most_bytes = (size_t)1 << 30;

typedef struct reading {
  const fovea_tree *tree;
  const fovea_target *target;
  size_t size, a_piece; /* bytes of an image; images of a piece */
  bool skip_bad;
  atomic_ushort brightest; /* of those of 16 bits */
  char **why;              /* with skip_bad: the message of each that could not be read, else NULL */
  fovea_status *what;
} reading;

static size_t images_of(const reading *r, size_t piece) {
  const size_t first = piece * r->a_piece;
  return r->tree->count - first < r->a_piece ? r->tree->count - first : r->a_piece;
}

static fovea_status fill(void *of, size_t piece, uint8_t *slot) {
  reading *r = of;
  for (size_t k = 0; k < images_of(r, piece); k++) {
    const size_t i = piece * r->a_piece + k;
    const fovea_status status = load_one(&r->tree->item[i], r->target, slot + k * r->size, &r->brightest);
    if (status == FOVEA_OK) continue;
    if (!r->skip_bad || (status != FOVEA_INVALID && status != FOVEA_IO)) return status;
    r->what[i] = status;
    r->why[i] = strdup(fovea_error_message());
    if (r->why[i] == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to tell of '%s'", r->tree->item[i].path);
  }
  return FOVEA_OK;
}

/* As many as there are processors, pieces, and room for their pictures. */
static int threads_for(const reading *r, size_t pieces) {
  size_t largest = r->size * SLOTS_A_THREAD * r->a_piece;
  for (size_t i = 0; i < r->tree->count; i++) {
    const fovea_picture_info *p = &r->tree->item[i].info;
    const size_t bytes = 4 * (size_t)p->width * (size_t)p->height;
    largest = bytes > largest ? bytes : largest;
  }
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  size_t threads = processors > 0 ? (size_t)processors : 1;
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  if (threads > pieces) threads = pieces;
  if (threads > most_bytes / largest) threads = most_bytes / largest;
  return threads > 0 ? (int)threads : 1;
}

/* An image that could not be read is none of the split: it is said, and counted nowhere else. */
static fovea_status pass_over(const reading *r, size_t i, const fovea_pictures_part *part) {
  fovea_report_lost(part->report, part->labelled ? r->tree->item[i].label : -1);
  return fovea_tree_skip(fovea_fail(r->what[i], "%s", r->why[i]), true, part->report);
}

static fovea_status take_piece(reading *r, size_t piece, const uint8_t *images, const fovea_pictures_part *part,
                               fovea_dataset *set) {
  fovea_status status = FOVEA_OK;
  for (size_t k = 0; k < images_of(r, piece) && status == FOVEA_OK; k++) {
    const size_t i = piece * r->a_piece + k;
    if (r->skip_bad && r->why[i] != NULL) {
      status = pass_over(r, i, part);
      continue;
    }
    memcpy(set->pixels + set->count * r->size, images + k * r->size, r->size);
    if (part->labelled) {
      set->labels[set->count] = r->tree->item[i].label;
      fovea_report_taken(part->report, r->tree->item[i].label);
    }
    set->count++;
  }
  return status;
}

static fovea_status read_pieces(reading *r, const char *split, const fovea_pictures_part *part,
                                const fovea_load_watch *watch, fovea_dataset *set) {
  const size_t count = r->tree->count, pieces = (count + r->a_piece - 1) / r->a_piece;
  const int threads = threads_for(r, pieces);
  const fovea_ring_job job = {.count = pieces,
                              .size = r->a_piece * r->size,
                              .slots = (size_t)threads * SLOTS_A_THREAD,
                              .threads = threads,
                              .of = r,
                              .fill = fill};
  fovea_ring *ring = NULL;
  const uint8_t *images;
  fovea_status status = fovea_ring_create(&job, &ring);
  for (size_t n = 0; n < pieces && status == FOVEA_OK; n++) {
    status = fovea_ring_next(ring, &images);
    if (status == FOVEA_OK) status = take_piece(r, n, images, part, set);
    if (status == FOVEA_OK && watch != NULL)
      watch->progress(watch->user, split, n * r->a_piece + images_of(r, n), count);
  }
  fovea_ring_destroy(ring);
  return status;
}

/* Pictures of 10, 12 or 14 bits are stored as of 16. */
static fovea_status remark_dark(unsigned brightest, const char *split, const fovea_load_options *options,
                                fovea_data_report *report) {
  enum { DARK = 1 << 14 }; /* a quarter of what 16 bits hold */
  unsigned bits = 8;
  if (brightest == 0 || brightest >= DARK || options->range[0] != options->range[1]) return FOVEA_OK;
  while (bits < 16 && brightest >> bits > 0) bits++;
  return fovea_report_remark(
      report,
      "%s: pictures of 16 bits are dark, at most %u of 65535: if they hold %u bits, --range 0:%u "
      "makes that their white",
      split, brightest, bits, (1U << bits) - 1);
}

static fovea_status load_all(const fovea_pictures *p, int split, const fovea_target *target,
                             const fovea_load_watch *watch, fovea_dataset *set) {
  const fovea_pictures_part *part = &p->part[split];
  const size_t count = part->tree.count;
  reading r = {.tree = &part->tree, .target = target, .skip_bad = part->options->skip_bad};
  r.size = (size_t)target->channels * (size_t)target->height * (size_t)target->width;
  r.a_piece = r.size < PIECE_BYTES / PIECE_IMAGES ? PIECE_IMAGES : r.size < PIECE_BYTES ? PIECE_BYTES / r.size : 1;
  if (r.size > PTRDIFF_MAX / count || (set->pixels = malloc(r.size * count)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", count, r.size);
  if (part->labelled && (set->labels = malloc(count * sizeof *set->labels)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", count);
  r.why = r.skip_bad ? calloc(count, sizeof *r.why) : NULL;
  r.what = r.skip_bad ? calloc(count, sizeof *r.what) : NULL;
  fovea_status status = r.skip_bad && (r.why == NULL || r.what == NULL)
                            ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read %zu images", count)
                            : read_pieces(&r, fovea_pictures_split[split], part, watch, set);
  for (size_t i = 0; i < count && r.why != NULL; i++) free(r.why[i]);
  free(r.why);
  free(r.what);
  if (status == FOVEA_OK && set->count > 0 && set->count < count)
    status =
        fovea_report_remark(part->report, "%s: %zu of %zu pictures were damaged, as reading them told: %zu are left",
                            fovea_pictures_split[split], count - set->count, count, set->count);
  if (status == FOVEA_OK)
    status = remark_dark(atomic_load(&r.brightest), fovea_pictures_split[split], part->options, part->report);
  if (status != FOVEA_OK || set->count > 0) return status;
  return fovea_fail(FOVEA_INVALID, "'%s': all of %zu pictures are damaged", p->where->folder[split], count);
}

/* ---- what they become ------------------------------------------------------------------------------------------- */

/* What the images of a part become is decided by all pictures of both; then of a part a sample is left. */
static fovea_status survey(fovea_pictures *p, fovea_target target[2]) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < 2 && status == FOVEA_OK; i++) {
    fovea_pictures_part *part = &p->part[i];
    if (part->options == NULL) continue;
    status = fovea_survey(fovea_pictures_split[i], &part->tree, &p->part[1 - i].tree, part->options, part->report,
                          &target[i]);
    for (size_t k = 0; k < part->tree.count && part->labelled; k++)
      fovea_report_there(part->report, part->tree.item[k].label);
    part->report->images = part->tree.count;
  }
  for (int i = 0; i < 2 && status == FOVEA_OK; i++)
    if (p->part[i].options != NULL) status = fovea_pictures_limit(&p->part[i]);
  return status;
}

static void describe(const fovea_target *target, fovea_dataset *set) {
  set->channels = target->channels;
  set->height = target->height;
  set->width = target->width;
}

/* Both parts as they will be; *there is false where no picture is. */
static fovea_status prepare(const fovea_folders *where, const fovea_load_options *const options[2],
                            fovea_dataset *const set[2], fovea_pictures *p, fovea_target target[2], bool *there) {
  *p = (fovea_pictures){.where = where};
  for (int i = 0; i < 2; i++)
    if (set[i] != NULL) p->part[i] = (fovea_pictures_part){.options = options[i], .report = set[i]->report};
  fovea_status status = fovea_pictures_find(p);
  *there = status == FOVEA_OK && p->part[fovea_pictures_lead(p)].tree.count > 0;
  return *there ? survey(p, target) : status;
}

fovea_status fovea_picture_folder_load(const fovea_folders *where, const fovea_load_options *const options[2],
                                       const fovea_load_watch *watch, fovea_dataset *const set[2]) {
  fovea_pictures p;
  fovea_target target[2];
  bool there;
  fovea_status status = prepare(where, options, set, &p, target, &there);
  for (int i = 0; i < 2 && there && status == FOVEA_OK; i++) {
    if (set[i] == NULL) continue;
    describe(&target[i], set[i]);
    status = load_all(&p, i, &target[i], watch, set[i]);
  }
  fovea_pictures_free(&p);
  return status;
}

/* ---- one at a time ---------------------------------------------------------------------------------------------- */

typedef struct pictures {
  fovea_tree tree;
  fovea_target target;
  const char *split;
  const fovea_load_options *options;
  fovea_data_report *report;
  atomic_ushort brightest; /* of those of 16 bits */
} pictures;

static fovea_status picture_at(void *of, size_t i, uint8_t *pixels) {
  pictures *p = of;
  return load_one(&p->tree.item[i], &p->target, pixels, &p->brightest);
}

static fovea_status pictures_end(void *of) {
  pictures *p = of;
  return remark_dark(atomic_load(&p->brightest), p->split, p->options, p->report);
}

static void pictures_close(void *of) {
  pictures *p = of;
  fovea_tree_free(&p->tree);
  free(p);
}

/* The part as a source, which takes its tree, and the set without its pixels. */
static fovea_status make_source(const char *split, fovea_pictures_part *part, const fovea_target *target,
                                fovea_dataset *set, fovea_source *source) {
  pictures *p = calloc(1, sizeof *p);
  if (p == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read %zu images", part->tree.count);
  describe(target, set);
  set->count = part->tree.count;
  *source =
      (fovea_source){.of = p, .at = picture_at, .end = pictures_end, .close = pictures_close, .count = set->count};
  source->channels = set->channels;
  source->height = set->height;
  source->width = set->width;
  p->tree = part->tree;
  p->target = *target;
  p->split = split;
  p->options = part->options;
  p->report = part->report;
  part->tree = (fovea_tree){.item = NULL};
  if (!part->labelled) return FOVEA_OK;
  set->labels = fovea_pictures_labels(&p->tree);
  if (set->labels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", set->count);
  for (size_t i = 0; i < set->count; i++) fovea_report_taken(part->report, set->labels[i]);
  return FOVEA_OK;
}

fovea_status fovea_picture_folder_sources(const fovea_folders *where, const fovea_load_options *const options[2],
                                          fovea_dataset *const set[2], fovea_source *const source[2]) {
  fovea_pictures p;
  fovea_target target[2];
  bool there;
  fovea_status status = prepare(where, options, set, &p, target, &there);
  for (int i = 0; i < 2 && there && status == FOVEA_OK; i++)
    status = make_source(fovea_pictures_split[i], &p.part[i], &target[i], set[i], source[i]);
  fovea_pictures_free(&p);
  for (int i = 0; i < 2 && status != FOVEA_OK; i++) fovea_source_close(source[i]);
  return status;
}
