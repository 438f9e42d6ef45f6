// As program.c, in C++, with the library's objects in smart pointers.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "train.h"

template <typename T>
using owned = std::unique_ptr<T, void (*)(T *)>;

static int fail() {
  std::cerr << fovea_error_message() << '\n';
  return EXIT_FAILURE;
}

// A member of an object is called with `user`.
struct listener {
  int lines = 0;
  static void hear(void *user, const char *) { static_cast<listener *>(user)->lines++; }
};

int main() {
  fovea_device_info *list = nullptr;
  std::size_t count = 0;
  if (fovea_device_list(&list, &count)) return fail();
  std::unique_ptr<fovea_device_info[], void (*)(void *)> devices(list, fovea_free);
  if (count == 0 || devices[0].name[0] == '\0') return EXIT_FAILURE;

  fovea_device *device = nullptr;
  if (fovea_device_open(std::getenv("FOVEA_TEST_DEVICE"), &device)) return fail();
  listener ear; // outlives the device, which speaks when it is closed, too
  owned<fovea_device> close(device, fovea_device_close);
  fovea_device_tell(device, listener::hear, &ear);

  fovea_graph *graph = nullptr;
  if (fovea_graph_create(&graph)) return fail();
  owned<fovea_graph> destroy_graph(graph, fovea_graph_destroy);
  if (build(graph)) return fail();

  fovea_network_options options = {};
  options.batch = IMAGES;
  options.seed = 1;
  options.training = true;
  fovea_network *network = nullptr;
  if (fovea_network_create(device, graph, &options, &network)) return fail();
  owned<fovea_network> destroy_network(network, fovea_network_destroy);

  fovea_losses losses = {};
  if (train(network, &losses)) return fail();
  std::printf("fovea %s: a step of %zu images, loss %.17g\n", fovea_version(), losses.images, losses.total);
  const bool right = losses.images == IMAGES && losses.total > 0 && std::string(fovea_version()) == FOVEA_VERSION;
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
