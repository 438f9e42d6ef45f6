#include "train/lines.h"

#include <string.h>

#include "cli/json.h"
#include "cli/signals.h"
#include "fovea/fovea.h"

void lines_start(const run_options *o, const run_data *data, const fovea_vae *vae, const fovea_device_info *device,
                 int epochs_done) {
  if (!json_logs()) return;
  json_log("start", json_pack("{s:s,s:s,s:s,s:o,s:I,s:I,s:I,s:I,s:I,s:i,s:b}", "command", "train", "version",
                              FOVEA_VERSION, "run", o->out, "device", json_said(device->name), "parameters",
                              (json_int_t)fovea_vae_parameter_count(vae), "memory",
                              (json_int_t)fovea_network_memory(vae->network), "train_images",
                              (json_int_t)data->train->count, "test_images", (json_int_t)data->test->count, "epochs",
                              (json_int_t)o->epochs, "epochs_done", epochs_done, "resumed", o->resume));
}

void lines_epoch(const training_epoch *row, int epochs) {
  if (!json_logs()) return;
  metrics_value values[METRICS_VALUES];
  const size_t count = metrics_values(row, values);
  json_t *all = json_pack("{s:i,s:i}", "epoch", row->epoch, "epochs", epochs);
  for (size_t i = 0; i < count; i++) json_object_set_new(all, values[i].name, json_real(values[i].value));
  json_log("epoch", all);
}

void lines_wrote(bool checkpoint, const char *path, int epochs_done, size_t images_done) {
  if (!json_logs()) return;
  json_log(checkpoint ? "checkpoint" : "picture", json_pack("{s:s,s:i,s:I}", "path", path, "epochs_done", epochs_done,
                                                            "images_done", (json_int_t)images_done));
}

void lines_warning(const char *line) {
  static const char prefix[] = "fovea: ";
  if (!json_logs() || strncmp(line, prefix, sizeof prefix - 1) != 0) return; /* what is done is no warning */
  json_log("warning", json_pack("{s:o}", "message", json_said(line + sizeof prefix - 1)));
}

void lines_interrupt(void) {
  static bool told;
  if (!json_logs() || told || signals_received() == 0) return;
  told = true;
  json_log("interrupt", json_pack("{s:i}", "signal", signals_received()));
}
