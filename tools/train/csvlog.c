#include "train/csvlog.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/file.h"

static const size_t largest_log = (size_t)1 << 28;

static size_t commas(const char *line) {
  size_t count = 0;
  for (; *line != '\0'; line++) count += *line == ',';
  return count;
}

/* The header that `line` is; header_count when it is none of them. */
static size_t find_header(const char *line, const char *const *headers, size_t header_count) {
  size_t i = 0;
  while (i < header_count && strcmp(line, headers[i]) != 0) i++;
  return i;
}

/* Cuts log->text into lines; the header is checked and not among them. */
static fovea_status cut(const char *path, const char *const *headers, size_t header_count, csvlog *log) {
  size_t newlines = 0;
  for (const char *s = log->text; *s != '\0'; s++) newlines += *s == '\n';
  log->lines = calloc(newlines + 1, sizeof *log->lines);
  if (log->lines == NULL) return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for %zu lines", path, newlines);
  bool first = true;
  char *end, *line = log->text;
  for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    if (first) log->header = find_header(line, headers, header_count);
    if (log->header == header_count)
      return fovea_fail(FOVEA_INVALID,
                        "%s: begins with '%.100s', expected '%s'; move it away, or choose another folder", path, line,
                        headers[0]);
    if (!first && commas(line) == commas(headers[log->header]))
      log->lines[log->count++] = line;
    else if (!first && *line != '\0')
      log->damaged++;
    first = false;
  }
  log->damaged += *line != '\0';
  return FOVEA_OK;
}

fovea_status csvlog_read(const char *path, const char *const *headers, size_t header_count, csvlog *log) {
  struct stat about;
  *log = (csvlog){0};
  if (stat(path, &about) != 0) return FOVEA_OK;
  uint8_t *data = NULL;
  size_t size = 0;
  fovea_status status = fovea_file_read(path, largest_log, &data, &size);
  if (status != FOVEA_OK) return status;
  csvlog read = {.text = (char *)data};
  status = cut(path, headers, header_count, &read);
  if (status == FOVEA_OK)
    *log = read;
  else
    csvlog_free(&read);
  return status;
}

fovea_status csvlog_write(const char *path, const char *header, const csvlog *log) {
  fovea_file *file = NULL;
  fovea_status status = fovea_file_begin(path, &file);
  if (status != FOVEA_OK) return status;
  status = fovea_file_put(file, header, strlen(header));
  if (status == FOVEA_OK) status = fovea_file_put(file, "\n", 1);
  for (size_t i = 0; i < log->count && status == FOVEA_OK; i++) {
    status = fovea_file_put(file, log->lines[i], strlen(log->lines[i]));
    if (status == FOVEA_OK) status = fovea_file_put(file, "\n", 1);
  }
  if (status == FOVEA_OK) return fovea_file_commit(file);
  fovea_file_abandon(file);
  return status;
}

fovea_status csvlog_add(csvlog *log, const char *line) {
  char **lines = realloc(log->lines, (log->count + 1) * sizeof *lines);
  if (lines != NULL) {
    log->lines = lines;
    lines[log->count] = strdup(line);
  }
  if (lines == NULL || lines[log->count] == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a line of a log");
  log->count++;
  return FOVEA_OK;
}

void csvlog_free(csvlog *log) {
  for (size_t i = 0; i < log->count && log->text == NULL; i++) free(log->lines[i]);
  free(log->text);
  free(log->lines);
  *log = (csvlog){0};
}

const char *csvlog_field(const char *line, size_t index, char *out, size_t size) {
  for (; index > 0 && *line != '\0'; line++) index -= *line == ',';
  size_t n = strcspn(line, ",");
  if (n > size - 1) n = size - 1;
  memcpy(out, line, n);
  out[n] = '\0';
  return out;
}

const char *csvlog_number(double value, char out[CSVLOG_NUMBER]) {
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(out, CSVLOG_NUMBER, "%.*g", digits, value);
    if (strtod(out, NULL) == value) break;
  }
  return out;
}
