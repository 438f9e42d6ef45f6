#include "draw/canvas.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "draw/png.h"

#define HEX(rrggbb) \
  { ((rrggbb) >> 16 & 255) / 255.0, ((rrggbb) >> 8 & 255) / 255.0, ((rrggbb)&255) / 255.0 }

const rgb palette[PALETTE_SIZE] = {
    [BLUE] = HEX(0x3f90da),   [ORANGE] = HEX(0xffa90e), [RED] = HEX(0xbd1f01),       [GREY] = HEX(0x94a4a2),
    [PURPLE] = HEX(0x832db6), [BROWN] = HEX(0xa96b59),  [VERMILION] = HEX(0xe76300), [TAN] = HEX(0xb9ac70),
    [SLATE] = HEX(0x717581),  [CYAN] = HEX(0x92dadb),
};
const rgb ink = HEX(0x222222), faint_ink = HEX(0x606060), grid_ink = HEX(0xe4e4e4), paper = HEX(0xffffff);

const text_style title_style = {15, true, &ink};
const text_style heading_style = {12.5, true, &ink};
const text_style label_style = {12, false, &ink};
const text_style small_style = {11, false, &faint_ink};

const double dash[2] = {5, 3.5};

static const double PAGE_MARGIN = 18, TICK_GAP = 7, TITLE_GAP = 28, LEGEND_LINE = 20, LEGEND_KEY = 22;
enum { PIXELS_A_POINT = 2, LARGEST_PNG = 32767 /* cairo's image surfaces */ };

/* --- the page ------------------------------------------------------------------------------------------------- */

fovea_status canvas_open(canvas *c) {
  *c = (canvas){.plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0)};
  if (c->plain == (locale_t)0) return fovea_fail(FOVEA_NO_MEMORY, "plot: no memory for a locale");
  c->callers = uselocale(c->plain);
  c->recording = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, NULL);
  c->cr = cairo_create(c->recording);
  /* Gray and unhinted, so that the same page gives the same bytes whatever the desktop's font settings. */
  cairo_font_options_t *options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_set_font_options(c->cr, options);
  cairo_font_options_destroy(options);
  return FOVEA_OK;
}

void canvas_close(canvas *c) {
  if (c->plain == (locale_t)0) return;
  cairo_destroy(c->cr);
  cairo_surface_destroy(c->recording);
  uselocale(c->callers);
  freelocale(c->plain);
}

void canvas_title(canvas *c, const char *title) {
  double x, y, width, height;
  cairo_recording_surface_ink_extents(c->recording, &x, &y, &width, &height);
  draw_text(c, &title_style, MIDDLE, x + width / 2, y - TITLE_GAP, title);
}

static fovea_status fail_with(cairo_status_t failure) {
  const fovea_status status = failure == CAIRO_STATUS_NO_MEMORY        ? FOVEA_NO_MEMORY
                              : failure == CAIRO_STATUS_INVALID_STRING ? FOVEA_INVALID
                                                                       : FOVEA_IO;
  return fovea_fail(status, "plot: %s", cairo_status_to_string(failure));
}

/* The recording on white, trimmed to its ink and a margin. */
static cairo_surface_t *paint_image(canvas *c, double x, double y, int width, int height) {
  cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create(image);
  cairo_scale(cr, PIXELS_A_POINT, PIXELS_A_POINT);
  cairo_set_source_rgb(cr, paper.r, paper.g, paper.b);
  cairo_paint(cr);
  cairo_set_source_surface(cr, c->recording, -x, -y);
  cairo_paint(cr);
  cairo_destroy(cr);
  cairo_surface_flush(image);
  return image;
}

/* cairo's own PNGs take five times as long: it tries every filter on every row. */
static fovea_status write_image(cairo_surface_t *image, const char *path) {
  const size_t height = (size_t)cairo_image_surface_get_height(image);
  const size_t width = (size_t)cairo_image_surface_get_width(image);
  const unsigned char *from = cairo_image_surface_get_data(image);
  uint8_t *pixels = malloc(height * width * 3), *png = NULL, *to = pixels;
  size_t size = 0;
  if (pixels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "plot: no memory for %zu x %zu pixels", width, height);
  for (size_t h = 0; h < height; h++, from += cairo_image_surface_get_stride(image))
    for (size_t w = 0; w < width; w++) {
      uint32_t pixel;
      memcpy(&pixel, from + 4 * w, sizeof pixel);
      for (int shift = 16; shift >= 0; shift -= 8) *to++ = (uint8_t)(pixel >> shift);
    }
  fovea_status status = png_encode(pixels, height, width, 3, &png, &size);
  if (status == FOVEA_OK) status = fovea_file_write(path, png, size);
  free(png);
  free(pixels);
  return status;
}

fovea_status canvas_save(canvas *c, const char *path) {
  if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS) return fail_with(cairo_status(c->cr));
  double x, y, ink_width, ink_height;
  cairo_recording_surface_ink_extents(c->recording, &x, &y, &ink_width, &ink_height);
  x = floor(x - PAGE_MARGIN);
  y = floor(y - PAGE_MARGIN);
  const double width = ceil(ink_width + 2 * PAGE_MARGIN) * PIXELS_A_POINT;
  const double height = ceil(ink_height + 2 * PAGE_MARGIN) * PIXELS_A_POINT;
  /* stb_image_write counts bytes in int. */
  if (!(width <= LARGEST_PNG && height <= LARGEST_PNG && (3 * width + 1) * height <= INT_MAX))
    return fovea_fail(FOVEA_INVALID, "plot: %.0f x %.0f pixels, at most %d a side and 2 GiB fit in a picture", width,
                      height, LARGEST_PNG);
  cairo_surface_t *image = paint_image(c, x, y, (int)width, (int)height);
  const cairo_status_t failure = cairo_surface_status(image);
  const fovea_status status = failure == CAIRO_STATUS_SUCCESS ? write_image(image, path) : fail_with(failure);
  cairo_surface_destroy(image);
  return status;
}

/* --- marks ---------------------------------------------------------------------------------------------------- */

void set_colour(canvas *c, const rgb *colour, double opacity) {
  cairo_set_source_rgba(c->cr, colour->r, colour->g, colour->b, opacity);
}

static void use_style(canvas *c, const text_style *style) {
  cairo_select_font_face(c->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         style->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(c->cr, style->size);
}

double text_width(canvas *c, const text_style *style, const char *text) {
  cairo_text_extents_t extents;
  use_style(c, style);
  cairo_text_extents(c->cr, text, &extents);
  return extents.x_advance;
}

void draw_text(canvas *c, const text_style *style, anchor where, double x, double y, const char *text) {
  const double half_capital = 0.365; /* of the font size, in DejaVu Sans */
  const double width = text_width(c, style, text);
  set_colour(c, style->colour, 1);
  cairo_move_to(c->cr, x - (where == LEFT ? 0 : where == MIDDLE ? width / 2 : width), y + half_capital * style->size);
  cairo_show_text(c->cr, text);
  cairo_new_path(c->cr); /* the text's end is no beginning of the next line */
}

void shorten(canvas *c, const text_style *style, double width, const char *text, char *out, size_t out_size) {
  const char ellipsis[] = "…";
  size_t kept = strlen(text);
  const bool fits_out = kept < out_size;
  if (!fits_out) kept = out_size - sizeof ellipsis;
  snprintf(out, out_size, "%.*s%s", (int)kept, text, fits_out ? "" : ellipsis);
  while (kept > 0 && text_width(c, style, out) > width) {
    do kept--;
    while (kept > 0 && ((unsigned char)text[kept] & 0xC0) == 0x80); /* not inside a character */
    if (kept > out_size - sizeof ellipsis) continue;
    memcpy(out, text, kept);
    memcpy(out + kept, ellipsis, sizeof ellipsis);
  }
}

void draw_line(canvas *c, double x0, double y0, double x1, double y1, double thickness, const rgb *colour) {
  set_colour(c, colour, 1);
  cairo_set_line_width(c->cr, thickness);
  cairo_move_to(c->cr, x0, y0);
  cairo_line_to(c->cr, x1, y1);
  cairo_stroke(c->cr);
}

void draw_dot(canvas *c, double x, double y, double radius, const rgb *colour, double opacity) {
  const double turn = 6.283185307179586;
  set_colour(c, colour, opacity);
  cairo_new_sub_path(c->cr);
  cairo_arc(c->cr, x, y, radius, 0, turn);
  cairo_fill(c->cr);
}

void draw_legend(canvas *c, double x, double y, const legend_entry *entries, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double middle = y + ((double)i + 0.5) * LEGEND_LINE;
    if (entries[i].key == DOT_KEY) {
      draw_dot(c, x + LEGEND_KEY / 2, middle, 4.5, entries[i].colour, 1);
    } else {
      if (entries[i].key == DASHED_KEY) cairo_set_dash(c->cr, dash, 2, 0);
      draw_line(c, x, middle, x + LEGEND_KEY, middle, 2, entries[i].colour);
      cairo_set_dash(c->cr, NULL, 0, 0);
    }
    draw_text(c, &label_style, LEFT, x + LEGEND_KEY + 6, middle, entries[i].text);
  }
}

/* --- numbers -------------------------------------------------------------------------------------------------- */

bool can_plot(double value) { return fabs(value) < 1e300; }

bool range_is_empty(const range *r) { return r->low > r->high; }

void range_add(range *r, double value) {
  if (!can_plot(value)) return;
  const bool first = range_is_empty(r);
  if (first || value < r->low) r->low = value;
  if (first || value > r->high) r->high = value;
}

static void append_exponent(char *out, size_t out_size, int exponent) {
  static const char *const raised[10] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  char digits[16];
  snprintf(digits, sizeof digits, "%d", abs(exponent));
  size_t length = strlen(out);
  length += (size_t)snprintf(out + length, out_size - length, "×10%s", exponent < 0 ? "⁻" : "");
  for (const char *d = digits; *d != '\0' && length < out_size; d++)
    length += (size_t)snprintf(out + length, out_size - length, "%s", raised[*d - '0']);
}

static void format_fixed(char out[NUMBER_SIZE], double value, int decimals) {
  char digits[NUMBER_SIZE - 4];
  snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
  const bool shows_zero = strspn(digits, "0.") == strlen(digits);
  snprintf(out, NUMBER_SIZE, "%s%s", value < 0 && !shows_zero ? "−" : "", digits);
}

void format_number(char out[NUMBER_SIZE], double value, int decimals) {
  if (value == 0 || (fabs(value) < 1e7 && decimals <= 7)) {
    format_fixed(out, value, value == 0 && decimals > 7 ? 0 : decimals);
    return;
  }
  char digits[NUMBER_SIZE / 2];
  snprintf(digits, sizeof digits, "%.2e", fabs(value));
  const size_t mantissa = strcspn(digits, "e");
  snprintf(out, NUMBER_SIZE, "%s%.*s", value < 0 ? "−" : "", (int)mantissa, digits);
  append_exponent(out, NUMBER_SIZE, atoi(digits + mantissa + 1));
}

/* --- axes ----------------------------------------------------------------------------------------------------- */

/* The nearest of 1, 2, 5 and 10 times a power of ten, as ratios go. */
static double round_step(double step) {
  const double power = pow(10, floor(log10(step)));
  const double ratio = step / power;
  return power * (ratio < 1.42 ? 1 : ratio < 3.17 ? 2 : ratio < 7.08 ? 5 : 10);
}

axis axis_over(const range *r, int ticks, double least_step) {
  axis a = {.low = r->low, .high = r->high};
  const double largest = fmax(fabs(a.low), fabs(a.high));
  /* Values that are all the same, or apart by no more than rounding, get a range of their own size. */
  if (a.high - a.low <= 1e-9 * largest || largest < 1e-290) {
    const double half = largest < 1e-290 ? 1 : 0.05 * largest;
    a.low -= half;
    a.high += half;
  }
  const double room = 0.05 * (a.high - a.low);
  a.low -= room;
  a.high += room;
  a.step = fmax(round_step((a.high - a.low) / ticks), least_step);
  const int size = (int)floor(log10(fmax(fabs(a.low), fabs(a.high))));
  a.exponent = size < -3 || size > 4 ? size : 0;
  const int finest = (int)floor(log10(a.step) + 1e-9) - a.exponent;
  a.decimals = finest < 0 ? -finest : 0;
  return a;
}

double axis_at(const axis *a, double value, double from, double to) {
  return from + (value - a->low) / (a->high - a->low) * (to - from);
}

void axis_name(const axis *a, const char *name, char *out, size_t out_size) {
  snprintf(out, out_size, "%s", name);
  if (a->exponent == 0) return;
  snprintf(out, out_size, "%s (", name);
  append_exponent(out, out_size, a->exponent);
  const size_t length = strlen(out);
  snprintf(out + length, out_size - length, ")");
}

/* Ticks are the multiples first, first + 1, ... last of the step; as doubles, so that none overflows. */
static double first_tick(const axis *a) { return ceil(a->low / a->step - 1e-9); }
static double last_tick(const axis *a) { return floor(a->high / a->step + 1e-9); }

static void tick_label(const axis *a, double multiple, char out[NUMBER_SIZE]) {
  format_fixed(out, multiple * (a->step / pow(10, a->exponent)), a->decimals);
}

static double widest_label(canvas *c, const axis *a) {
  double widest = 0;
  for (double k = first_tick(a); k <= last_tick(a); k++) {
    char label[NUMBER_SIZE];
    tick_label(a, k, label);
    widest = fmax(widest, text_width(c, &small_style, label));
  }
  return widest;
}

double panel_x(const panel *p, double value) { return axis_at(&p->across, value, p->x, p->x + p->width); }
double panel_y(const panel *p, double value) { return axis_at(&p->up, value, p->y + p->height, p->y); }

double panel_labels_width(canvas *c, const panel *p) { return widest_label(c, &p->up) + TICK_GAP; }

void draw_across_axis(canvas *c, const panel *p, const char *name) {
  const double bottom = p->y + p->height;
  const double spacing = panel_x(p, p->across.step) - panel_x(p, 0);
  const double every = ceil((widest_label(c, &p->across) + 12) / spacing); /* wide labels would touch */
  for (double k = first_tick(&p->across); k <= last_tick(&p->across); k++) {
    const double x = panel_x(p, k * p->across.step);
    char label[NUMBER_SIZE];
    tick_label(&p->across, k, label);
    draw_line(c, x, p->y, x, bottom, 0.75, &grid_ink);
    if (fmod(k, every) == 0) draw_text(c, &small_style, MIDDLE, x, bottom + TICK_GAP + 6, label);
  }
  draw_line(c, p->x, bottom, p->x + p->width, bottom, 1, &faint_ink);
  char heading[256];
  axis_name(&p->across, name, heading, sizeof heading);
  draw_text(c, &label_style, MIDDLE, p->x + p->width / 2, bottom + TICK_GAP + 25, heading);
}

void draw_up_axis(canvas *c, const panel *p) {
  for (double k = first_tick(&p->up); k <= last_tick(&p->up); k++) {
    const double y = panel_y(p, k * p->up.step);
    char label[NUMBER_SIZE];
    tick_label(&p->up, k, label);
    draw_line(c, p->x, y, p->x + p->width, y, 0.75, &grid_ink);
    draw_text(c, &small_style, RIGHT, p->x - TICK_GAP, y, label);
  }
  draw_line(c, p->x, p->y, p->x, p->y + p->height, 1, &faint_ink);
}

fovea_status canvas_finish(canvas *c, fovea_status status, const char *title, const char *path) {
  enum { LONGEST_TITLE = 1200 }; /* points; a longer one is shortened */
  if (status == FOVEA_OK) {
    char shown[512];
    shorten(c, &title_style, LONGEST_TITLE, title, shown, sizeof shown);
    canvas_title(c, shown);
    status = canvas_save(c, path);
  }
  canvas_close(c);
  return status;
}
