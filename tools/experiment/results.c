#include "experiment/results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"

/* Fields before and after the levels of the factors: config, ..., seed, test_loss, test_bce, test_kl, parameters, ...
 */
enum { LOSS = 6, SAME_FIELDS = 10, RUN = 12, FIELD = 256, LINE = 1024 };
_Static_assert((int)FIELD >= (int)FACTORS_NAME, "a configuration's name is a field");

/* Today's header, and the one of before runs had names. */
enum { HEADERS = 2 };
typedef char headers[HEADERS][FACTORS_COLUMNS + 100];

static void make_headers(const factors_plan *plan, headers of) {
  static const char rest[] = "test_loss,test_bce,test_kl,parameters,seconds,images_per_s";
  snprintf(of[0], sizeof of[0], "config,%s,%s,run", plan->header, rest);
  snprintf(of[1], sizeof of[1], "config,%s,%s", plan->header, rest);
}

fovea_status results_write(const char *path, const factors_plan *plan, const csvlog *kept) {
  headers of;
  make_headers(plan, of);
  return csvlog_write(path, of[0], kept);
}

fovea_status results_append(const char *path, const factors_config *c, const training_result *r) {
  char line[LINE], loss[CSVLOG_NUMBER], bce[CSVLOG_NUMBER], kl[CSVLOG_NUMBER];
  snprintf(line, sizeof line, "%s,%s,%s,%s,%s,%zu,%.3f,%.2f,%s", c->name, c->columns,
           csvlog_number(r->last.val_loss, loss), csvlog_number(r->last.val_bce, bce),
           csvlog_number(r->last.val_kl, kl), r->parameters, r->seconds, r->images_per_s, c->run);
  return fovea_file_append_line(path, line);
}

bool results_same_loss(const factors_plan *plan, const csvlog *kept, char loss[CSVLOG_NUMBER]) {
  char other[CSVLOG_NUMBER];
  csvlog_field(kept->lines[0], LOSS + plan->others, loss, CSVLOG_NUMBER);
  for (size_t i = 1; i < kept->count; i++)
    if (strcmp(csvlog_field(kept->lines[i], LOSS + plan->others, other, sizeof other), loss) != 0) return false;
  return true;
}

/* Whether two lines say the same but for the time that it took. */
static bool same_result(const factors_plan *plan, const char *a, const char *b) {
  char x[FIELD], y[FIELD];
  for (size_t i = 0; i < SAME_FIELDS + plan->others; i++) {
    if (strcmp(csvlog_field(a, i, x, sizeof x), csvlog_field(b, i, y, sizeof y)) != 0) return false;
  }
  return true;
}

/* The first line of the same configuration, which is `index` itself when there is none before it. */
static size_t first_of(const csvlog *log, size_t index) {
  char name[FIELD], other[FIELD];
  csvlog_field(log->lines[index], 0, name, sizeof name);
  size_t i = 0;
  while (i < index && strcmp(csvlog_field(log->lines[i], 0, other, sizeof other), name) != 0) i++;
  return i;
}

static factors_config *find_config(const factors_plan *plan, const char *name) {
  for (size_t i = 0; i < plan->count; i++)
    if (strcmp(plan->configs[i].name, name) == 0) return &plan->configs[i];
  return NULL;
}

/* The line as today's header wants it, added to `kept`; its configuration is marked. */
static fovea_status take_line(const char *path, const csvlog *log, size_t index, factors_plan *plan, csvlog *kept) {
  char name[FIELD], run[FIELD], line[LINE];
  const char *text = log->lines[index];
  csvlog_field(text, 0, name, sizeof name);
  csvlog_field(text, RUN + plan->others, run, sizeof run);
  factors_config *c = find_config(plan, name);
  if (c != NULL && log->header == 0 && run[0] != '\0' && strcmp(run, c->run) != 0)
    return fovea_fail(FOVEA_INVALID,
                      "%s: %s is of the run %s, and with these settings and data it is %s: another network; put the "
                      "right file back, or choose another folder",
                      path, name, run, c->run);
  if (c != NULL && (strncmp(text + strlen(name) + 1, c->columns, strlen(c->columns)) != 0 ||
                    text[strlen(name) + 1 + strlen(c->columns)] != ','))
    return fovea_fail(
        FOVEA_INVALID,
        "%s: line %zu is called %s, but its levels are not written so, %s: write --factors as they were (off is "
        "not 0), or put the right file back",
        path, index + 2, name, c->columns);
  if (c != NULL) c->done = true;
  if (log->header == 0) return csvlog_add(kept, text);
  snprintf(line, sizeof line, "%s,%s", text, c != NULL ? c->run : "");
  return csvlog_add(kept, line);
}

static fovea_status take_lines(const char *path, const csvlog *log, factors_plan *plan, csvlog *kept,
                               size_t *repeated) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < log->count && status == FOVEA_OK; i++) {
    const size_t first = first_of(log, i);
    if (first == i) {
      status = take_line(path, log, i, plan, kept);
    } else if (same_result(plan, log->lines[first], log->lines[i])) {
      ++*repeated;
    } else {
      char name[FIELD];
      status = fovea_fail(FOVEA_INVALID, "%s: lines %zu and %zu have different results of %s; remove the wrong one",
                          path, first + 2, i + 2, csvlog_field(log->lines[i], 0, name, sizeof name));
    }
  }
  return status;
}

/* They are complete or nearly so, and in order but for what several devices finished at a time. */
void results_sort(const factors_plan *plan, csvlog *log) {
  char name[FIELD];
  size_t sorted = 0;
  for (size_t c = 0; c < plan->count; c++) {
    size_t i = sorted;
    while (i < log->count && strcmp(csvlog_field(log->lines[i], 0, name, sizeof name), plan->configs[c].name) != 0) i++;
    if (i == log->count) continue;
    char *line = log->lines[i];
    memmove(log->lines + sorted + 1, log->lines + sorted, (i - sorted) * sizeof *log->lines);
    log->lines[sorted++] = line;
  }
}

fovea_status results_check_factors(const char *path, const factors_plan *plan) {
  static const char *const after_seed[] = {",seed,test_loss,", ",seed,reason"};
  char line[LINE] = "";
  FILE *file = fopen(path, "r");
  if (file == NULL) return FOVEA_OK;
  if (fgets(line, sizeof line, file) == NULL) line[0] = '\0';
  fclose(file);
  const char *rest = strstr(line, after_seed[0]);
  if (rest == NULL) rest = strstr(line, after_seed[1]);
  const size_t start = strlen("config,"), length = rest != NULL ? (size_t)(rest - line) : 0;
  const size_t now = strlen(plan->header) - strlen(",seed");
  if (strncmp(line, "config,", start) != 0 || length < start) return FOVEA_OK;
  if (length - start == now && strncmp(line + start, plan->header, now) == 0) return FOVEA_OK;
  return fovea_fail(
      FOVEA_INVALID,
      "%s has the factors %.*s, and these --factors make %.*s: a sweep that is resumed may have more levels "
      "and seeds, but neither more factors nor fewer; choose another folder, nothing was changed",
      path, (int)(length - start), line + start, (int)now, plan->header);
}

static void say_dropped(const char *path, size_t damaged, size_t repeated, void (*say)(const char *line)) {
  char line[LINE];
  if (damaged > 0) {
    snprintf(line, sizeof line, "fovea: %.800s: %zu torn or damaged lines are dropped", path, damaged);
    say(line);
  }
  if (repeated > 0) {
    snprintf(line, sizeof line, "fovea: %.800s: %zu repeated lines are dropped", path, repeated);
    say(line);
  }
}

fovea_status results_check_plan(const char *path, const csvlog *log, const factors_plan *plan) {
  char name[FIELD], first[FIELD] = "";
  size_t others = 0;
  for (size_t i = 0; i < log->count; i++) {
    csvlog_field(log->lines[i], 0, name, sizeof name);
    if (!find_config(plan, name) && others++ == 0) snprintf(first, sizeof first, "%s", name);
  }
  if (others == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "%s has %zu of its %zu configurations, such as %s, that these --factors, --seeds and --seed leave "
                    "out: a sweep that is resumed may grow, but not shrink, and a level keeps its word (dropout on is "
                    "not dropout 0.2); nothing was changed",
                    path, others, log->count, first);
}

fovea_status results_read(const char *path, factors_plan *plan, void (*say)(const char *line), csvlog *kept) {
  csvlog log = {0};
  headers of;
  size_t repeated = 0;
  if (!run_exists(path)) return FOVEA_OK;
  make_headers(plan, of);
  fovea_status status = csvlog_read(path, (const char *const[]){of[0], of[1]}, HEADERS, &log);
  if (status == FOVEA_OK) status = take_lines(path, &log, plan, kept, &repeated);
  if (status == FOVEA_OK) status = results_check_plan(path, kept, plan);
  if (status == FOVEA_OK) say_dropped(path, log.damaged, repeated, say);
  csvlog_free(&log);
  return status;
}

/* What the checkpoint has of the configuration, in *history, which the caller frees; NULL when there is none that can
 * be read, or it is of another run. */
static fovea_status history_of(const char *dir, const char *run, char **history) {
  char path[RUN_PATH], *text = NULL, of[IDENTITY_RUN] = "";
  *history = NULL;
  fovea_status status = run_path(dir, "checkpoint.safetensors", path);
  if (status != FOVEA_OK || !run_exists(path)) return status;
  status = run_config_of_checkpoint(path, &text, history);
  if (status != FOVEA_OK) return status == FOVEA_INVALID ? FOVEA_OK : status; /* damaged: it says nothing */
  json_t *config = json_loads(text, 0, NULL);
  if (config != NULL) status = identity_of_run(config, of);
  json_decref(config);
  free(text);
  if (status == FOVEA_OK && strcmp(of, run) == 0) return FOVEA_OK;
  free(*history);
  *history = NULL;
  return status;
}

/* The last epoch as the configuration's own folder has it; its epoch is 0 when it has none. */
static fovea_status last_epoch(const char *dir, const factors_config *c, training_epoch *last) {
  char path[RUN_PATH], *history = NULL;
  *last = (training_epoch){0};
  fovea_status status = history_of(dir, c->run, &history);
  if (status == FOVEA_OK) status = run_path(dir, "metrics.csv", path);
  const metrics_folder folder = {.path = path, .run = c->run, .history = history, .completed = (int)c->options.epochs};
  if (status == FOVEA_OK) status = metrics_find(&folder, last);
  free(history);
  return status;
}

static fovea_status check_folder(const char *path, const char *line, const factors_config *c, size_t others,
                                 const char *dir) {
  static const char *const names[] = {"test_loss", "test_bce", "test_kl"};
  training_epoch last;
  fovea_status status = last_epoch(dir, c, &last);
  if (status != FOVEA_OK || last.epoch == 0) return status;
  const double losses[] = {last.val_loss, last.val_bce, last.val_kl};
  for (size_t i = 0; i < 3; i++) {
    char field[FIELD];
    double value;
    csvlog_field(line, LOSS + others + i, field, sizeof field);
    if (options_read_float(field, -HUGE_VAL, HUGE_VAL, &value) && value == losses[i]) continue;
    return fovea_fail(FOVEA_INVALID,
                      "%s: %s has a %s of '%s', and its own folder %.17g; put the right file back, or remove the line, "
                      "which is then made anew; nothing was changed",
                      path, c->name, names[i], field, losses[i]);
  }
  return FOVEA_OK;
}

fovea_status results_check_folders(const char *path, const csvlog *kept, const factors_plan *plan, const char *out) {
  char name[FIELD], dir[RUN_PATH];
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < kept->count && status == FOVEA_OK; i++) {
    const factors_config *c = find_config(plan, csvlog_field(kept->lines[i], 0, name, sizeof name));
    if (c == NULL) continue;
    status = run_path(out, name, dir);
    if (status == FOVEA_OK && run_exists(dir)) status = check_folder(path, kept->lines[i], c, plan->others, dir);
  }
  return status;
}
