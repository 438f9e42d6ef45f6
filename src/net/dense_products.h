/* Chooses who multiplies the dense layers' matrices: this library's kernels or CLBlast. */
#ifndef FOVEA_NET_DENSE_PRODUCTS_H
#define FOVEA_NET_DENSE_PRODUCTS_H

#include "net/network.h"

/* By the environment's FOVEA_BLAS: builtin (the default, since it alone gives the same bits on every device), clblast,
 * or auto: clblast where it is faster in a measurement here, never on a CPU. CLBlast is used only after each of the
 * graph's products agreed with the builtin ones on this device; FOVEA_DEVICE when one did not and clblast was asked
 * for. */
fovea_status fovea_choose_blas(fovea_device *device, const fovea_graph *graph, int batch, bool *clblast);

#endif
