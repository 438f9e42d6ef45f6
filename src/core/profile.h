/* Time per kernel, gathered from events. */
#ifndef FOVEA_CORE_PROFILE_H
#define FOVEA_CORE_PROFILE_H

#include "core/device.h"

/* Whether launches are to ask for an event and hand it to fovea_profile_add. */
bool fovea_profile_recording(const fovea_device *device);

/* Takes over `event`, whatever the status. */
fovea_status fovea_profile_add(fovea_device *device, const char *kernel, double flops, double bytes, cl_event event);

void fovea_profile_destroy(fovea_profile *profile); /* takes NULL */

#endif
