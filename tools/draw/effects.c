#include "draw/effects.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "draw/canvas.h"

static const double ROW_HEIGHT = 25, GROUP_GAP = 14, PANEL_WIDTH = 300, GAP = 24, HEADING_GAP = 14;
enum { NAME_SIZE = 512, LONGEST_NAME = 260 };

/* --- levels ------------------------------------------------------------------------------------------------------ */

/* The columns of the picture, from the left: names, differences, their values, their p, means, their values. */
typedef struct layout {
  panel differences, means;
  int decimals;
  double value_right, p_right, mean_right;
} layout;

static size_t add_ranges(const plot_factor *factors, size_t count, range *differences, range *means,
                         double *narrowest) {
  size_t marks = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t l = 0; l < factors[i].count; l++) {
      const plot_level *level = &factors[i].levels[l];
      const double half = (level->mean_high - level->mean_low) / 2;
      const double d[] = {level->difference, level->low, level->high},
                   m[] = {level->mean, level->mean_low, level->mean_high};
      for (size_t v = 0; v < 3; v++) {
        range_add(differences, d[v]);
        range_add(means, m[v]);
      }
      if (half > 0) *narrowest = fmin(*narrowest, half);
      marks += can_plot(level->mean);
    }
  return marks;
}

static void draw_interval(canvas *c, const panel *p, double y, double value, double low, double high, bool strong,
                          const rgb *colour) {
  if (!can_plot(value)) return;
  if (can_plot(low) && can_plot(high)) draw_line(c, panel_x(p, low), y, panel_x(p, high), y, 2.2, colour);
  draw_dot(c, panel_x(p, value), y, 4.4, colour, 1);
  if (!strong) draw_dot(c, panel_x(p, value), y, 2.4, &paper, 1); /* the difference survives a gray printer */
}

static void draw_value(canvas *c, double right, double y, double value, int decimals) {
  char text[NUMBER_SIZE] = "–";
  if (can_plot(value)) format_number(text, value, decimals);
  draw_text(c, &label_style, RIGHT, right, y, text);
}

static void draw_p(canvas *c, double right, double y, double p) {
  char text[NUMBER_SIZE] = "–";
  if (p >= 0 && p < 0.001)
    snprintf(text, sizeof text, "< 0.001");
  else if (p >= 0 && p <= 1)
    format_number(text, p, 3);
  draw_text(c, &label_style, RIGHT, right, y, text);
}

static void draw_level(canvas *c, const layout *at, double y, const plot_level *level, bool baseline) {
  char name[NAME_SIZE];
  shorten(c, &label_style, LONGEST_NAME, level->name, name, sizeof name);
  draw_text(c, &label_style, RIGHT, -12, y, name);
  draw_interval(c, &at->means, y, level->mean, level->mean_low, level->mean_high, true, &palette[SLATE]);
  draw_value(c, at->mean_right, y, level->mean, at->decimals);
  if (baseline) {
    draw_text(c, &small_style, RIGHT, at->value_right, y, "baseline");
    return;
  }
  const bool strong = level->low > 0 || level->high < 0;
  draw_interval(c, &at->differences, y, level->difference, level->low, level->high, strong,
                strong ? &palette[BLUE] : &palette[GREY]);
  draw_value(c, at->value_right, y, level->difference, at->decimals);
  draw_p(c, at->p_right, y, level->p);
}

static void draw_headings(canvas *c, const layout *at) {
  const text_style column = {small_style.size, true, small_style.colour};
  const double y = at->differences.y - HEADING_GAP;
  draw_text(c, &heading_style, LEFT, at->differences.x, y, "Difference from the baseline");
  draw_text(c, &column, RIGHT, at->value_right, y, "difference");
  draw_text(c, &column, RIGHT, at->p_right, y, "p");
  draw_text(c, &heading_style, LEFT, at->means.x, y, "Mean");
  draw_text(c, &column, RIGHT, at->mean_right, y, "mean");
}

static void draw_levels(canvas *c, const layout *at, const plot_factor *factors, size_t count) {
  double y = at->differences.y;
  for (size_t i = 0; i < count; i++) {
    const text_style bold = {label_style.size, true, label_style.colour};
    char name[NAME_SIZE];
    shorten(c, &bold, LONGEST_NAME, factors[i].name, name, sizeof name);
    draw_text(c, &bold, RIGHT, -12, y + GROUP_GAP, name);
    y += ROW_HEIGHT;
    for (size_t l = 0; l < factors[i].count; l++, y += ROW_HEIGHT)
      draw_level(c, at, y + ROW_HEIGHT / 2, &factors[i].levels[l], l == 0);
  }
}

/* Of the numbers in a column, and of its heading in bold. */
static double widest(canvas *c, const layout *at, const plot_factor *factors, size_t count, bool means) {
  double width = 1.15 * text_width(c, &small_style, means ? "mean" : "difference");
  for (size_t i = 0; i < count; i++)
    for (size_t l = 0; l < factors[i].count; l++) {
      const double value = means ? factors[i].levels[l].mean : factors[i].levels[l].difference;
      char text[NUMBER_SIZE] = "";
      if (can_plot(value)) format_number(text, value, at->decimals);
      width = fmax(width, text_width(c, &label_style, text));
    }
  return width;
}

static void lay_out(canvas *c, layout *at, const range *differences, const range *means, double height,
                    const plot_factor *factors, size_t count) {
  at->differences = (panel){.width = PANEL_WIDTH, .height = height, .across = axis_over(differences, 6, 0)};
  at->value_right = PANEL_WIDTH + GAP + widest(c, at, factors, count, false);
  at->p_right = at->value_right + GAP + text_width(c, &label_style, "< 0.001");
  at->means = at->differences;
  at->means.x = at->p_right + 2 * GAP;
  at->means.across = axis_over(means, 6, 0);
  at->mean_right = at->means.x + PANEL_WIDTH + GAP + widest(c, at, factors, count, true);
}

fovea_status plot_factors(const char *path, const char *title, const char *note, const plot_factor *factors,
                          size_t count) {
  range differences = NO_RANGE, means = NO_RANGE;
  double narrowest = INFINITY, height = 0;
  layout at = {0};
  canvas c = {0};
  range_add(&differences, 0);
  for (size_t i = 0; i < count; i++) height += ROW_HEIGHT * (double)(factors[i].count + 1);
  if (add_ranges(factors, count, &differences, &means, &narrowest) == 0)
    return fovea_fail(FOVEA_INVALID, "plot of factors: no level of %zu factors has a mean", count);
  at.decimals = isinf(narrowest) ? 4 : (int)fmin(fmax(1 - floor(log10(narrowest)), 0), 15);
  fovea_status status = canvas_open(&c);
  if (status == FOVEA_OK) {
    lay_out(&c, &at, &differences, &means, height, factors, count);
    draw_across_axis(&c, &at.differences, "difference");
    draw_across_axis(&c, &at.means, "mean");
    const double zero = panel_x(&at.differences, 0);
    draw_line(&c, zero, 0, zero, height, 1.2, &faint_ink);
    draw_headings(&c, &at);
    draw_levels(&c, &at, factors, count);
    draw_text(&c, &small_style, LEFT, 0, height + 58, note);
  }
  return canvas_finish(&c, status, title, path);
}

/* --- pairs ------------------------------------------------------------------------------------------------------- */

static const double PAIR_WIDTH = 210, PAIR_HEIGHT = 190, PAIR_LEFT = 62, PAIR_LEGEND = 130, PAIR_BELOW = 96;
enum { ACROSS = 3 };

static bool add_means(const plot_pair *pairs, size_t count, range *up) {
  for (size_t i = 0; i < count; i++)
    for (size_t m = 0; m < pairs[i].across_count * pairs[i].line_count; m++) {
      if (!can_plot(pairs[i].means[m])) continue;
      range_add(up, pairs[i].means[m]);
      range_add(up, pairs[i].low[m]);
      range_add(up, pairs[i].high[m]);
    }
  return !range_is_empty(up);
}

/* The place of a level across; the lines' marks stand a little apart. */
static double place(const panel *p, const plot_pair *pair, size_t level, size_t line) {
  const double step = p->width / (double)pair->across_count;
  const double apart = fmin(5, step / (double)(2 * pair->line_count));
  return p->x + ((double)level + 0.5) * step + ((double)line - (double)(pair->line_count - 1) / 2) * apart;
}

static void draw_pair_line(canvas *c, const panel *p, const plot_pair *pair, size_t line) {
  const rgb *colour = &palette[line % PALETTE_SIZE];
  double last_x = 0, last_y = 0;
  bool begun = false;
  for (size_t a = 0; a < pair->across_count; a++) {
    const size_t m = a * pair->line_count + line;
    if (!can_plot(pair->means[m])) {
      begun = false;
      continue;
    }
    const double x = place(p, pair, a, line), y = panel_y(p, pair->means[m]);
    if (can_plot(pair->low[m]) && can_plot(pair->high[m]))
      draw_line(c, x, panel_y(p, pair->low[m]), x, panel_y(p, pair->high[m]), 1.4, colour);
    if (begun) draw_line(c, last_x, last_y, x, y, 1.8, colour);
    draw_dot(c, x, y, 3.6, colour, 1);
    last_x = x;
    last_y = y;
    begun = true;
  }
}

static void draw_pair_axis(canvas *c, const panel *p, const plot_pair *pair) {
  char name[NAME_SIZE];
  const double step = p->width / (double)pair->across_count, y = p->y + p->height;
  draw_line(c, p->x, y, p->x + p->width, y, 1, &faint_ink);
  for (size_t a = 0; a < pair->across_count; a++) {
    shorten(c, &small_style, step - 4, pair->across_levels[a], name, sizeof name);
    draw_text(c, &small_style, MIDDLE, p->x + ((double)a + 0.5) * step, y + 14, name);
  }
  shorten(c, &label_style, p->width, pair->across, name, sizeof name);
  draw_text(c, &label_style, MIDDLE, p->x + p->width / 2, y + 34, name);
}

static void draw_pair(canvas *c, const panel *p, const plot_pair *pair) {
  char name[NAME_SIZE], heading[NAME_SIZE];
  draw_up_axis(c, p);
  draw_pair_axis(c, p, pair);
  for (size_t line = 0; line < pair->line_count; line++) draw_pair_line(c, p, pair, line);
  shorten(c, &label_style, PAIR_LEGEND - 20, pair->lines, name, sizeof name);
  draw_text(c, &label_style, LEFT, p->x + p->width + 14, p->y, name);
  for (size_t line = 0; line < pair->line_count; line++) {
    char level[NAME_SIZE];
    const double y = p->y + 20 + 18 * (double)line;
    shorten(c, &small_style, PAIR_LEGEND - 40, pair->line_levels[line], level, sizeof level);
    draw_dot(c, p->x + p->width + 20, y, 4, &palette[line % PALETTE_SIZE], 1);
    draw_text(c, &small_style, LEFT, p->x + p->width + 30, y, level);
  }
  if (pair->p < 0.001)
    snprintf(heading, sizeof heading, "interaction: p < 0.001");
  else if (pair->p <= 1)
    snprintf(heading, sizeof heading, "interaction: p = %.3f", pair->p);
  else
    snprintf(heading, sizeof heading, "interaction: not known");
  draw_text(c, &small_style, LEFT, p->x, p->y - HEADING_GAP, heading);
}

fovea_status plot_pairs(const char *path, const char *title, const char *response, const plot_pair *pairs,
                        size_t count) {
  range up = NO_RANGE;
  if (!add_means(pairs, count, &up))
    return fovea_fail(FOVEA_INVALID, "plot of pairs: no cell of %zu pairs of factors has a mean", count);
  canvas c = {0};
  fovea_status status = canvas_open(&c);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
    const size_t row = i / ACROSS;
    const panel p = {.x = (double)(i % ACROSS) * (PAIR_LEFT + PAIR_WIDTH + PAIR_LEGEND),
                     .y = (double)row * (PAIR_HEIGHT + PAIR_BELOW),
                     .width = PAIR_WIDTH,
                     .height = PAIR_HEIGHT,
                     .up = axis_over(&up, 6, 0)};
    draw_pair(&c, &p, &pairs[i]);
  }
  if (status == FOVEA_OK) {
    const size_t rows = (count + ACROSS - 1) / ACROSS;
    char note[NAME_SIZE], name[NAME_SIZE];
    axis ticks = axis_over(&up, 6, 0);
    axis_name(&ticks, response, name, sizeof name);
    snprintf(note, sizeof note,
             "Upwards: mean %.300s, other factors alike, with its interval. Parallel lines: no interaction.", name);
    draw_text(&c, &small_style, LEFT, 0, (double)rows * (PAIR_HEIGHT + PAIR_BELOW) - 40, note);
  }
  return canvas_finish(&c, status, title, path);
}
