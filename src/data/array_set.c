/* An array of images, and one of labels, as a source. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/source.h"

enum { CHUNK = 4096, MOST_LABEL = 65535 };

/* ---- what the numbers mean -------------------------------------------------------------------------------------- */

/* A stored number x is the byte (x - black) * scale, rounded, and cut off at 0 and 255. */
typedef struct range {
  double least, most;
  bool whole;
} range;

/* Goes through all numbers of an array that are no bytes. */
static fovea_status find_range(const fovea_array_place *place, range *r) {
  fovea_array a;
  uint8_t stored[CHUNK * 8];
  double values[CHUNK];
  *r = (range){HUGE_VAL, -HUGE_VAL, true};
  fovea_status status = fovea_array_open(place, &a);
  if (status != FOVEA_OK) return status;
  for (size_t done = 0; done < a.count && status == FOVEA_OK;) {
    const size_t n = a.count - done < CHUNK ? a.count - done : CHUNK;
    status = fovea_array_read(&a, n, stored);
    if (status != FOVEA_OK) break;
    fovea_array_convert(&a, stored, n, values);
    for (size_t i = 0; i < n && status == FOVEA_OK; i++) {
      if (!isfinite(values[i]))
        status = fovea_fail(FOVEA_INVALID, "%s: number %zu is %g; pixels are finite", a.name, done + i + 1, values[i]);
      r->least = fmin(r->least, values[i]);
      r->most = fmax(r->most, values[i]);
      r->whole = r->whole && values[i] == floor(values[i]);
    }
    done += n;
  }
  if (status == FOVEA_OK) status = fovea_array_end(&a);
  fovea_array_close(&a);
  return status;
}

/* The largest of an array of bytes; where that is more than 1 the first such. */
static fovea_status find_largest(const fovea_array_place *place, uint8_t *largest) {
  fovea_array a;
  uint8_t stored[CHUNK];
  *largest = 0;
  fovea_status status = fovea_array_open(place, &a);
  if (status != FOVEA_OK) return status;
  for (size_t done = 0; done < a.count && *largest <= 1 && status == FOVEA_OK; done += CHUNK) {
    const size_t n = a.count - done < CHUNK ? a.count - done : CHUNK;
    status = fovea_array_read(&a, n, stored);
    for (size_t i = 0; i < n && *largest <= 1 && status == FOVEA_OK; i++)
      *largest = stored[i] > *largest ? stored[i] : *largest;
  }
  fovea_array_close(&a);
  return status;
}

/* Bytes are taken as they are, unless they are 0 and 1, which would be black. */
static fovea_status scale_of_bytes(const fovea_array_place *place, const fovea_array *a, fovea_data_report *report,
                                   double *scale) {
  uint8_t largest = 1;
  fovea_status status = a->boolean ? FOVEA_OK : find_largest(place, &largest);
  if (status != FOVEA_OK || largest != 1) return status;
  *scale = 255;
  return fovea_report_remark(
      report,
      a->boolean ? "%s: False and True are taken as 0 and 255" : "%s: bytes of 0 and 1 alone are taken as 0 and 255",
      a->name);
}

/* The end of the least range of so many bits that holds the number. */
static double white_of(double most) {
  double white = 255;
  while (white < most) white = 2 * white + 1;
  return white;
}

static fovea_status scale_asked(const fovea_array *a, const double asked[2], const range *r, fovea_data_report *report,
                                double *scale) {
  const bool outside = r->least < asked[0] || r->most > asked[1];
  *scale = 255 / (asked[1] - asked[0]);
  return fovea_report_remark(report, "%s: numbers from %g to %g: %g to %g of them become 0 to 255 (--range)%s", a->name,
                             r->least, r->most, asked[0], asked[1], outside ? ", what is outside is cut off" : "");
}

static fovea_status scale_of_16_bits(const fovea_array *a, const range *r, fovea_data_report *report, double *scale) {
  enum { DARK = 1 << 14 }; /* a quarter of what 16 bits hold */
  char dark[128] = "";
  *scale = 1.0 / 257;
  if (r->most < DARK)
    snprintf(dark, sizeof dark, ": the images are dark; --range 0:%g makes that their white", white_of(r->most));
  return fovea_report_remark(report, "%s: 16-bit numbers up to %g are taken as 0 to 65535, divided by 257%s", a->name,
                             r->most, dark);
}

/* What makes bytes of the numbers: the range that is asked for, else 255 of 0 .. 1, 1 / 257 of 16 bits, else 1. */
static fovea_status find_scale(const fovea_array_place *place, const fovea_array *a, const double asked[2],
                               fovea_data_report *report, double *scale) {
  range r;
  *scale = 1;
  if (asked[0] != asked[1]) {
    const fovea_status found = find_range(place, &r);
    return found == FOVEA_OK ? scale_asked(a, asked, &r, report, scale) : found;
  }
  if (a->size == 1 && a->type == 'u') return scale_of_bytes(place, a, report, scale);
  fovea_status status = find_range(place, &r);
  if (status != FOVEA_OK) return status;
  if (a->type == 'f' && r.least >= 0 && r.most <= 1) {
    *scale = 255;
    return fovea_report_remark(report, "%s: floats from %g to %g are taken as 0 to 1, times 255", a->name, r.least,
                               r.most);
  }
  if (a->size == 2 && a->type == 'u' && r.most > 255) return scale_of_16_bits(a, &r, report, scale);
  if (r.least < 0 || r.most > 255)
    return fovea_fail(FOVEA_INVALID,
                      "%s: numbers from %g to %g; pixels are 0 to 255, or floats from 0 to 1: --range %g:%g or another "
                      "says what is black and white",
                      a->name, r.least, r.most, r.least, r.least < 0 || a->type == 'f' ? r.most : white_of(r.most));
  if (a->type == 'f' || !r.whole)
    return fovea_report_remark(report, "%s: floats from %g to %g are taken as 0 to 255%s", a->name, r.least, r.most,
                               r.whole ? "" : ", rounded");
  return FOVEA_OK;
}

/* After the last number; what follows the whole data is said. */
static fovea_status end(fovea_array *a, fovea_data_report *report) {
  fovea_status status = fovea_array_end(a);
  if (status != FOVEA_OK || a->stream.trailing == NULL || !a->stream.trailing(a->stream.of)) return status;
  return fovea_report_remark(report, "%s has bytes after its gzip data, which are not used", a->name);
}

/* ---- labels ----------------------------------------------------------------------------------------------------- */

/* The class of one row of numbers; MOST_LABEL + 1 of what is none. */
static uint32_t class_of(const double *row, size_t columns, bool first_column) {
  uint32_t hot = MOST_LABEL + 1;
  if (columns == 1 || first_column)
    return row[0] >= 0 && row[0] <= MOST_LABEL && row[0] == floor(row[0]) ? (uint32_t)row[0] : hot;
  for (size_t i = 0; i < columns; i++) {
    if (row[i] != 0 && row[i] != 1) return MOST_LABEL + 1;
    if (row[i] == 1 && hot <= MOST_LABEL) return MOST_LABEL + 1;
    if (row[i] == 1) hot = (uint32_t)i;
  }
  return hot;
}

static fovea_status read_rows(fovea_array *a, bool first_column, fovea_data_report *report, uint16_t *labels) {
  const size_t columns = a->item;
  uint8_t *stored = malloc(columns * a->size);
  double *row = malloc(columns * sizeof *row);
  fovea_status status =
      stored == NULL || row == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory for the labels of %s", a->name) : FOVEA_OK;
  for (size_t i = 0; i < a->dims[0] && status == FOVEA_OK; i++) {
    status = fovea_array_read(a, columns, stored);
    if (status != FOVEA_OK) break;
    fovea_array_convert(a, stored, columns, row);
    const uint32_t label = class_of(row, columns, first_column);
    if (label <= MOST_LABEL)
      labels[i] = (uint16_t)label;
    else if (columns == 1 || first_column)
      status = fovea_fail(FOVEA_INVALID, "%s: label %zu is %g; labels are whole numbers from 0 to %d", a->name, i + 1,
                          row[0], MOST_LABEL);
    else
      status = fovea_fail(FOVEA_INVALID,
                          "%s: row %zu of its %zu columns has not one 1 among zeros; one class an image is "
                          "expected",
                          a->name, i + 1, columns);
  }
  if (status == FOVEA_OK) status = end(a, report);
  free(stored);
  free(row);
  return status;
}

/* Shapes (n), (n, 1), of IDX files (n, columns), and one-hot (n, classes). */
static fovea_status check_labels(const fovea_array *a, const fovea_array *images, bool *first_column,
                                 fovea_data_report *report) {
  *first_column = a->rank == 2 && a->item > 1 && a->big_endian && a->type == 'i';
  if (a->rank > 2 || a->item > MOST_LABEL)
    return fovea_fail(FOVEA_INVALID, "%s has %d dimensions, %zu numbers a label; labels are one number an image",
                      a->name, a->rank, a->item);
  if (a->dims[0] != images->dims[0])
    return fovea_fail(FOVEA_INVALID, "%s has %zu labels, but %s has %zu images", a->name, a->dims[0], images->name,
                      images->dims[0]);
  if (a->fortran && a->item > 1)
    return fovea_fail(FOVEA_INVALID, "%s is in Fortran order; save numpy.ascontiguousarray of it", a->name);
  if (*first_column)
    return fovea_report_remark(
        report, "%s has %zu columns: the first is the class, as QMNIST's, the others are not used", a->name, a->item);
  if (a->item > 1)
    return fovea_report_remark(report, "%s has %zu columns: taken as one-hot, the column of the 1 is the class",
                               a->name, a->item);
  return FOVEA_OK;
}

static fovea_status read_labels(const fovea_array_place *place, const fovea_array *images, fovea_data_report *report,
                                uint16_t **labels) {
  fovea_array a;
  bool first_column;
  fovea_status status = fovea_array_open(place, &a);
  if (status != FOVEA_OK) return status;
  status = check_labels(&a, images, &first_column, report);
  if (status == FOVEA_OK && (*labels = malloc(a.dims[0] * sizeof **labels)) == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", a.dims[0]);
  if (status == FOVEA_OK) status = read_rows(&a, first_column, report, *labels);
  fovea_array_close(&a);
  return status;
}

/* ---- images ----------------------------------------------------------------------------------------------------- */

typedef struct images {
  fovea_array array;
  fovea_data_report *report;
  fovea_shape shape;
  double black, scale;
  size_t next;     /* image */
  uint8_t *stored; /* an image, or all of them in Fortran order */
  uint8_t *bytes;  /* an image as stored, as bytes */
  double *values;
} images;

static void images_close(void *of) {
  images *m = of;
  fovea_array_close(&m->array);
  free(m->stored);
  free(m->bytes);
  free(m->values);
  free(m);
}

/* Gathers image `n` of an array whose first index is the fastest: number (n, i, j, k) is at n + N (i + I (j + J k)). */
static void gather(const images *m, size_t n, uint8_t *item) {
  const fovea_array *a = &m->array;
  for (size_t e = 0; e < a->item; e++) {
    size_t rest = e, place = 0, stride = a->item;
    for (int i = 1; i < a->rank; i++) { /* e in C order to its index, to the place in Fortran order */
      stride /= a->dims[i];
      size_t of = rest / stride, step = 1;
      rest %= stride;
      for (int k = 1; k < i; k++) step *= a->dims[k];
      place += of * step;
    }
    memcpy(item + e * a->size, m->stored + (n + a->dims[0] * place) * a->size, a->size);
  }
}

static fovea_status next_item(images *m, uint8_t **item) {
  fovea_array *a = &m->array;
  *item = m->stored;
  if (!a->fortran) return fovea_array_read(a, a->item, m->stored);
  fovea_status status = m->next == 0 ? fovea_array_read(a, a->count, m->stored) : FOVEA_OK;
  *item = m->stored + a->count * a->size; /* room for one after them */
  if (status == FOVEA_OK) gather(m, m->next, *item);
  return status;
}

/* Whether the numbers are the pixels as they are stored. */
static bool as_stored(const images *m) {
  return m->array.size == 1 && m->array.type == 'u' && m->scale == 1 && m->black == 0;
}

static void to_bytes(images *m, const uint8_t *item) {
  const fovea_array *a = &m->array;
  fovea_array_convert(a, item, a->item, m->values);
  for (size_t i = 0; i < a->item; i++)
    m->bytes[i] = (uint8_t)fmin(255, fmax(0, (m->values[i] - m->black) * m->scale + 0.5));
}

static fovea_status images_next(void *of, uint8_t *pixels) {
  images *m = of;
  uint8_t *item;
  if (pixels == NULL) return end(&m->array, m->report);
  fovea_status status = next_item(m, &item);
  m->next++;
  if (status != FOVEA_OK) return status;
  const bool bytes = as_stored(m);
  if (!bytes) to_bytes(m, item);
  const uint8_t *from = bytes ? item : m->bytes;
  if (!m->shape.transposed && (!m->shape.channels_last || m->shape.channels == 1))
    memcpy(pixels, from, m->array.item);
  else
    for (size_t i = 0; i < m->array.item; i++) pixels[i] = from[fovea_shape_place(&m->shape, i)];
  return FOVEA_OK;
}

/* One picture is no array of images, each a column of it. */
static fovea_status refuse_one_picture(const fovea_array *a) {
  enum { SMALLEST = 16 };
  if (a->rank != 3 || (a->dims[2] != 3 && a->dims[2] != 4) || a->dims[0] < SMALLEST || a->dims[1] < SMALLEST)
    return FOVEA_OK;
  return fovea_fail(
      FOVEA_INVALID,
      "%s is %zu x %zu x %zu, which would be %zu images of %zux%zu: if it is one picture, save x[None] with "
      "a first axis of images; if it is not, x[..., None] with a last one of channels",
      a->name, a->dims[0], a->dims[1], a->dims[2], a->dims[0], a->dims[1], a->dims[2]);
}

static fovea_status allocate(images *m) {
  const fovea_array *a = &m->array;
  m->stored = malloc((a->item + (a->fortran ? a->count : 0)) * a->size);
  m->bytes = malloc(a->item);
  m->values = as_stored(m) ? NULL : malloc(a->item * sizeof *m->values);
  const bool all = m->stored != NULL && m->bytes != NULL && (m->values != NULL || as_stored(m));
  return all ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for an image of %zu numbers of %s", a->item, a->name);
}

static fovea_status open_images(const fovea_array_place *place, const fovea_load_options *options,
                                fovea_data_report *report, images *m) {
  fovea_array *a = &m->array;
  fovea_status status = fovea_array_open(place, a);
  if (status == FOVEA_OK && a->rank < 2)
    status = fovea_fail(FOVEA_INVALID, "%s has one dimension; images have 2 to 4", a->name);
  if (status == FOVEA_OK && place->kind == FOVEA_ARRAY_IDX && a->rank < 3)
    status = fovea_fail(FOVEA_INVALID, "%s has rank %d; images in IDX files have rank 3 or 4", a->name, a->rank);
  if (status == FOVEA_OK && a->dims[0] > UINT32_MAX)
    status = fovea_fail(FOVEA_INVALID, "%s has %zu images, at most 2^32 - 1 are expected", a->name, a->dims[0]);
  if (status == FOVEA_OK) status = fovea_shape_find(a->name, a->dims + 1, a->rank - 1, options, report, &m->shape);
  if (status == FOVEA_OK) status = find_scale(place, a, options->range, report, &m->scale);
  m->black = options->range[0] != options->range[1] ? options->range[0] : 0;
  return status == FOVEA_OK ? allocate(m) : status;
}

fovea_status fovea_array_source(const fovea_array_pair *pair, const fovea_load_options *options,
                                fovea_data_report *report, fovea_source *source) {
  images *m = calloc(1, sizeof *m);
  *source = (fovea_source){.of = m, .next = images_next, .close = images_close};
  if (m == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", pair->images.path);
  m->report = report;
  fovea_status status = open_images(&pair->images, options, report, m);
  if (status == FOVEA_OK && pair->labels.path == NULL) status = refuse_one_picture(&m->array);
  if (status == FOVEA_OK && pair->labels.path != NULL)
    status = read_labels(&pair->labels, &m->array, report, &source->labels);
  source->count = m->array.dims[0];
  source->channels = m->shape.channels;
  source->height = m->shape.height;
  source->width = m->shape.width;
  if (status != FOVEA_OK) fovea_source_close(source);
  return status;
}

void fovea_source_close(fovea_source *source) {
  if (source->of != NULL) source->close(source->of);
  free(source->labels);
  fovea_names_free(&source->classes);
  *source = (fovea_source){.count = 0};
}
