/* Units and images as pieces of other ops. */
#ifndef FOVEA_OP_RESHAPE_H
#define FOVEA_OP_RESHAPE_H

#include "plan/record.h"

/* y (+)= x: units as an image, or with to_image false an image as units (reshape.c). */
void fovea_record_reshape(fovea_plan *plan, int c, int pixels, bool to_image, fovea_view x, fovea_view y,
                          bool accumulate);

#endif
