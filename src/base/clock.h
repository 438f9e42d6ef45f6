/* Seconds of the monotonic clock, for measuring. */
#ifndef FOVEA_BASE_CLOCK_H
#define FOVEA_BASE_CLOCK_H

double fovea_seconds(void);

#endif
