/* Seconds of the monotonic clock, for measuring; and since 1970, for saying when. */
#ifndef FOVEA_BASE_CLOCK_H
#define FOVEA_BASE_CLOCK_H

double fovea_seconds(void);
double fovea_time(void);

#endif
