/* Image sets on disk. */
#ifndef FOVEA_DATA_H
#define FOVEA_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Images of one size, with or without labels. */
typedef struct fovea_dataset {
  size_t count; /* at least 1 */
  int channels, height, width;
  uint8_t *pixels; /* count x channels x height x width, 0 .. 255 as in the files */
  uint8_t *labels; /* count, or NULL */
} fovea_dataset;

/* Loads the split "train" or "test" of the folder `dir`, the first `limit` images of it; all with 0 or with more than
 * there are. The caller owns *dataset. The folder holds one of
 *
 * - IDX files of bytes (yann.lecun.com/exdb/mnist), plain or with .gz: train-images-idx3-ubyte (count, height, width)
 *   or train-images-idx4-ubyte (count, height, width, channels), and if present train-labels-idx1-ubyte; for "test"
 *   the same with t10k. Everything is checked (magic, sizes, length, gzip's CRC); with a limit, what is read.
 * - folders train/ and test/ of PNGs, 8-bit gray or RGB without alpha, all of one size, sorted by file name in bytes;
 *   values are taken as stored, gamma and profiles aside. If a folder has subfolders, the PNGs are in those, and the
 *   subfolder is the label: its number if every name is one of 0 .. 255, else its place in the sorted names. Equal file
 *   names follow their subfolder's order. Names that start with a dot or do not end in .png are passed over.
 *
 * FOVEA_IO when a folder or file is missing (the message says what was looked for) or cannot be read; FOVEA_INVALID,
 * naming the file, what it has and what was expected, when one is malformed, or when `split` is another word;
 * FOVEA_NO_MEMORY. */
fovea_status fovea_dataset_load(const char *dir, const char *split, size_t limit, fovea_dataset **dataset);

void fovea_dataset_destroy(fovea_dataset *dataset); /* takes NULL */

#ifdef __cplusplus
}
#endif
#endif
