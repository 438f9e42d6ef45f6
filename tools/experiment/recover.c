#include "experiment/recover.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "train/identity.h"

/* The sweep that one configuration's config.json names, when it does, in *found. */
static fovea_status recover_from(const char *dir, const char *name, json_t **found) {
  char path[RUN_PATH], *text = NULL;
  fovea_status status = run_path(dir, name, path);
  if (status == FOVEA_OK) status = run_config_read(path, &text);
  json_error_t error = {.text = ""};
  json_t *config = status == FOVEA_OK && text != NULL ? json_loads(text, 0, &error) : NULL;
  if (status == FOVEA_OK && text != NULL && config == NULL && error.text[0] == '\0')
    status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for the configuration of %s", dir, name);
  json_t *whole = json_object_get(config, "sweep");
  if (whole != NULL && *found != NULL && !json_equal(whole, *found))
    status = fovea_fail(FOVEA_INVALID, "%s: %s is of another sweep than the folders beside it", dir, name);
  else if (whole != NULL && *found == NULL)
    *found = json_incref(whole);
  json_decref(config);
  free(text);
  return status;
}

static bool is_folder(const char *dir, const char *name) {
  char path[RUN_PATH];
  struct stat about;
  return run_path(dir, name, path) == FOVEA_OK && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static fovea_status recover_config(const char *dir, char **text) {
  json_t *found = NULL;
  fovea_status status = FOVEA_OK;
  DIR *folder = opendir(dir);
  if (folder == NULL) return errno == ENOENT ? FOVEA_OK : fovea_fail(FOVEA_IO, "%s: %s", dir, strerror(errno));
  errno = 0;
  for (const struct dirent *entry; status == FOVEA_OK && (entry = readdir(folder)) != NULL; errno = 0) {
    if (entry->d_name[0] != '.' && strchr(entry->d_name, '-') != NULL && is_folder(dir, entry->d_name))
      status = recover_from(dir, entry->d_name, &found);
  }
  if (status == FOVEA_OK && errno != 0) status = fovea_fail(FOVEA_IO, "%s: %s", dir, strerror(errno));
  closedir(folder);
  if (status == FOVEA_OK && found != NULL) {
    *text = run_config_text(found);
    if (*text == NULL) status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its configuration", dir);
  }
  json_decref(found);
  return status;
}

fovea_status recover_sweep(const char *dir, char **text) {
  char results[RUN_PATH], failures[RUN_PATH];
  fovea_status status = run_config_read(dir, text);
  if (status != FOVEA_OK || *text != NULL) return status;
  status = recover_config(dir, text);
  if (status != FOVEA_OK || *text != NULL) return status;
  status = run_path(dir, "results.csv", results);
  if (status == FOVEA_OK) status = run_path(dir, "failed.csv", failures);
  if (status == FOVEA_OK && (run_exists(results) || run_exists(failures)))
    status = fovea_fail(FOVEA_INVALID,
                        "%s has results but no config.json, and no configuration's folder proves its settings; put it "
                        "back or choose another folder",
                        dir);
  return status;
}

static bool recall_text(const json_t *config, const char *name, char **copy, const char **text) {
  const char *value = json_string_value(json_object_get(config, name));
  if (value != NULL) *text = *copy = strdup(value);
  return value == NULL || *copy != NULL;
}

fovea_status recover_request(const json_t *config, factors_request *request, char *texts[RECOVER_TEXTS]) {
  const json_int_t seeds = json_integer_value(json_object_get(config, "seeds"));
  const json_int_t some = json_integer_value(json_object_get(config, "random"));
  if (seeds > 0 && seeds <= 1000) request->seeds = seeds;
  if (some > 0) request->random = some;
  if (recall_text(config, "factors", &texts[0], &request->factors) &&
      recall_text(config, "fraction", &texts[1], &request->fraction) &&
      recall_text(config, "baseline", &texts[2], &request->baselines))
    return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for the factors of a sweep");
}
