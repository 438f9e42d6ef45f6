/* The windows by which a generic address says that it is in a state space. */
#ifndef FOVEA_TESTS_EMULATOR_PTX_MEMORY_H
#define FOVEA_TESTS_EMULATOR_PTX_MEMORY_H

#include "warp.h"

#define WINDOW ((uint64_t)1 << 60)
#define SHARED_WINDOW 1
#define PRIVATE_WINDOW 2

/* No addresses of the host's. */
#define BEYOND_SHARED (~(uint64_t)0)
#define BEYOND_PRIVATE (~(uint64_t)1)

#endif
