/* A network, seen from inside the library: for the self-test. */
#ifndef FOVEA_NET_NETWORK_H
#define FOVEA_NET_NETWORK_H

#include "fovea/network.h"
#include "plan/plan.h"

enum { FOVEA_MAX_BATCH = 65536 }; /* images that a network takes a step */

/* fovea_network_create with the dense products chosen; the graph and options are checked already. */
fovea_status fovea_network_create_using(fovea_device *device, const fovea_graph *graph,
                                        const fovea_network_options *options, bool clblast, fovea_network **network);

/* The plan of the training or the evaluation pass; NULL where there is none. */
fovea_plan *fovea_network_plan(fovea_network *network, bool training);

const fovea_graph *fovea_network_graph(const fovea_network *network);

/* The index on the device, where images are flattened as (c, h, w), of index `file` of Keras's order (h, w, c). shape:
 * channels, height, width; shape[0] == 0: the order is the same. */
size_t fovea_device_index(const int shape[3], size_t file);

/* Likewise of value `file` of a parameter's rows and columns; and how many values it has. */
size_t fovea_parameter_place(const fovea_parameter_spec *parameter, size_t file);
size_t fovea_parameter_values(const fovea_parameter_spec *parameter);

/* The offset of value `element`, c * pixels + p, of an image of a batch in a tensor of layout CN16HW16n. */
size_t fovea_device_place(size_t element, size_t pixels, size_t image, size_t batch);

/* FOVEA_MISMATCH when a kernel wrote outside of its buffers, as far as the device and an inspected network have
 * canaries (guard.h). */
fovea_status fovea_network_check_canaries(fovea_network *network);

#endif
