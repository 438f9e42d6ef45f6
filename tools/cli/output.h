/* Where results that have a name of their own go. */
#ifndef FOVEA_TOOLS_CLI_OUTPUT_H
#define FOVEA_TOOLS_CLI_OUTPUT_H

#include <stdbool.h>

#include "fovea/status.h"

/* FOVEA_INVALID when a file is there that is no PNG, no file of `fovea reconstruct --save`, no ONNX file or no report:
 * what is replaced is only what could have been made in its place, never images, a table, a checkpoint or another file
 * of a run. So is a name that ends as another kind of file does. Said before anything is computed. What is no regular
 * file is left to the writing. */
fovea_status output_check_png(const char *option, const char *path);
fovea_status output_check_tensors(const char *option, const char *path);
fovea_status output_check_onnx(const char *option, const char *path);
fovea_status output_check_report(const char *option, const char *path);

/* Whether both paths are of one file or folder, which need not be there yet. */
bool output_same_file(const char *a, const char *b);

#endif
