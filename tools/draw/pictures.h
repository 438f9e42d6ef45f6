/* What a network sees, as PNGs: reconstructions, a walk through its latent space, its codes. */
#ifndef FOVEA_TOOLS_DRAW_PICTURES_H
#define FOVEA_TOOLS_DRAW_PICTURES_H

#include "draw/grid.h"
#include "fovea/vae.h"

enum { PICTURES_COUNT = 40, PICTURES_PAIRS = 8, PICTURES_WALK = 30, PICTURES_EPOCHS = 4, PICTURES_COLUMNS = 10 };

/* Says on stderr which channels pictures show, where that is not all of them. `shown` is grid.h's, here and below; NULL
 * the first three as red, green and blue, or the first of two as gray. */
void pictures_say_channels(int channels, const grid_channels *shown);

/* Images of a set as the network takes and gives them: count x channels x height x width values in [0, 1];
 * and their codes, count x latent each, of which z are those that the reconstructions come from. */
typedef struct pictures_pairs {
  size_t count;
  float *originals, *reconstructions;
  fovea_codes codes;
} pictures_pairs;

/* Of `count` images, fewer if there are fewer: a fair sample, as fovea_dataset_sample's; to be freed with
 * pictures_free. */
fovea_status pictures_reconstruct(fovea_vae *vae, const fovea_dataset *data, size_t count, fovea_latent latent,
                                  pictures_pairs *pairs);
fovea_status pictures_draw(const fovea_vae *vae, const pictures_pairs *pairs, const grid_channels *shown,
                           const char *path);
void pictures_free(pictures_pairs *pairs);

/* All three: each image beside its reconstruction from the mean of its code. */
fovea_status pictures_reconstructions(fovea_vae *vae, const fovea_dataset *data, size_t count,
                                      const grid_channels *shown, const char *path);

/* A fair sample of the training images, above what augmentation makes of each in the first epochs: a row each. */
fovea_status pictures_augmented(fovea_vae *vae, const fovea_dataset *data, const grid_channels *shown,
                                const char *path);

/* The images of 30x30 codes over [-5, 5]^2, the first number growing to the right and the second upwards, the others 0;
 * of 30 codes over [-5, 5] when the code is one number. Row by row: rows x columns x latent numbers, and as many
 * images. */
typedef struct pictures_walked {
  size_t rows, columns;
  float *z, *images;
} pictures_walked;

/* To be freed with pictures_walked_free, also on failure. */
fovea_status pictures_walk_decode(fovea_vae *vae, pictures_walked *walk);
fovea_status pictures_walk_draw(const fovea_vae *vae, const pictures_walked *walk, const grid_channels *shown,
                                const char *path);
void pictures_walked_free(pictures_walked *walk);

/* All three. */
fovea_status pictures_walk(fovea_vae *vae, const grid_channels *shown, const char *path);

/* The first two numbers of the codes of at most 5000 images of each set, a fair sample, coloured by label. */
fovea_status pictures_latent(fovea_vae *vae, const fovea_dataset *train, const fovea_dataset *test, const char *path);

#endif
