/* Export beyond the public one. */
#ifndef FOVEA_EXPORT_ONNX_H
#define FOVEA_EXPORT_ONNX_H

#include "fovea/onnx.h"

/* fovea_onnx_export of a file that may be of before files had a graph: `otherwise` (may be NULL) is the graph then. */
fovea_status fovea_onnx_export_or(const char *checkpoint, const fovea_graph *otherwise, const char *path,
                                  const fovea_onnx_options *options, fovea_onnx_summary *summary);

#endif
