/* Opens a device and trains one step, by the installed library; says which library that was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train.h"

int main(void) {
  fovea_device *device = NULL;
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  fovea_losses losses;
  const fovea_network_options options = {.batch = IMAGES, .seed = 1, .training = true};
  fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &device);
  if (!status) status = fovea_graph_create(&graph);
  if (!status) status = build(graph);
  if (!status) status = fovea_network_create(device, graph, &options, &network);
  if (!status) status = train(network, &losses);
  if (status) {
    fprintf(stderr, "%s\n", fovea_error_message());
  } else {
    printf("fovea %s: a step of %zu images, loss %.17g\n", fovea_version(), losses.images, losses.total);
    if (losses.images != IMAGES || !(losses.total > 0) || strcmp(fovea_version(), FOVEA_VERSION) != 0) status = 1;
  }
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  fovea_device_close(device);
  return (int)status;
}
