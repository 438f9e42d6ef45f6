/* What the plots have in common: a page that grows with what is drawn on it, text that can be measured, axes with
 * round ticks, a legend, and one palette. Lengths are in points of the page; the PNG has two pixels a point. */
#ifndef FOVEA_TOOLS_DRAW_CANVAS_H
#define FOVEA_TOOLS_DRAW_CANVAS_H

#include <cairo.h>
#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

typedef struct rgb {
  double r, g, b;
} rgb;

/* Petroff's ten colours, chosen to stay apart under every common colour-vision deficiency (arXiv:2107.02270). */
enum { BLUE, ORANGE, RED, GREY, PURPLE, BROWN, VERMILION, TAN, SLATE, CYAN, PALETTE_SIZE };
extern const rgb palette[PALETTE_SIZE];
extern const rgb ink, faint_ink, grid_ink, paper;

typedef struct text_style {
  double size;
  bool bold;
  const rgb *colour;
} text_style;

extern const text_style title_style, heading_style, label_style, small_style;

/* The page is a recording: nothing drawn on it is ever clipped, and saving it trims it to its ink and a margin. */
typedef struct canvas {
  cairo_surface_t *recording;
  cairo_t *cr;
  locale_t plain, callers; /* numbers have a point whatever the caller's locale; restored by canvas_close */
} canvas;

fovea_status canvas_open(canvas *c);
void canvas_close(canvas *c);
/* Centres `title` above all that is drawn so far. */
void canvas_title(canvas *c, const char *title);
/* What every plot ends with: its title, and its file if nothing failed; closes the canvas. */
fovea_status canvas_finish(canvas *c, fovea_status status, const char *title, const char *path);
/* FOVEA_INVALID if a text was not UTF-8 or the page is too large for a PNG, FOVEA_NO_MEMORY, FOVEA_IO. */
fovea_status canvas_save(canvas *c, const char *path);

typedef enum anchor { LEFT, MIDDLE, RIGHT } anchor;

double text_width(canvas *c, const text_style *style, const char *text);
/* (x, y) is the anchor of the line, halfway up its capitals. */
void draw_text(canvas *c, const text_style *style, anchor where, double x, double y, const char *text);
/* `text`, ending in an ellipsis if it is wider than `width`. */
void shorten(canvas *c, const text_style *style, double width, const char *text, char *out, size_t out_size);

void set_colour(canvas *c, const rgb *colour, double opacity);
void draw_line(canvas *c, double x0, double y0, double x1, double y1, double thickness, const rgb *colour);
void draw_dot(canvas *c, double x, double y, double radius, const rgb *colour, double opacity);

/* The values to show. Starts as NO_RANGE; a value that cannot be plotted leaves it alone. */
typedef struct range {
  double low, high;
} range;

#define NO_RANGE \
  (range) { 1, -1 }
bool can_plot(double value); /* finite, and differences between two such values are too */
void range_add(range *r, double value);
bool range_is_empty(const range *r);

enum { NUMBER_SIZE = 64 };

typedef struct axis {
  double low, high, step;
  int exponent; /* labels are values / 10^exponent, which the heading states: 0 for everyday values */
  int decimals;
} axis;

/* Room for `r` and a little more, with about `ticks` ticks whose step is 1, 2 or 5 times a power of ten, and no less
 * than `least_step`. */
axis axis_over(const range *r, int ticks, double least_step);
double axis_at(const axis *a, double value, double from, double to);
/* "name", or "name (×10⁶)" where the labels are scaled. */
void axis_name(const axis *a, const char *name, char *out, size_t out_size);
/* A number as people write it: a true minus sign, and powers of ten instead of e-07. */
void format_number(char out[NUMBER_SIZE], double value, int decimals);

typedef struct panel {
  double x, y, width, height; /* of the plotting area */
  axis across, up;
} panel;

double panel_x(const panel *p, double value);
double panel_y(const panel *p, double value);
/* How far the labels of the vertical axis reach to the left of the plotting area. */
double panel_labels_width(canvas *c, const panel *p);
void draw_across_axis(canvas *c, const panel *p, const char *name);
void draw_up_axis(canvas *c, const panel *p);

typedef struct legend_entry {
  const char *text;
  const rgb *colour;
  enum { DOT_KEY, LINE_KEY, DASHED_KEY } key;
} legend_entry;

extern const double dash[2];

/* A column of entries with its top left corner at (x, y). */
void draw_legend(canvas *c, double x, double y, const legend_entry *entries, size_t count);

#endif
