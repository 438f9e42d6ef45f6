/* Seconds of the monotonic clock, for measuring. */
#ifndef FOVEA_CORE_CLOCK_H
#define FOVEA_CORE_CLOCK_H

double fovea_seconds(void);

#endif
