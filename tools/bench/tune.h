/* `fovea bench --tune`. */
#ifndef FOVEA_TOOLS_BENCH_TUNE_H
#define FOVEA_TOOLS_BENCH_TUNE_H

#include <stdbool.h>

#include "fovea/status.h"

/* Measures the tiles that ops may use for the seed network's shapes, at this batch and image size, prints which are
 * faster than the ops' own, or has --json do so, and stores them (runtime/autotune.h). An interrupt ends the search;
 * what was found by then is confirmed and stored. FOVEA_MISMATCH, and nothing is stored, when a tile changed a result.
 */
fovea_status tune_run(const char *selector, int batch, int size, bool json);

#endif
