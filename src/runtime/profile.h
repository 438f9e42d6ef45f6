/* Time per kernel, gathered from events. */
#ifndef FOVEA_RUNTIME_PROFILE_H
#define FOVEA_RUNTIME_PROFILE_H

#include "runtime/device.h"

/* Whether launches are to ask for an event and hand it to fovea_profile_add. */
bool fovea_profile_recording(const fovea_device *device);

/* Adds `one`, its time apart, to the row of the same kernel, op and shape; strings are copied, up to 63 characters of
 * each. Takes over `event`, whose time is added later, whatever the status. */
fovea_status fovea_profile_add(fovea_device *device, const fovea_profile_row *one, cl_event event);

void fovea_profile_destroy(fovea_profile *profile); /* takes NULL */

#endif
