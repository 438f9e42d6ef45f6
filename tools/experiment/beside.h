/* What lies beside a sweep's results.csv: config.json, which says what was asked for, and failed.csv. */
#ifndef FOVEA_TOOLS_EXPERIMENT_BESIDE_H
#define FOVEA_TOOLS_EXPERIMENT_BESIDE_H

#include "experiment/lists.h"
#include "experiment/recover.h"
#include "experiment/remarks.h"

typedef struct beside {
  char *texts[RECOVER_TEXTS];
  factors_request request; /* as it was, as far as config.json says so */
  factors_plan plan;       /* what that asks for; without configurations where it cannot be told */
  list first;              /* "activation=relu", ...: first levels, and the sweep's own baselines after them */
} beside;

/* Reads what the folder of the table at `path` has; *b is to be freed, also on failure. A folder without a sweep's
 * config.json, or with one that does not fit, leaves it without a plan. FOVEA_NO_MEMORY. */
fovea_status beside_read(const char *path, beside *b);
void beside_free(beside *b);

/* How many configurations the plan has, or the shard `part` of it, where that is not NULL; 0 without a plan. */
size_t beside_count(const beside *b, const char *part);

/* Tells who failed, what is missing, and that the sweep is a part, of a table with that many rows. */
void beside_tell(const beside *b, size_t rows, remarks *said);

#endif
