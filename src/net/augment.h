/* What an augmentation may be (fovea/augment.h). */
#ifndef FOVEA_NET_AUGMENT_H
#define FOVEA_NET_AUGMENT_H

#include <stdbool.h>

#include "fovea/augment.h"
#include "fovea/status.h"

/* Whether it does anything. */
bool fovea_augments(const fovea_augmentation *augment);

/* FOVEA_INVALID for what images of height x width pixels cannot have. */
fovea_status fovea_augmentation_check(const fovea_augmentation *augment, int height, int width);

#endif
