#include "train/metrics.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/options.h"
#include "train/csvlog.h"

static const char *const headers[] = {"epoch,loss,bce,kl,val_loss,val_bce,val_kl,images_per_s,run",
                                      "epoch,loss,bce,kl,val_loss,val_bce,val_kl,images_per_s"}; /* until 0.1 */
enum { HEADERS = sizeof headers / sizeof *headers, LOSSES = 6, RATE = LOSSES + 1, RUN, MOST_HISTORY = 10000 };
enum { LINE = (LOSSES + 2) * (CSVLOG_NUMBER + 1) + 32 };

static double *loss_of(training_epoch *row, int i) {
  switch (i) {
    case 0:
      return &row->loss;
    case 1:
      return &row->bce;
    case 2:
      return &row->kl;
    case 3:
      return &row->val_loss;
    case 4:
      return &row->val_bce;
    default:
      return &row->val_kl;
  }
}

static bool same_losses(const training_epoch *a, const training_epoch *b) {
  return a->loss == b->loss && a->bce == b->bce && a->kl == b->kl && a->val_loss == b->val_loss &&
         a->val_bce == b->val_bce && a->val_kl == b->val_kl;
}

size_t metrics_values(const training_epoch *row, metrics_value values[METRICS_VALUES]) {
  training_epoch copy = *row;
  const size_t count = row->images_per_s > 0 ? METRICS_VALUES : LOSSES;
  for (size_t i = 0; i < count; i++) {
    csvlog_field(headers[0], i + 1, values[i].name, METRICS_NAME);
    values[i].value = i < LOSSES ? *loss_of(&copy, (int)i) : row->images_per_s;
  }
  return count;
}

const char *metrics_expected(const char *line) {
  for (size_t i = 0; i < HEADERS; i++)
    if (strcmp(line, headers[i]) == 0) return NULL;
  return headers[0];
}

/* --- a line ------------------------------------------------------------------------------------------------------ */

static void format_row(const training_epoch *r, const char *run, char line[LINE]) {
  training_epoch copy = *r;
  char number[CSVLOG_NUMBER];
  size_t used = (size_t)snprintf(line, LINE, "%d", r->epoch);
  for (int i = 0; i < LOSSES; i++)
    used += (size_t)snprintf(line + used, LINE - used, ",%s", csvlog_number(*loss_of(&copy, i), number));
  const char *rate = r->images_per_s > 0 ? csvlog_number(r->images_per_s, number) : "";
  snprintf(line + used, LINE - used, ",%s,%s", rate, run);
}

fovea_status metrics_append(const char *path, const char *run, const training_epoch *row) {
  char line[LINE];
  format_row(row, run, line);
  return fovea_file_append_line(path, line);
}

bool metrics_read(const char *line, training_epoch *row) {
  char field[64];
  long long epoch;
  *row = (training_epoch){0};
  if (!options_read_int(csvlog_field(line, 0, field, sizeof field), 1, 1e6, &epoch)) return false;
  for (int i = 0; i < LOSSES; i++) {
    csvlog_field(line, (size_t)i + 1, field, sizeof field);
    if (!options_read_float(field, -HUGE_VAL, HUGE_VAL, loss_of(row, i))) return false;
  }
  row->epoch = (int)epoch;
  csvlog_field(line, RATE, field, sizeof field);
  return field[0] == '\0' || options_read_float(field, -HUGE_VAL, HUGE_VAL, &row->images_per_s);
}

/* --- the history ------------------------------------------------------------------------------------------------- */

/* [[epoch, loss, bce, kl, val_loss, val_bce, val_kl], ...], a text of the same bytes for the same numbers. */
char *metrics_history(const training_epoch *rows, int count) {
  const int first = count > MOST_HISTORY ? count - MOST_HISTORY : 0;
  const size_t size = (size_t)(count - first) * LINE + 3;
  char *text = malloc(size), number[CSVLOG_NUMBER];
  if (text == NULL) return NULL;
  size_t used = (size_t)snprintf(text, size, "[");
  for (int e = first; e < count; e++) {
    training_epoch row = rows[e];
    if (row.epoch == 0) continue;
    used += (size_t)snprintf(text + used, size - used, "%s[%d", used > 1 ? "," : "", row.epoch);
    for (int i = 0; i < LOSSES; i++)
      used += (size_t)snprintf(text + used, size - used, ",%s", csvlog_number(*loss_of(&row, i), number));
    used += (size_t)snprintf(text + used, size - used, "]");
  }
  snprintf(text + used, size - used, "]");
  return text;
}

/* Rows of a history that cannot be read are not known; a checkpoint's hash has vouched for it. */
static fovea_status read_history(const metrics_folder *f, training_epoch *rows) {
  json_error_t error = {.text = ""};
  json_t *list = f->history != NULL ? json_loads(f->history, 0, &error) : NULL, *item;
  if (list == NULL && f->history != NULL && error.text[0] == '\0')
    return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for the checkpoint's epochs", f->path);
  size_t at;
  json_array_foreach(list, at, item) {
    const json_int_t epoch = json_integer_value(json_array_get(item, 0));
    if (epoch < 1 || epoch > f->completed || json_array_size(item) != LOSSES + 1) continue;
    training_epoch *row = &rows[epoch - 1];
    row->epoch = (int)epoch;
    for (int i = 0; i < LOSSES; i++) *loss_of(row, i) = json_number_value(json_array_get(item, (size_t)i + 1));
  }
  json_decref(list);
  return FOVEA_OK;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

typedef struct counts {
  size_t damaged, repeated, later;
} counts;

__attribute__((format(printf, 2, 3))) static void say(const metrics_folder *f, const char *format, ...) {
  char line[1024];
  va_list rest;
  va_start(rest, format);
  vsnprintf(line, sizeof line, format, rest);
  va_end(rest);
  if (f->say != NULL) f->say(line);
}

/* Takes one line in; `listed` says of which epochs there was one. */
static fovea_status take_row(const metrics_folder *f, const training_epoch *row, bool *listed, training_epoch *rows,
                             counts *n) {
  training_epoch *known = &rows[row->epoch - 1];
  if (known->epoch != 0 && !same_losses(known, row))
    return fovea_fail(
        FOVEA_INVALID,
        "%s: epoch %d has a loss of %.9g where %s has %.9g: they are of different trainings; put the right "
        "file back or move it away, nothing was changed",
        f->path, row->epoch, row->loss, listed[row->epoch - 1] ? "another line" : "the checkpoint", known->loss);
  if (listed[row->epoch - 1])
    n->repeated++;
  else
    *known = *row;
  listed[row->epoch - 1] = true;
  return FOVEA_OK;
}

static fovea_status take_line(const metrics_folder *f, const csvlog *log, size_t index, bool *listed,
                              training_epoch *rows, int epochs, counts *n) {
  char run[32];
  training_epoch row;
  const char *line = log->lines[index];
  csvlog_field(line, RUN, run, sizeof run);
  const bool named = log->header == 0;
  if (named && strcmp(run, f->run) != 0)
    return fovea_fail(FOVEA_INVALID,
                      "%s: line %zu is of the run %s, and this is %s; put the right file back or move it away, nothing "
                      "was changed",
                      f->path, index + 2, run, f->run);
  if (!metrics_read(line, &row)) {
    n->damaged++;
    return FOVEA_OK;
  }
  if (row.epoch <= f->completed) return take_row(f, &row, listed, rows, n);
  if (!named && !f->same)
    return fovea_fail(FOVEA_INVALID,
                      "%s: epoch %d is later than the checkpoint, and nothing says of which run it is; move the file "
                      "away, or put config.json back",
                      f->path, row.epoch);
  if (row.epoch == f->completed + 1 && row.epoch <= epochs) rows[row.epoch - 1].images_per_s = row.images_per_s;
  n->later++;
  return FOVEA_OK;
}

/* Says what the file lacked of the completed epochs. */
static void say_missing(const metrics_folder *f, const bool *listed, const training_epoch *rows) {
  int rebuilt = 0, lost = 0;
  for (int e = 0; e < f->completed; e++) {
    rebuilt += !listed[e] && rows[e].epoch != 0;
    lost += rows[e].epoch == 0;
  }
  if (rebuilt > 0)
    say(f, "fovea: %s lacked %d of %d epochs; they are written anew from the checkpoint, without images_per_s", f->path,
        rebuilt, f->completed);
  if (lost > 0)
    say(f, "fovea: %s lacks %d of %d epochs, and the checkpoint does not have them; training goes on without", f->path,
        lost, f->completed);
}

static fovea_status write_rows(const metrics_folder *f, const training_epoch *rows) {
  csvlog log = {0};
  char line[LINE];
  fovea_status status = FOVEA_OK;
  for (int e = 0; e < f->completed && status == FOVEA_OK; e++) {
    if (rows[e].epoch == 0) continue;
    format_row(&rows[e], f->run, line);
    status = csvlog_add(&log, line);
  }
  if (status == FOVEA_OK) status = csvlog_write(f->path, headers[0], &log);
  csvlog_free(&log);
  return status;
}

static fovea_status read_rows(const metrics_folder *f, const csvlog *log, bool *listed, training_epoch *rows,
                              int epochs) {
  counts n = {.damaged = log->damaged};
  fovea_status status = read_history(f, rows);
  for (size_t i = 0; i < log->count && status == FOVEA_OK; i++) status = take_line(f, log, i, listed, rows, epochs, &n);
  if (status != FOVEA_OK) return status;
  if (n.damaged > 0) say(f, "fovea: %s: %zu torn or unreadable lines are dropped", f->path, n.damaged);
  if (n.repeated > 0) say(f, "fovea: %s: %zu repeated lines are dropped", f->path, n.repeated);
  if (n.later > 0)
    say(f, "fovea: %s: %zu lines of epochs after the checkpoint are dropped; they are done again", f->path, n.later);
  say_missing(f, listed, rows);
  return FOVEA_OK;
}

fovea_status metrics_restore(const metrics_folder *f, training_epoch *rows, int epochs) {
  csvlog log = {0};
  bool *listed = calloc((size_t)f->completed + 1, sizeof *listed);
  fovea_status status = listed != NULL ? csvlog_read(f->path, headers, HEADERS, &log)
                                       : fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its epochs", f->path);
  if (status == FOVEA_OK) status = read_rows(f, &log, listed, rows, epochs);
  if (status == FOVEA_OK) status = write_rows(f, rows);
  csvlog_free(&log);
  free(listed);
  return status;
}

static fovea_status find_line(const metrics_folder *f, training_epoch *row) {
  csvlog log = {0};
  char run[32];
  fovea_status status = csvlog_read(f->path, headers, 1, &log);
  for (size_t i = 0; i < log.count && row->epoch == 0; i++) {
    training_epoch read;
    const bool good = metrics_read(log.lines[i], &read) && read.epoch == f->completed;
    if (good && strcmp(csvlog_field(log.lines[i], RUN, run, sizeof run), f->run) == 0) *row = read;
  }
  csvlog_free(&log);
  return status == FOVEA_INVALID ? FOVEA_OK : status; /* a file of something else has no such line */
}

fovea_status metrics_find(const metrics_folder *f, training_epoch *row) {
  *row = (training_epoch){0};
  training_epoch *rows = calloc((size_t)f->completed, sizeof *rows);
  if (rows == NULL) return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its epochs", f->path);
  fovea_status status = read_history(f, rows);
  if (status == FOVEA_OK) *row = rows[f->completed - 1];
  free(rows);
  return status == FOVEA_OK && row->epoch == 0 ? find_line(f, row) : status;
}
