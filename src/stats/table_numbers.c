/* Numbers as people write them: 1.234,5 and 1,234.5 and 1'234. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/table.h"

/* What stands between the groups of three digits, 0: nothing, and before the fraction. */
typedef struct style {
  char group, decimal;
} style;

static const style styles[] = {{0, '.'}, {',', '.'}, {'\'', '.'}, {' ', '.'},
                               {0, ','}, {'.', ','}, {'\'', ','}, {' ', ','}};
enum { STYLES = sizeof styles / sizeof *styles, PLAIN = 0, LISTED = 8 };

static size_t digits_at(const char *s) { return strspn(s, "0123456789"); }

/* Where the digits before the fraction end; NULL: they are not grouped as `group` says. */
static const char *skip_whole(const char *s, char group) {
  size_t count = digits_at(s);
  const bool grouped = group && count > 0 && s[count] == group;
  if (!grouped) return s + count;
  if (count > 3 || *s == '0') return NULL; /* thousands do not begin with 0 */
  for (s += count; *s == group; s += 4)
    if (digits_at(s + 1) < 3) return NULL; /* a fourth would end the number */
  return s;
}

/* Whether the cell is a number of that style. */
static bool fits(const char *s, style how) {
  s += *s == '+' || *s == '-';
  const char *end = skip_whole(s, how.group);
  if (!end) return false;
  size_t digits = (size_t)(end - s);
  if (*end == how.decimal) {
    const size_t fraction = digits_at(end + 1);
    end += 1 + fraction, digits += fraction;
  }
  if (digits == 0) return false;
  if (*end == 'e' || *end == 'E') {
    end += 1 + (end[1] == '+' || end[1] == '-');
    if (digits_at(end) == 0) return false;
    end += digits_at(end);
  }
  return *end == 0;
}

/* Replaces `from`, wherever it stands in the text, by one byte; whether it did. */
static bool replace(char *text, const char *from, char by) {
  char *at = strstr(text, from);
  const bool found = at != NULL;
  for (const size_t size = strlen(from); at; at = strstr(at, from)) {
    *at++ = by;
    memmove(at, at + size - 1, strlen(at + size - 1) + 1);
  }
  return found;
}

/* Writes a number's blanks that do not break, as French and German programs put them between thousands, and its minus
 * as ASCII has them; what is no number then stays as it is. */
static void write_plainly(char *cell) {
  char plain[64];
  if (strlen(cell) >= sizeof plain || !strpbrk(cell, "\xc2\xe2")) return;
  snprintf(plain, sizeof plain, "%s", cell);
  bool any = replace(plain, "\xc2\xa0", ' ');
  any |= replace(plain, "\xe2\x80\xaf", ' ');
  any |= replace(plain, "\xe2\x80\x89", ' ');
  any |= replace(plain, "\xe2\x88\x92", '-');
  for (unsigned k = 0; any && k < STYLES; k++)
    if (fits(plain, styles[k])) {
      memcpy(cell, plain, strlen(plain) + 1);
      return;
    }
}

static unsigned with_decimal(unsigned all, char decimal) {
  for (unsigned k = 0; k < STYLES; k++)
    if (styles[k].decimal != decimal) all &= ~(1U << k);
  return all;
}

/* The styles that every cell of the column fits, as bits. A plain number fits all with a point, and all where it has
 * none. */
static unsigned styles_of(const fovea_table *t, size_t column) {
  unsigned all = (1U << STYLES) - 1;
  for (size_t i = 0; i < t->rows && all; i++) {
    const char *cell = t->cells[i * t->columns + column];
    const bool plain = fits(cell, styles[PLAIN]);
    if ((plain && !strchr(cell, '.')) || (!plain && fovea_table_is_missing(cell))) continue;
    for (unsigned k = 0, left = plain ? with_decimal(all, ',') : all; k < STYLES; k++)
      if (left >> k & 1 && !fits(cell, styles[k])) all &= ~(1U << k);
  }
  return all;
}

static const char *first_with(const fovea_table *t, size_t column, const char *characters, size_t *line) {
  for (size_t i = 0; i < t->rows; i++) {
    const char *cell = t->cells[i * t->columns + column];
    if (fovea_table_is_missing(cell) || !strpbrk(cell, characters)) continue;
    *line = t->lines[i];
    return cell;
  }
  return NULL;
}

static void rewrite(fovea_table *t, size_t column, style how) {
  for (size_t i = 0; i < t->rows; i++) {
    char *to = t->cells[i * t->columns + column];
    if (fovea_table_is_missing(to)) continue;
    for (const char *from = to; *from; from++) {
      if (how.group && *from == how.group) continue;
      *to = *from;
      if (*to == how.decimal) *to = '.';
      to++;
    }
    *to = 0;
  }
}

/* The first of the styles; plain numbers come first, then thousands. */
static unsigned first_of(unsigned all) {
  unsigned k = 0;
  while (k < STYLES && !(all >> k & 1)) k++;
  return k;
}

/* Names in a note: a few of them. */
typedef struct names {
  char text[200];
  size_t count;
} names;

static void add_name(names *n, const char *name) {
  const size_t used = strlen(n->text);
  if (n->count < LISTED && used + 40 < sizeof n->text)
    snprintf(n->text + used, sizeof n->text - used, "%s%.30s", n->count ? ", " : "", name);
  n->count++;
}

static fovea_status say(fovea_table *t, const names *n, const char *what) {
  if (n->count == 0) return FOVEA_OK;
  return fovea_table_note(t, "%s in %zu column%s: %s%s", what, n->count, n->count == 1 ? "" : "s", n->text,
                          n->count > LISTED ? ", ..." : "");
}

/* The decimal comma, where a column can have nothing else; 0: no column can. */
static char find_decimal(const fovea_table *t, const unsigned *of_columns) {
  for (size_t j = 0; j < t->columns; j++)
    if (with_decimal(of_columns[j], ',') && !with_decimal(of_columns[j], '.')) return ',';
  return 0;
}

/* Whether a column has points that can be nothing but decimal points. */
static bool has_points(const fovea_table *t, const unsigned *of_columns) {
  for (size_t j = 0; j < t->columns; j++)
    if (with_decimal(of_columns[j], '.') && !with_decimal(of_columns[j], ',')) return true;
  return false;
}

/* Whether the column's points, read as decimal points, may separate thousands, as far as its cells tell. */
static bool may_be_thousands(unsigned all) {
  const unsigned comma = first_of(with_decimal(all, ','));
  return (all >> PLAIN & 1) && comma < STYLES && styles[comma].group;
}

/* The style in which the column is read; of words, which fit none, PLAIN. `usual`: the decimal sign of the table where
 * a cell alone leaves it open, 0: not known. */
static fovea_status choose(const char *path, const fovea_table *t, size_t column, unsigned all, char asked, char usual,
                           unsigned *chosen) {
  const unsigned point = first_of(with_decimal(all, '.')), comma = first_of(with_decimal(all, ','));
  const bool open = point < STYLES && comma < STYLES && styles[point].group != styles[comma].group;
  const unsigned by_comma = comma < STYLES ? comma : point, by_point = point < STYLES ? point : comma;
  size_t line = 0;
  *chosen = !all ? PLAIN : open && (asked ? asked : usual) == ',' ? by_comma : by_point;
  if (asked && all && !with_decimal(all, asked)) {
    const char *cell = first_with(t, column, asked == ',' ? "." : ",", &line);
    return fovea_fail(FOVEA_INVALID, "%s: line %zu, column %s: \"%s\" is no number with a decimal %s", path, line,
                      t->names[column], cell, asked == ',' ? "comma" : "point");
  }
  if (asked || !open || (point == PLAIN ? usual != ',' : usual != 0)) return FOVEA_OK;
  const char *cell = first_with(t, column, ",.", &line);
  return fovea_fail(FOVEA_INVALID,
                    "%s: line %zu, column %s: \"%s\" may have a decimal %s or separate thousands; say which by "
                    "--decimal , or --decimal .",
                    path, line, t->names[column], cell, strchr(cell, ',') ? "comma" : "point");
}

fovea_status fovea_table_normalize_numbers(const char *path, fovea_table *t, char separator, char decimal, bool ascii) {
  names thousands = {.count = 0}, commas = {.count = 0}, points = {.count = 0};
  unsigned *of_columns = malloc(t->columns * sizeof *of_columns);
  if (!of_columns) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory for %zu columns", t->columns);
  for (size_t i = 0; i < t->rows * t->columns && !ascii; i++) write_plainly(t->cells[i]);
  for (size_t j = 0; j < t->columns; j++) of_columns[j] = styles_of(t, j);
  char usual = find_decimal(t, of_columns);
  if (!usual && separator == ',') usual = '.';
  const bool guessed = !decimal && !usual && !has_points(t, of_columns);
  fovea_status status = FOVEA_OK;
  for (size_t j = 0; j < t->columns && !status; j++) {
    size_t line = 0;
    unsigned k = PLAIN;
    status = choose(path, t, j, of_columns[j], decimal, usual, &k);
    if (!status && guessed && may_be_thousands(of_columns[j])) add_name(&points, t->names[j]);
    if (status || k == PLAIN) continue;
    if (styles[k].group) add_name(&thousands, t->names[j]);
    if (styles[k].decimal == ',' && first_with(t, j, ",", &line)) add_name(&commas, t->names[j]);
    rewrite(t, j, styles[k]);
  }
  free(of_columns);
  if (!status) status = say(t, &thousands, "thousands separators are left out");
  if (!status) status = say(t, &commas, "a decimal comma is read");
  if (!status) status = say(t, &points, "points are taken as decimal points (--decimal , if they separate thousands)");
  return status;
}
