/* The public functions of a library that was built without protobuf-c or ONNX's description of its files. */
#include "export/onnx.h"

#include "base/fail.h"

bool fovea_onnx_built_in(void) { return false; }

static fovea_status refuse(void) {
  return fovea_fail(FOVEA_INVALID,
                    "this build of fovea has no export to ONNX: it was made without protobuf-c or onnx.proto (Debian's "
                    "protobuf-c-compiler, libprotobuf-c-dev and libonnx-dev)");
}

fovea_status fovea_onnx_export_or(const char *checkpoint, const fovea_graph *otherwise, const char *path,
                                  const fovea_onnx_options *options, fovea_onnx_summary *summary) {
  (void)checkpoint, (void)otherwise, (void)path, (void)options, (void)summary;
  return refuse();
}

fovea_status fovea_onnx_export(const char *checkpoint, const char *path, const fovea_onnx_options *options,
                               fovea_onnx_summary *summary) {
  (void)options, (void)summary;
  if (!checkpoint || !path) return fovea_fail_null(checkpoint ? "path" : "checkpoint");
  return refuse();
}

fovea_status fovea_network_export_onnx(fovea_network *network, const char *path, const fovea_onnx_options *options,
                                       fovea_onnx_summary *summary) {
  (void)options, (void)summary;
  if (!network || !path) return fovea_fail_null(network ? "path" : "network");
  return refuse();
}
