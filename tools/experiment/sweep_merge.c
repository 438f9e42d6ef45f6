/* The shards of a sweep, each in its own folder, as one sweep. */
#define _DEFAULT_SOURCE /* realpath */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "experiment/recover.h"
#include "experiment/results.h"
#include "experiment/sweep.h"
#include "train/identity.h"

typedef struct part {
  const char *folder;
  json_t *config;
  shard shard;
  int lock;
} part;

/* --- what the folders say of themselves --------------------------------------------------------------------------- */

static fovea_status read_part(const char *folder, part *p) {
  char *text = NULL;
  fovea_status status = run_exists(folder) ? recover_sweep(folder, &text)
                                           : fovea_fail(FOVEA_IO, "--merge: %s: there is no such folder", folder);
  if (status == FOVEA_OK && text != NULL) p->config = json_loads(text, 0, NULL);
  free(text);
  if (status != FOVEA_OK) return status;
  const char *of = json_string_value(json_object_get(p->config, "shard"));
  if (of == NULL || shard_parse(of, &p->shard) != FOVEA_OK || p->shard.count == 0)
    return fovea_fail(FOVEA_INVALID, "--merge: %s is not the folder of a shard, which fovea sweep --shard makes",
                      folder);
  return FOVEA_OK;
}

/* What is joined goes to a folder of its own, which no sweep has filled. */
static fovea_status check_out(const char *out, const part *parts, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (output_same_file(out, parts[i].folder))
      return fovea_fail(FOVEA_INVALID,
                        "--merge: --out %s is one of the shards; give a folder of its own for what they "
                        "are together",
                        out);
  fovea_status status = run_exists(out) ? run_refuse_leftovers(out) : FOVEA_OK;
  if (status != FOVEA_INVALID) return status;
  return fovea_fail(
      FOVEA_INVALID,
      "--merge: %s has results of an earlier run already; choose another folder for --out, or remove it to merge anew",
      out);
}

/* The first key in which two shards differ that may not, or NULL. */
static const char *difference(const json_t *a, const json_t *b) {
  static const char *const own[] = {"shard", "run", "data", "init", "device", "driver", "show"};
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)a, key, value) {
    bool may = false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) may = may || strcmp(key, own[i]) == 0;
    if (!may && !json_equal(value, json_object_get(b, key))) return key;
  }
  return NULL;
}

static fovea_status compare(const part *a, const part *b) {
  const char *key = difference(a->config, b->config);
  if (key == NULL) key = difference(b->config, a->config);
  if (key == NULL && a->shard.count == b->shard.count) return FOVEA_OK;
  if (key == NULL)
    return fovea_fail(FOVEA_INVALID, "--merge: %s is one of %zu shards, and %s one of %zu", a->folder, a->shard.count,
                      b->folder, b->shard.count);
  char *was = json_dumps(json_object_get(a->config, key), JSON_ENCODE_ANY | JSON_COMPACT);
  char *is = json_dumps(json_object_get(b->config, key), JSON_ENCODE_ANY | JSON_COMPACT);
  fovea_status status = fovea_fail(FOVEA_INVALID, "--merge: %s and %s are not of one sweep: %s is %s and %s", a->folder,
                                   b->folder, key, was != NULL ? was : "not there", is != NULL ? is : "not there");
  free(was);
  free(is);
  return status;
}

/* "2/8, 5/8": those that nobody brought. */
static fovea_status check_all_there(const part *parts, size_t count) {
  const size_t of = parts[0].shard.count;
  char names[256] = "";
  size_t missing = 0, used = 0;
  for (size_t index = 1; index <= of; index++) {
    const part *found = NULL;
    for (size_t i = 0; i < count; i++) {
      if (parts[i].shard.index != index) continue;
      if (found != NULL)
        return fovea_fail(FOVEA_INVALID, "--merge: %s and %s are both shard %zu/%zu", found->folder, parts[i].folder,
                          index, of);
      found = &parts[i];
    }
    if (found != NULL) continue;
    if (missing++ < 8)
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%zu/%zu", used > 0 ? ", " : "", index, of);
  }
  if (missing == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "--merge: of %zu shards these are missing: %s%s", of, names,
                    missing > 8 ? " and others" : "");
}

/* --- the sweep that they are ------------------------------------------------------------------------------------- */

static int whole(const json_t *config, const char *key) {
  return (int)json_integer_value(json_object_get(config, key));
}

/* Sets without images: what a run's name is made of. */
static void describe_data(const json_t *config, fovea_dataset sets[2], run_data *data) {
  for (int i = 0; i < 2; i++)
    sets[i] = (fovea_dataset){
        .count = (size_t)json_integer_value(json_object_get(config, i == 0 ? "train_images" : "test_images")),
        .channels = whole(config, "channels"),
        .height = whole(config, "height"),
        .width = whole(config, "width")};
  *data = (run_data){&sets[0], &sets[1], identity_hash(config, "train_hash"), identity_hash(config, "test_hash")};
}

/* --baseline is given anew, or that of the shards. */
static fovea_status recall(sweep *s, const part *first) {
  const char *baselines = s->request.baselines, *data = json_string_value(json_object_get(first->config, "data"));
  char *text = run_config_text(first->config);
  fovea_status status = text != NULL ? sweep_recall_text(s, first->folder, text)
                                     : fovea_fail(FOVEA_NO_MEMORY, "no memory to read %s", first->folder);
  if (baselines != NULL) s->request.baselines = baselines;
  s->options.data = data != NULL ? data : "";
  s->options.init = json_string_value(json_object_get(first->config, "init"));
  free(text);
  return status == FOVEA_OK ? factors_make(&s->request, &s->options, &s->plan) : status;
}

/* --- their tables ------------------------------------------------------------------------------------------------ */

typedef struct tables {
  csvlog results, failures;
} tables;

static fovea_status add_lines(csvlog *to, const csvlog *from) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < from->count && status == FOVEA_OK; i++) status = csvlog_add(to, from->lines[i]);
  return status;
}

static fovea_status check_complete(const sweep *s, const part *p) {
  size_t open = 0, first = 0;
  for (size_t i = s->plan.count; i-- > 0;)
    if (!s->plan.configs[i].done) open++, first = i;
  if (open == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "--merge: %s has no result of %zu of its %zu configurations, such as %s; go on in it with --resume "
                    "(shard %zu/%zu)",
                    p->folder, open, s->plan.count, s->plan.configs[first].name, p->shard.index, p->shard.count);
}

/* As the shard's own sweep reads them: what is of another shard or run is refused. */
static fovea_status read_tables(const sweep *all, const part *p, tables *t) {
  sweep s = {.plan = all->plan, .shard = p->shard};
  csvlog results = {0}, failures = {0};
  fovea_status status = run_path(p->folder, "results.csv", s.results);
  if (status == FOVEA_OK) status = run_path(p->folder, "failed.csv", s.failures);
  s.plan.configs = malloc(all->plan.count * sizeof *s.plan.configs);
  if (status == FOVEA_OK && s.plan.configs == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu configurations", all->plan.count);
  s.plan.count = 0;
  for (size_t i = 0; i < all->plan.count && status == FOVEA_OK; i++)
    if (shard_has(&p->shard, i)) s.plan.configs[s.plan.count++] = all->plan.configs[i];
  if (status == FOVEA_OK) status = sweep_read_tables(&s, &results, &failures);
  if (status == FOVEA_OK) status = results_check_folders(s.results, &results, &s.plan, p->folder);
  if (status == FOVEA_OK) status = check_complete(&s, p);
  if (status == FOVEA_OK) status = add_lines(&t->results, &results);
  if (status == FOVEA_OK) status = add_lines(&t->failures, &failures);
  csvlog_free(&results);
  csvlog_free(&failures);
  free(s.plan.configs);
  return status;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

/* The networks stay where they were trained: a page finds them there. */
static fovea_status name_shards(const char *out, const part *parts, size_t count) {
  json_t *folders = json_array();
  for (size_t i = 0; i < count; i++) {
    char *real = realpath(parts[i].folder, NULL);
    json_array_append_new(folders, json_said(real != NULL ? real : parts[i].folder));
    free(real);
  }
  return run_config_add(out, "shards", folders);
}

static fovea_status write_folder(sweep *s, const part *parts, size_t count, tables *t) {
  const part *first = &parts[0];
  fovea_device_info device = {.index = 0};
  const char *name = json_string_value(json_object_get(first->config, "device"));
  const char *driver = json_string_value(json_object_get(first->config, "driver"));
  snprintf(device.name, sizeof device.name, "%s", name != NULL ? name : "");
  snprintf(device.driver, sizeof device.driver, "%s", driver != NULL ? driver : "");
  fovea_status status = sweep_take_folder(s);
  if (status == FOVEA_OK) status = sweep_write_config(s, &device);
  if (status == FOVEA_OK) status = name_shards(s->options.out, parts, count);
  if (status != FOVEA_OK) return status;
  results_sort(&s->plan, &t->results);
  results_sort(&s->plan, &t->failures);
  return sweep_write_tables(s, &t->results, &t->failures);
}

/* What the sweep's end knows of its configurations. */
static fovea_status mark(sweep *s) {
  csvlog results = {0}, failures = {0};
  const fovea_status status = sweep_read_tables(s, &results, &failures);
  csvlog_free(&results);
  csvlog_free(&failures);
  return status;
}

static fovea_status join(sweep *s, const part *parts, size_t count) {
  fovea_dataset sets[2];
  tables t = {.results = {0}};
  fovea_status status = recall(s, &parts[0]);
  describe_data(parts[0].config, sets, &s->data);
  s->shard = (shard){0};
  s->unsharded = s->plan.count;
  if (status == FOVEA_OK) status = sweep_name(s);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) status = read_tables(s, &parts[i], &t);
  if (status == FOVEA_OK) status = write_folder(s, parts, count, &t);
  if (status == FOVEA_OK) status = mark(s);
  if (status == FOVEA_OK) {
    progress_tell(
        "fovea: %zu shards are joined in %s: %zu configurations, of which %zu failed; checkpoints, curves and pictures "
        "stay in the shards' folders, where fovea report finds them",
        count, s->options.out, s->plan.count, s->failed);
    sweep_announce_result(s);
    status = sweep_conclude(s);
  }
  s->data = (run_data){0};
  csvlog_free(&t.results);
  csvlog_free(&t.failures);
  run_unlock(s->lock);
  return status;
}

fovea_status sweep_merge(sweep *s, const char *const *folders, size_t count) {
  fovea_status status = FOVEA_OK;
  if (count == 0) return fovea_fail(FOVEA_INVALID, "--merge: the folders of the shards are missing");
  part *parts = calloc(count, sizeof *parts);
  if (parts == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu shards", count);
  for (size_t i = 0; i < count; i++) parts[i] = (part){.folder = folders[i], .lock = -1};
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) status = read_part(folders[i], &parts[i]);
  for (size_t i = 1; i < count && status == FOVEA_OK; i++) status = compare(&parts[0], &parts[i]);
  if (status == FOVEA_OK) status = check_all_there(parts, count);
  if (status == FOVEA_OK) status = check_out(s->options.out, parts, count);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) /* while one trains in it, it is not complete */
    status = run_lock(folders[i], &parts[i].lock);
  if (status == FOVEA_OK) status = join(s, parts, count);
  for (size_t i = 0; i < count; i++) {
    json_decref(parts[i].config);
    run_unlock(parts[i].lock);
  }
  free(parts);
  return status;
}
