/* What Winograd's algorithms share. */
#ifndef FOVEA_OP_CONV2D_WINOGRAD_H
#define FOVEA_OP_CONV2D_WINOGRAD_H

#include "op/conv2d/weights.h"

/* A side: how many outputs a tile has, and inputs, and elements, and how many elements a filter. */
typedef struct fovea_filtering {
  int outputs, inputs, elements, filter_elements;
  bool transposed; /* of stride 2 */
} fovea_filtering;

/* Decided by the shape alone. */
fovea_filtering fovea_winograd_filtering(const fovea_conv_shape *s, bool backward_data);

/* Tiles of an image. */
int fovea_winograd_tiles(fovea_filtering f, const fovea_conv_shape *s);

/* w's filters transformed, as weights.cl packs them. */
fovea_view fovea_winograd_weights(fovea_plan *plan, fovea_filtering f, const fovea_conv_shape *s, fovea_view w,
                                  fovea_packing packing, int filters, int kg, bool backward_data);

/* "-DM=4 -DSTRIDE=1 -DTRANSPOSED=0", to the options of a program, a string in `size` bytes. */
void fovea_winograd_options(fovea_filtering f, const fovea_conv_shape *s, char *options, size_t size);

/* Those of winograd_tiled.c, for GPUs: its tiles to a list, the default first, none where the device's work-groups or
 * its local memory are too small; and a convolution with one of them. */
void fovea_winograd_add_tiled(const fovea_plan *plan, fovea_filtering f, const fovea_conv_shape *s,
                              fovea_tile_list *list);
bool fovea_winograd_is_tiled(fovea_tile tile);
void fovea_record_winograd_tiled(fovea_plan *plan, fovea_filtering f, fovea_tile tile, const fovea_conv_shape *s,
                                 fovea_view x, fovea_view w, bool backward_data, fovea_epilogue epilogue, fovea_view y,
                                 double flops);

#endif
