/* What is done with a table of any bytes: read, made a design in some ways, fitted and printed. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fovea/stats.h"
#include "fuzz/readers.h"

/* Larger ones are slow and no other. */
enum { MOST_CELLS = 1 << 12, MOST_ANALYZED = 6 };

static void fit(const fovea_design *design) {
  fovea_ols *ols = NULL;
  fovea_analysis *analysis = NULL;
  char *text = NULL;
  if (design->n * design->k > MOST_CELLS || fovea_ols_fit_design(design, NULL, &ols) != FOVEA_OK) return;
  if (fovea_ols_summary(ols, &text) != FOVEA_OK || strlen(text) == 0) abort();
  fovea_free(text);
  if (fovea_ols_json(ols, &text) != FOVEA_OK) abort();
  fovea_free(text);
  if (design->constant && design->k < MOST_ANALYZED && fovea_analyze(design, ols, NULL, &analysis) == FOVEA_OK) {
    if (fovea_analysis_text(analysis, ols, &text) != FOVEA_OK) abort();
    fovea_free(text);
  }
  fovea_analysis_destroy(analysis);
  fovea_ols_destroy(ols);
}

static void try_designs(const fovea_table *table) {
  const fovea_design_options all[] = {{.constant = true, .missing = FOVEA_MISSING_DROP},
                                      {.all_levels = true},
                                      {.categorical = (const char *const *)table->names, .categorical_count = 1}};
  for (size_t i = 0; i < table->rows * table->columns; i++)
    if (strlen(table->cells[i]) > (size_t)1 << 20) abort();
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    fovea_design *design = NULL;
    if (fovea_design_from_table(table, &all[i], &design) == FOVEA_OK) fit(design);
    fovea_design_destroy(design);
  }
}

void fuzz_table(const uint8_t *data, size_t size) {
  static const fovea_table_options all[] = {{0}, {.no_header = true, .decimal = ','}, {.separator = ' '}};
  char path[64];
  const int file = memfd_create("table", MFD_CLOEXEC);
  if (file < 0 || write(file, data, size) != (ssize_t)size) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    fovea_table *table = NULL;
    if (fovea_table_read_as(path, &all[i], &table) == FOVEA_OK) try_designs(table);
    fovea_table_destroy(table);
  }
  close(file);
}
