#include "experiment/beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "reach/shard.h"
#include "train/identity.h"

/* A plan of what `text`, a config.json, asks for. */
static fovea_status make_plan(const char *dir, const char *text, beside *b) {
  run_options options = run_options_default();
  json_t *config = json_loads(text, 0, NULL);
  fovea_status status = config ? recover_request(config, &b->request, b->texts) : FOVEA_OK;
  json_decref(config);
  if (!status && b->request.factors) status = run_config_parse(dir, text, &options, NULL);
  if (!status && b->request.factors) status = factors_make(&b->request, &options, &b->plan);
  return status;
}

/* The sweep's own baselines come after the first levels, so that they count. */
static fovea_status list_first(beside *b) {
  fovea_text text = {0};
  fovea_text_add(&text, b->plan.first);
  if (b->request.baselines) fovea_text_print(&text, "%s%s", text.size > 0 ? "," : "", b->request.baselines);
  fovea_status status = text.failed     ? fovea_fail(FOVEA_NO_MEMORY, "no memory for the baselines of a sweep")
                        : text.size > 0 ? list_split("--baseline", text.bytes, &b->first)
                                        : FOVEA_OK;
  free(text.bytes);
  return status;
}

fovea_status beside_read(const char *path, beside *b) {
  const char *slash = strrchr(path, '/');
  char dir[RUN_PATH], *text = NULL;
  *b = (beside){.request = {.seeds = 1}};
  snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
  fovea_status status = run_config_read(dir, &text);
  if (!status && text) status = make_plan(dir, text, b);
  free(text);
  if (status) {
    free(b->plan.configs);
    b->plan = (factors_plan){.configs = NULL};
  }
  if (!status && b->plan.count > 0) status = list_first(b);
  return status == FOVEA_NO_MEMORY ? status : FOVEA_OK;
}

void beside_free(beside *b) {
  for (size_t i = 0; i < RECOVER_TEXTS; i++) free(b->texts[i]);
  free(b->plan.configs);
  list_free(&b->first);
  *b = (beside){0};
}

size_t beside_count(const beside *b, const char *part) {
  shard of;
  size_t count = 0;
  if (shard_parse(part, &of)) return 0;
  for (size_t i = 0; i < b->plan.count; i++) count += shard_has(&of, i);
  return count;
}

/* Those that failed.csv has; the sentence says where they are. */
static size_t tell_failed(remarks *said) {
  const char *slash = strrchr(said->path, '/');
  char path[RUN_PATH];
  fovea_table *failed = NULL;
  struct stat is;
  snprintf(path, sizeof path, "%.*sfailed.csv", slash ? (int)(slash - said->path) + 1 : 0, said->path);
  const bool there = stat(path, &is) == 0 && fovea_table_read(path, &failed) == FOVEA_OK;
  const size_t rows = there ? failed->rows : 0;
  if (there)
    remarks_tell(said, "%s has %zu configuration%s no result here, and why", path, rows,
                 rows == 1 ? " that has" : "s that have");
  fovea_table_destroy(failed);
  return rows;
}

void beside_tell(const beside *b, size_t rows, remarks *said) {
  char part[FACTORS_PART];
  const factors_request *r = &b->request;
  const size_t failed = tell_failed(said);
  if (b->plan.count == 0) {
    if (r->fraction && strcmp(r->fraction, "1/1") != 0)
      remarks_tell(said,
                   "the sweep is a part, by --fraction %s; its regression.txt says which effects cannot be told apart",
                   r->fraction);
    if (r->random > 0) remarks_tell(said, "the sweep is a part, by --random %lld", r->random);
    return;
  }
  if (rows + failed < b->plan.count)
    remarks_tell(said, "the sweep has %zu configurations, of which this table has %zu", b->plan.count, rows);
  factors_say_part(r, &b->plan, part);
  if (part[0]) remarks_tell(said, "%s", part);
  remarks_tell_lines(said, b->plan.aliases);
}
