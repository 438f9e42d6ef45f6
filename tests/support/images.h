/* Small image files for tests of data sets, in a test's folder (tempdir.h). */
#ifndef FOVEA_TESTS_SUPPORT_IMAGES_H
#define FOVEA_TESTS_SUPPORT_IMAGES_H

#include <stddef.h>
#include <stdint.h>

/* Writes temp_path(name), an 8-bit PNG of `side` x `side` pixels, gray with 1 channel, RGB with 3; every value is
 * `first` and what the place adds to it. Aborts on failure, as all of these. */
void image_png(const char *name, int side, int channels, uint8_t first);

/* "FOLDER/PREFIX0.png" to "FOLDER/PREFIX(count - 1).png", gray, first 10 i. */
void image_pngs(const char *folder, const char *prefix, int count, int side);

/* An IDX file of bytes with these dimensions and values 0, 1, 2, ... modulo `modulus`. */
void image_idx(const char *name, int rank, const uint32_t *dims, unsigned modulus);

/* A folder temp_path(name), which goes to `dir`, of IDX images `side` x `side` to train and to test with, at most 255
 * each, of a pattern that `salt` decides. */
void image_sets(char dir[1024], const char *name, int train, int test, int side, int salt);

#endif
