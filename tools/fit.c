#include "fit.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/fail.h"
#include "plots.h"
#include "stats/notes.h"

fovea_status fit_plot(const char *path, const fovea_ols *ols) {
  plot_coefficient *rows = malloc(ols->k * sizeof *rows);
  if (!rows) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a plot of %zu coefficients", ols->k);
  for (size_t i = 0; i < ols->k; i++)
    rows[i] = (plot_coefficient){.name = ols->names[i],
                                 .value = ols->coefficients[i],
                                 .low = ols->low[i],
                                 .high = ols->high[i],
                                 .p = ols->p_values[i]};
  char title[200];
  snprintf(title, sizeof title, "%.150s: coefficients and 95%% intervals", ols->response);
  fovea_status status = plot_coefficients(path, title, rows, ols->k);
  free(rows);
  return status;
}

/* What the summary has as a note, for whoever reads no summary. */
static void say_aliases(const char *path, const fovea_ols *ols) {
  char text[FOVEA_ALIASES_SIZE];
  if (ols->alias_count == 0) return;
  fovea_ols_list_aliases(ols, text);
  fprintf(stderr, "fovea: %s: %zu of %zu columns %s aliased and without an estimate: %s\n", path, ols->alias_count,
          ols->k, ols->alias_count == 1 ? "is" : "are", text);
}

fovea_status fit_file(const char *path, const fovea_design_options *options, fovea_ols **ols) {
  fovea_table *table = NULL;
  fovea_design *design = NULL;
  fovea_status status = fovea_table_read(path, &table);
  if (!status) {
    status = fovea_design_from_table(table, options, &design);
    if (!status)
      status = fovea_ols_fit(design->y, design->x, design->n, design->k, design->response,
                             (const char *const *)design->names, ols);
    if (status) fovea_fail_in(status, "%s", path);
    if (!status) say_aliases(path, *ols);
  }
  fovea_design_destroy(design);
  fovea_table_destroy(table);
  return status;
}
