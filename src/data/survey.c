#include "data/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

/* A size and how many have it. */
typedef struct size_count {
  uint32_t size; /* height * 65536 + width */
  size_t count;
} size_count;

static uint32_t size_of(const fovea_tree_item *item) {
  return (uint32_t)item->info.height << 16 | (uint32_t)item->info.width;
}

static int by_size(const void *a, const void *b) {
  const size_count *x = a, *y = b;
  return (x->size > y->size) - (x->size < y->size);
}

static int by_count(const void *a, const void *b) {
  const size_count *x = a, *y = b;
  return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : by_size(a, b);
}

/* The sizes of both, the commonest first; the caller frees *sizes. */
static fovea_status count_sizes(const fovea_tree *mine, const fovea_tree *other, size_count **sizes, size_t *count) {
  const size_t n = mine->count + other->count;
  size_count *all = malloc((n + 1) * sizeof *all);
  size_t kept = 0;
  if (all == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the sizes of %zu pictures", n);
  for (size_t i = 0; i < n; i++)
    all[i] = (size_count){size_of(i < mine->count ? &mine->item[i] : &other->item[i - mine->count]), 1};
  qsort(all, n, sizeof *all, by_size);
  for (size_t i = 0; i < n; i++) {
    if (kept > 0 && all[kept - 1].size == all[i].size)
      all[kept - 1].count++;
    else
      all[kept++] = all[i];
  }
  qsort(all, kept, sizeof *all, by_count);
  *sizes = all;
  *count = kept;
  return FOVEA_OK;
}

static const char *first_of(const fovea_tree *mine, const fovea_tree *other, uint32_t size) {
  for (size_t i = 0; i < mine->count + other->count; i++) {
    const fovea_tree_item *item = i < mine->count ? &mine->item[i] : &other->item[i - mine->count];
    if (size_of(item) == size) return item->path;
  }
  return "";
}

static fovea_status refuse_sizes(const fovea_tree *mine, const fovea_tree *other, const size_count *sizes,
                                 size_t count) {
  enum { NAMED = 6, TEXT = 400 };
  char text[TEXT] = "";
  size_t used = 0, more = 0;
  for (size_t i = 0; i < count; i++) {
    if (i >= NAMED) {
      more += sizes[i].count;
      continue;
    }
    used += (size_t)snprintf(text + used, TEXT - used, "%s%zu of %ux%u", i > 0 ? ", " : "", sizes[i].count,
                             sizes[i].size >> 16, sizes[i].size & 0xffff);
  }
  if (more > 0) snprintf(text + used, TEXT - used, ", %zu of %zu more sizes", more, count - NAMED);
  return fovea_fail(FOVEA_INVALID,
                    "the pictures have %zu sizes (height x width): %s (as '%s'); give one for all by --size %ux%u or "
                    "another, and by --fit crop, pad or stretch what becomes of other proportions",
                    count, text, first_of(mine, other, sizes[1].size), sizes[0].size >> 16, sizes[0].size & 0xffff);
}

static fovea_status remark_sizes(const char *split, const fovea_tree *mine, const fovea_load_options *options,
                                 fovea_data_report *report) {
  static const char *const how[] = {"the middle cut out", "the background beside what does not fill it", "stretched"};
  size_t resized = 0, other_proportions = 0;
  for (size_t i = 0; i < mine->count; i++) {
    const fovea_picture_info *p = &mine->item[i].info;
    resized += p->height != options->height || p->width != options->width;
    other_proportions += (int64_t)p->height * options->width != (int64_t)p->width * options->height;
  }
  if (resized == 0) return FOVEA_OK;
  if (other_proportions == 0)
    return fovea_report_remark(report, "%s: %zu of %zu pictures are resized to %dx%d", split, resized, mine->count,
                               options->height, options->width);
  return fovea_report_remark(
      report, "%s: %zu of %zu pictures are resized to %dx%d, of other proportions %zu: %s (--fit)", split, resized,
      mine->count, options->height, options->width, other_proportions, how[options->fit]);
}

static fovea_status decide_size(const char *split, const fovea_tree *mine, const fovea_tree *other,
                                const fovea_load_options *options, fovea_data_report *report, fovea_target *target) {
  size_count *sizes = NULL;
  size_t count = 0;
  target->height = options->height;
  target->width = options->width;
  if (options->height > 0) return remark_sizes(split, mine, options, report);
  fovea_status status = count_sizes(mine, other, &sizes, &count);
  if (status == FOVEA_OK && count > 1) status = refuse_sizes(mine, other, sizes, count);
  if (status == FOVEA_OK && sizes != NULL) {
    target->height = (int)(sizes[0].size >> 16);
    target->width = (int)(sizes[0].size & 0xffff);
  }
  free(sizes);
  return status;
}

/* ---- channels --------------------------------------------------------------------------------------------------- */

typedef struct channel_count {
  size_t gray, gray_alpha, rgb, rgb_alpha;
} channel_count;

static void count_channels(const fovea_tree *tree, channel_count *n) {
  for (size_t i = 0; i < tree->count; i++) {
    const fovea_picture_info *p = &tree->item[i].info;
    if (p->channels == 1)
      p->alpha ? n->gray_alpha++ : n->gray++;
    else
      p->alpha ? n->rgb_alpha++ : n->rgb++;
  }
}

static fovea_status refuse_channels(const channel_count *n) {
  static const char *const names[] = {"gray", "gray with alpha", "RGB", "RGB with alpha"};
  const size_t counts[] = {n->gray, n->gray_alpha, n->rgb, n->rgb_alpha};
  char text[200] = "";
  size_t used = 0;
  for (size_t i = 0; i < 4; i++)
    if (counts[i] > 0)
      used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu %s", used > 0 ? ", " : "", counts[i], names[i]);
  return fovea_fail(FOVEA_INVALID,
                    "the pictures have several kinds of channels: %s; with --channels gray or --channels rgb they are "
                    "made one",
                    text);
}

/* `behind`: the background may be seen elsewhere, of the other split or beside what is padded. */
static fovea_status remark_channels(const char *split, const fovea_tree *mine, const fovea_target *target, bool behind,
                                    fovea_data_report *report) {
  channel_count n = {0};
  count_channels(mine, &n);
  const bool gray = target->channels - target->alpha == 1;
  const size_t made = gray ? n.rgb + n.rgb_alpha : n.gray + n.gray_alpha, alpha = n.gray_alpha + n.rgb_alpha;
  fovea_status status = FOVEA_OK;
  if (made > 0)
    status = fovea_report_remark(report, "%s: %zu of %zu pictures are %s and taken as %s (--channels)", split, made,
                                 mine->count, gray ? "RGB" : "gray", gray ? "gray" : "RGB");
  if (status == FOVEA_OK && alpha > 0 && !target->alpha)
    status = fovea_report_remark(report,
                                 "%s: %zu of %zu pictures have an alpha channel or a transparent colour: what is "
                                 "transparent is laid over the background, RGB %d, %d, %d (--background)",
                                 split, alpha, mine->count, target->background[0], target->background[1],
                                 target->background[2]);
  const bool coloured = (target->background[0] | target->background[1] | target->background[2]) != 0;
  if (status == FOVEA_OK && coloured && !behind && (target->alpha || alpha == 0))
    status = fovea_report_remark(report, "--background changes nothing: no picture is laid over it or padded");
  return status;
}

static fovea_status decide_channels(const char *split, const fovea_tree *mine, const fovea_tree *other,
                                    const fovea_load_options *options, fovea_data_report *report,
                                    fovea_target *target) {
  channel_count n = {0};
  count_channels(mine, &n);
  count_channels(other, &n);
  const size_t all = mine->count + other->count;
  const bool colour =
      options->channels == FOVEA_CHANNELS_RGB || (options->channels != FOVEA_CHANNELS_GRAY && n.rgb + n.rgb_alpha > 0);
  target->alpha = false;
  target->channels = colour ? 3 : 1;
  if (options->channels == FOVEA_CHANNELS_AS_IS) {
    if (n.gray != all && n.gray_alpha != all && n.rgb != all && n.rgb_alpha != all) return refuse_channels(&n);
    target->alpha = n.gray_alpha == all || n.rgb_alpha == all;
    target->channels += target->alpha;
  }
  const bool pads = options->height > 0 && options->fit == FOVEA_FIT_PAD;
  return remark_channels(split, mine, target, pads || (!target->alpha && n.gray_alpha + n.rgb_alpha > 0), report);
}

/* ---- and the rest ----------------------------------------------------------------------------------------------- */

static fovea_status remark_deep(const char *split, size_t deep, size_t all, const double range[2],
                                fovea_data_report *report) {
  if (range[0] != range[1])
    return fovea_report_remark(report,
                               "%s: %zu of %zu pictures have 16 bits: %g to %g of them become 0 to 255 (--range)",
                               split, deep, all, range[0], range[1]);
  return fovea_report_remark(report,
                             "%s: %zu of %zu pictures have 16 bits, rounded to 8: 0 to 65535 become 0 to 255 (--range)",
                             split, deep, all);
}

/* What becomes of 16 bits is asked of all of them; where there are none, it is refused. */
static fovea_status decide_range(fovea_tree *mine, const fovea_tree *other, const fovea_load_options *options) {
  size_t deep = 0;
  if (options->range[0] == options->range[1]) return FOVEA_OK;
  for (size_t i = 0; i < mine->count; i++) {
    mine->item[i].info.black = options->range[0];
    mine->item[i].info.white = options->range[1];
    deep += mine->item[i].info.deep;
  }
  for (size_t i = 0; i < other->count; i++) deep += other->item[i].info.deep;
  if (deep > 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--range %g:%g is for arrays and pictures of 16 bits, and all pictures here have 8",
                    options->range[0], options->range[1]);
}

static fovea_status remark_others(const char *split, const fovea_tree *mine, const double range[2],
                                  fovea_data_report *report) {
  size_t deep = 0, turned = 0, inks = 0, animated = 0;
  for (size_t i = 0; i < mine->count; i++) {
    deep += mine->item[i].info.deep;
    turned += mine->item[i].info.orientation != 1;
    inks += mine->item[i].info.inks;
    animated += mine->item[i].info.animated;
  }
  fovea_status status = FOVEA_OK;
  if (deep > 0) status = remark_deep(split, deep, mine->count, range, report);
  if (turned > 0 && status == FOVEA_OK)
    status = fovea_report_remark(report, "%s: %zu of %zu pictures are turned upright, as their Exif says", split,
                                 turned, mine->count);
  if (inks > 0 && status == FOVEA_OK)
    status = fovea_report_remark(report, "%s: %zu of %zu pictures are CMYK and taken as RGB, without their profiles",
                                 split, inks, mine->count);
  if (animated > 0 && status == FOVEA_OK)
    status = fovea_report_remark(report, "%s: %zu of %zu pictures are animated: the first frame is taken", split,
                                 animated, mine->count);
  return status;
}

fovea_status fovea_survey(const char *split, fovea_tree *mine, const fovea_tree *other,
                          const fovea_load_options *options, fovea_data_report *report, fovea_target *target) {
  target->fit = options->fit;
  memcpy(target->background, options->background, sizeof target->background);
  fovea_status status = decide_size(split, mine, other, options, report, target);
  if (status == FOVEA_OK) status = decide_channels(split, mine, other, options, report, target);
  if (status == FOVEA_OK) status = decide_range(mine, other, options);
  return status == FOVEA_OK ? remark_others(split, mine, options->range, report) : status;
}
