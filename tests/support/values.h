/* What a training leaves in a network. cmocka.h and what it needs come before. */
#ifndef FOVEA_TESTS_SUPPORT_VALUES_H
#define FOVEA_TESTS_SUPPORT_VALUES_H

#include "fovea/vae.h"
#include "net/network.h"
#include "support/device.h"

/* The values of all parameters, one after the other, into `values`, which has room for `most`. Returns their number. */
static inline size_t all_values(fovea_vae *vae, float *values, size_t most) {
  size_t count = 0;
  for (size_t i = 0; i < fovea_network_parameter_count(vae->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(vae->network, i);
    assert_true(count + p->count <= most);
    OK(fovea_network_get(vae->network, i, FOVEA_VALUE, values + count));
    count += p->count;
  }
  return count;
}

#endif
