#include "draw/plots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "draw/canvas.h"

static const double PANEL_GAP = 40, LEGEND_GAP = 26, HEADING_GAP = 14;
enum { NAME_SIZE = 512, LONGEST_NAME = 420 /* points; a longer one is shortened */ };

static void draw_heading(canvas *c, const panel *p, const char *text) {
  draw_text(c, &heading_style, LEFT, p->x, p->y - HEADING_GAP, text);
}

/* --- curves --------------------------------------------------------------------------------------------------- */

static const rgb *const train_colour = &palette[BLUE], *const test_colour = &palette[VERMILION];

typedef struct series {
  size_t field; /* of plot_epoch */
  const rgb *colour;
  bool dashed;
} series;

static double value_of(const plot_epoch *epoch, const series *s) {
  return *(const double *)((const char *)epoch + s->field);
}

static void draw_series(canvas *c, const panel *p, const series *s, const plot_epoch *epochs, size_t count) {
  const bool few = count <= 40;
  set_colour(c, s->colour, 1);
  cairo_set_line_width(c->cr, 2);
  cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
  if (s->dashed) cairo_set_dash(c->cr, dash, 2, 0);
  for (size_t i = 0; i < count; i++) {
    if (!can_plot(value_of(&epochs[i], s))) {
      cairo_new_sub_path(c->cr); /* the line stops and starts again after the gap */
      continue;
    }
    cairo_line_to(c->cr, panel_x(p, epochs[i].epoch), panel_y(p, value_of(&epochs[i], s)));
  }
  cairo_stroke(c->cr);
  cairo_set_dash(c->cr, NULL, 0, 0);
  for (size_t i = 0; i < count; i++) {
    if (!can_plot(value_of(&epochs[i], s))) continue;
    const bool alone = (i == 0 || !can_plot(value_of(&epochs[i - 1], s))) &&
                       (i + 1 == count || !can_plot(value_of(&epochs[i + 1], s)));
    const double x = panel_x(p, epochs[i].epoch), y = panel_y(p, value_of(&epochs[i], s));
    if (alone || (few && !s->dashed)) draw_dot(c, x, y, 2.8, s->colour, 1);
    if (alone && s->dashed) draw_dot(c, x, y, 1.6, &paper, 1);
  }
}

static fovea_status scale_curves(panel *p, const series *s, size_t series_count, const plot_epoch *epochs, size_t count,
                                 const char *heading) {
  range across = NO_RANGE, up = NO_RANGE;
  for (size_t i = 0; i < count; i++) {
    range_add(&across, epochs[i].epoch);
    for (size_t j = 0; j < series_count; j++) range_add(&up, value_of(&epochs[i], &s[j]));
  }
  if (range_is_empty(&up)) return fovea_fail(FOVEA_INVALID, "plot of %s: no epoch has a finite value", heading);
  p->across = axis_over(&across, 6, 1);
  p->across.low = fmax(p->across.low, across.low - 0.9); /* no tick for the epoch before the first */
  p->up = axis_over(&up, 6, 0);
  return FOVEA_OK;
}

static void draw_curves(canvas *c, const panel *p, const series *s, size_t series_count, const plot_epoch *epochs,
                        size_t count, const char *heading) {
  char text[NAME_SIZE];
  axis_name(&p->up, heading, text, sizeof text);
  draw_heading(c, p, text);
  draw_up_axis(c, p);
  draw_across_axis(c, p, "epoch");
  for (size_t j = 0; j < series_count; j++) draw_series(c, p, &s[j], epochs, count);
}

fovea_status plot_curves(const char *path, const char *title, const plot_epoch *epochs, size_t count) {
  const series losses[] = {
      {offsetof(plot_epoch, bce), train_colour, true},
      {offsetof(plot_epoch, val_bce), test_colour, true},
      {offsetof(plot_epoch, loss), train_colour, false},
      {offsetof(plot_epoch, val_loss), test_colour, false},
  };
  const series divergences[] = {
      {offsetof(plot_epoch, kl), train_colour, false},
      {offsetof(plot_epoch, val_kl), test_colour, false},
  };
  const legend_entry legend[] = {
      {"training", train_colour, LINE_KEY},
      {"test", test_colour, LINE_KEY},
      {"total", &faint_ink, LINE_KEY},
      {"cross-entropy", &faint_ink, DASHED_KEY},
  };
  panel left = {.width = 360, .height = 250}, right = left;
  fovea_status status = scale_curves(&left, losses, 4, epochs, count, "loss");
  if (status == FOVEA_OK) status = scale_curves(&right, divergences, 2, epochs, count, "KL divergence");
  if (status != FOVEA_OK) return status;
  canvas c;
  status = canvas_open(&c);
  if (status == FOVEA_OK) {
    right.x = left.width + PANEL_GAP + panel_labels_width(&c, &right);
    draw_curves(&c, &left, losses, 4, epochs, count, "Loss");
    draw_curves(&c, &right, divergences, 2, epochs, count, "KL divergence");
    draw_legend(&c, right.x + right.width + LEGEND_GAP, 0, legend, 4);
  }
  return canvas_finish(&c, status, title, path);
}

/* --- latent codes --------------------------------------------------------------------------------------------- */

typedef struct codes {
  const plot_point *points;
  size_t count;
  const char *name;
} codes;

typedef struct code_ranges {
  range across, up;
  bool present[PLOT_LABELS], others; /* of the labels; of points without one */
} code_ranges;

static bool can_plot_point(const plot_point *p) { return can_plot(p->x) && can_plot(p->y); }

static fovea_status scale_codes(const codes *set, code_ranges *ranges) {
  size_t shown = 0;
  for (size_t i = 0; i < set->count; i++) {
    const plot_point *p = &set->points[i];
    if (p->label < -1 || p->label >= PLOT_LABELS)
      return fovea_fail(FOVEA_INVALID, "plot of %s codes: code %zu has label %d, expected -1 to %d", set->name, i,
                        p->label, PLOT_LABELS - 1);
    if (!can_plot_point(p)) continue;
    range_add(&ranges->across, p->x);
    range_add(&ranges->up, p->y);
    if (p->label >= 0)
      ranges->present[p->label] = true;
    else
      ranges->others = true;
    shown++;
  }
  if (shown == 0) return fovea_fail(FOVEA_INVALID, "plot of %s codes: no finite code among %zu", set->name, set->count);
  return FOVEA_OK;
}

/* Small and translucent where they are many, so that density shows. Drawn in strides: in a file sorted by label, the
 * last class would hide the others. */
static void draw_codes(canvas *c, const panel *p, const codes *set) {
  const size_t stride = set->count % 7919 == 0 ? 1 : 7919;                    /* a prime visits every point once */
  const double crowd = fmin(fmax(log10((double)set->count) - 2, 0) / 2.5, 1); /* 0 at 100 points, 1 at 30,000 */
  for (size_t i = 0; i < set->count; i++) {
    const plot_point *point = &set->points[i * stride % set->count];
    if (!can_plot_point(point)) continue;
    draw_dot(c, panel_x(p, point->x), panel_y(p, point->y), 3 - 1.9 * crowd,
             point->label < 0 ? &palette[SLATE] : &palette[point->label], 0.9 - 0.4 * crowd);
  }
}

/* How far the vertical axis' labels and name reach to the left of the panel; the name is written to `name`. */
static double codes_margin(canvas *c, const panel *p, char name[NAME_SIZE]) {
  axis_name(&p->up, "z₂", name, NAME_SIZE);
  return panel_labels_width(c, p) + 6 + text_width(c, &label_style, name);
}

static void draw_codes_panel(canvas *c, const panel *p, const codes *set) {
  char heading[NAME_SIZE], name[NAME_SIZE];
  snprintf(heading, sizeof heading, "%s (%zu codes)", set->name, set->count);
  draw_heading(c, p, heading);
  draw_up_axis(c, p);
  draw_across_axis(c, p, "z₁");
  const double margin = codes_margin(c, p, name);
  draw_text(c, &label_style, LEFT, p->x - margin, p->y + p->height / 2, name);
  draw_codes(c, p, set);
}

/* Points without a label have an entry beside those with one. */
static void draw_labels(canvas *c, double x, double y, const code_ranges *ranges, const char *const *label_names) {
  static const char *const digits[PLOT_LABELS] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  char names[PLOT_LABELS][NAME_SIZE];
  legend_entry legend[PLOT_LABELS + 1];
  size_t count = 0;
  for (int i = 0; i < PLOT_LABELS; i++) {
    if (!ranges->present[i]) continue;
    shorten(c, &label_style, LONGEST_NAME, label_names == NULL ? digits[i] : label_names[i], names[i], NAME_SIZE);
    legend[count++] = (legend_entry){names[i], &palette[i], DOT_KEY};
  }
  if (count > 0 && ranges->others) legend[count++] = (legend_entry){"others", &palette[SLATE], DOT_KEY};
  draw_legend(c, x, y, legend, count);
}

fovea_status plot_latent(const char *path, const char *title, const plot_point *train, size_t train_count,
                         const plot_point *test, size_t test_count, const char *const *label_names) {
  const codes sets[2] = {{train, train_count, "Training"}, {test, test_count, "Test"}};
  code_ranges ranges = {NO_RANGE, NO_RANGE, {false}, false};
  fovea_status status = scale_codes(&sets[0], &ranges);
  if (status == FOVEA_OK) status = scale_codes(&sets[1], &ranges);
  if (status != FOVEA_OK) return status;
  panel left = {.width = 350, .height = 350};
  left.across = axis_over(&ranges.across, 6, 0);
  left.up = axis_over(&ranges.up, 6, 0);
  panel right = left;
  canvas c;
  status = canvas_open(&c);
  if (status == FOVEA_OK) {
    char name[NAME_SIZE];
    right.x = left.width + PANEL_GAP + codes_margin(&c, &right, name);
    draw_codes_panel(&c, &left, &sets[0]);
    draw_codes_panel(&c, &right, &sets[1]);
    draw_labels(&c, right.x + right.width + LEGEND_GAP, 0, &ranges, label_names);
  }
  return canvas_finish(&c, status, title, path);
}

/* --- coefficients --------------------------------------------------------------------------------------------- */

static const double ROW_HEIGHT = 27, FOREST_WIDTH = 360, BETWEEN_FORESTS = 84, COLUMN_GAP = 20, STARS_WIDTH = 26;

/* The rows on one scale. */
typedef struct forest {
  const plot_coefficient **rows;
  size_t count;
  int decimals; /* of the printed values: two digits of the narrowest interval */
  panel panel;
} forest;

/* Where the columns of the whole picture begin or end. */
typedef struct columns {
  double value_right, p_right;
} columns;

/* A row that is named and has no mark. */
/* An aliased row and one beyond double precision have none. */
static bool has_mark(const plot_coefficient *row) { return can_plot(row->value); }

static bool has_interval(const plot_coefficient *row) {
  return can_plot(row->low) && can_plot(row->high) && has_mark(row);
}

static bool excludes_zero(const plot_coefficient *row) {
  return has_interval(row) && (fmin(row->low, row->high) > 0 || fmax(row->low, row->high) < 0);
}

/* The farthest from zero that the row's mark gets. */
static double reach(const plot_coefficient *row) {
  const double ends = has_interval(row) ? fmax(fabs(row->low), fabs(row->high)) : 0;
  return has_mark(row) ? fmax(fabs(row->value), ends) : 0;
}

static int by_reach(const void *a, const void *b) {
  const double x = reach(*(const plot_coefficient *const *)a), y = reach(*(const plot_coefficient *const *)b);
  return (x > y) - (x < y);
}

/* The reach above which a row goes to the far panel: at the widest gap between consecutive reaches, if it is at least
 * fivefold; else infinite. `sorted` is room for count rows. */
static double far_from_zero(const plot_coefficient *const *rows, size_t count, const plot_coefficient **sorted) {
  for (size_t i = 0; i < count; i++) sorted[i] = rows[i];
  qsort(sorted, count, sizeof *sorted, by_reach);
  double widest = 5, border = INFINITY;
  for (size_t i = 1; i < count; i++) {
    const double below = reach(sorted[i - 1]), ratio = reach(sorted[i]) / below;
    if (below > 0 && ratio >= widest) {
      widest = ratio;
      border = below;
    }
  }
  return border;
}

static void scale_forest(forest *f, bool with_zero) {
  range across = NO_RANGE;
  double narrowest = INFINITY;
  if (with_zero) range_add(&across, 0);
  for (size_t i = 0; i < f->count; i++) {
    const plot_coefficient *row = f->rows[i];
    if (!has_mark(row)) continue;
    range_add(&across, row->value);
    if (has_interval(row)) {
      range_add(&across, row->low);
      range_add(&across, row->high);
    }
    const double half = has_interval(row) ? fabs(row->high - row->low) / 2 : 0;
    const double detail = half > 0 ? half : fabs(row->value) / 100;
    if (detail > 0) narrowest = fmin(narrowest, detail);
  }
  f->decimals = isinf(narrowest) ? 1 : (int)fmin(fmax(1 - floor(log10(narrowest)), 0), 15);
  f->panel.across = axis_over(&across, 6, 0);
  f->panel.width = FOREST_WIDTH;
  f->panel.height = ROW_HEIGHT * (double)f->count;
}

/* Splits the rows, in their order, over one or two panels in `room`, which holds 3 * count rows.
 * Returns how many of them have a mark. */
static size_t split(const plot_coefficient *rows, size_t count, const plot_coefficient **room, forest forests[2]) {
  const plot_coefficient **near = room, **far = room + count, **shown = room + 2 * count;
  size_t marks = 0;
  for (size_t i = 0; i < count; i++) {
    shown[i] = &rows[i];
    marks += has_mark(&rows[i]);
  }
  const double border = far_from_zero(shown, count, near);
  forests[0] = (forest){.rows = near};
  forests[1] = (forest){.rows = far};
  for (size_t i = 0; i < count; i++) {
    forest *f = &forests[reach(shown[i]) > border];
    f->rows[f->count++] = shown[i];
  }
  scale_forest(&forests[0], true);
  if (forests[1].count > 0) scale_forest(&forests[1], false);
  forests[1].panel.y = forests[0].panel.height + BETWEEN_FORESTS;
  return marks;
}

static const char *stars(double p) { return p < 0.001 ? "***" : p < 0.01 ? "**" : p < 0.05 ? "*" : ""; }

static void draw_p(canvas *c, double right, double y, double p) {
  char text[NUMBER_SIZE] = "–";
  if (p >= 0 && p < 0.001)
    snprintf(text, sizeof text, "< 0.001");
  else if (p >= 0 && p <= 1)
    format_number(text, p, 3);
  draw_text(c, &label_style, RIGHT, right, y, text);
}

static void draw_mark(canvas *c, const panel *p, double y, const plot_coefficient *row) {
  const rgb *colour = excludes_zero(row) ? &palette[BLUE] : &palette[GREY];
  const double x = panel_x(p, row->value);
  if (has_interval(row)) draw_line(c, panel_x(p, row->low), y, panel_x(p, row->high), y, 2.2, colour);
  draw_dot(c, x, y, 4.6, colour, 1);
  if (!excludes_zero(row)) draw_dot(c, x, y, 2.6, &paper, 1); /* hollow: the difference survives a gray printer */
}

static void value_text(const plot_coefficient *row, int decimals, char text[NUMBER_SIZE]) {
  if (has_mark(row))
    format_number(text, row->value, decimals);
  else
    snprintf(text, NUMBER_SIZE, isnan(row->value) ? "aliased" : "too large");
}

static void draw_row(canvas *c, const forest *f, size_t i, const columns *at) {
  const plot_coefficient *row = f->rows[i];
  const double y = f->panel.y + ((double)i + 0.5) * ROW_HEIGHT;
  char name[NAME_SIZE], value[NUMBER_SIZE];
  shorten(c, &label_style, LONGEST_NAME, row->name, name, sizeof name);
  draw_text(c, &label_style, RIGHT, -12, y, name);
  value_text(row, f->decimals, value);
  draw_text(c, &label_style, RIGHT, at->value_right, y, value);
  if (!has_mark(row)) return;
  if (row->p >= 0) draw_text(c, &label_style, LEFT, at->value_right + 3, y, stars(row->p));
  draw_p(c, at->p_right, y, row->p);
  draw_mark(c, &f->panel, y, row);
}

static void draw_forest(canvas *c, const forest *f, const columns *at, const char *heading) {
  const panel *p = &f->panel;
  draw_across_axis(c, p, "coefficient");
  if (p->across.low <= 0 && p->across.high >= 0) {
    const double zero = panel_x(p, 0);
    draw_line(c, zero, p->y, zero, p->y + p->height, 1.2, &faint_ink);
  }
  draw_heading(c, p, heading);
  const text_style column_style = {small_style.size, true, small_style.colour};
  draw_text(c, &column_style, RIGHT, at->value_right, p->y - HEADING_GAP, "estimate");
  draw_text(c, &column_style, RIGHT, at->p_right, p->y - HEADING_GAP, "p");
  for (size_t i = 0; i < f->count; i++) draw_row(c, f, i, at);
}

static double widest_value(canvas *c, const forest forests[2]) {
  double widest = text_width(c, &small_style, "estimate") * 1.15; /* it is bold there */
  for (int k = 0; k < 2; k++)
    for (size_t i = 0; i < forests[k].count; i++) {
      char value[NUMBER_SIZE];
      value_text(forests[k].rows[i], forests[k].decimals, value);
      widest = fmax(widest, text_width(c, &label_style, value));
    }
  return widest;
}

static void draw_key(canvas *c, double y) {
  draw_text(c, &small_style, LEFT, 0, y, "Bars are confidence intervals: blue and filled where they exclude zero.");
  draw_text(c, &small_style, LEFT, 0, y + 17, "* p < 0.05   ** p < 0.01   *** p < 0.001");
}

fovea_status plot_coefficients(const char *path, const char *title, const plot_coefficient *rows, size_t count) {
  const plot_coefficient **room = calloc(count + 1, 3 * sizeof *room);
  if (room == NULL) return fovea_fail(FOVEA_NO_MEMORY, "plot of coefficients: no memory for %zu", count);
  forest forests[2];
  canvas c = {0};
  fovea_status status = FOVEA_OK;
  if (split(rows, count, room, forests) == 0)
    status = fovea_fail(FOVEA_INVALID, "plot of coefficients: no finite value among %zu", count);
  if (status == FOVEA_OK) status = canvas_open(&c);
  if (status == FOVEA_OK) {
    const bool two = forests[1].count > 0;
    columns at = {.value_right = FOREST_WIDTH + COLUMN_GAP + widest_value(&c, forests)};
    at.p_right = at.value_right + STARS_WIDTH + COLUMN_GAP + text_width(&c, &label_style, "< 0.001");
    draw_forest(&c, &forests[0], &at, two ? "The smaller ones" : "");
    if (two) draw_forest(&c, &forests[1], &at, "The far larger ones, on a scale of their own");
    const panel *last = &forests[two].panel;
    draw_key(&c, last->y + last->height + 58);
  }
  status = canvas_finish(&c, status, title, path);
  free(room);
  return status;
}
