/* From a graph's nodes to ONNX's. */
#ifndef FOVEA_EXPORT_TRANSLATE_H
#define FOVEA_EXPORT_TRANSLATE_H

#include "export/model.h"
#include "export/network.h"

/* Puts the part's nodes, constants, inputs and outputs into the model. FOVEA_INVALID, naming it, for an op that ONNX is
 * not told here. */
fovea_status fovea_export_translate(fovea_export *e, int opset, fovea_onnx_model *model);

#endif
