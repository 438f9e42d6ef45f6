/* A data set in one file from which it is trained without being loaded: what `fovea pack` writes.
 *
 *   0   8  "FOVEASET"
 *   8   4  the version, 1
 *   12  4  the length of the text that follows
 *   16  8  XXH64 of it
 *   24     the text: JSON, {"channels", "height", "width", "train", "test", "labels": [of train, of test], "classes"},
 *          train and test being numbers of images, classes [[label, name], ...]
 *
 * and then train, and then test, each as
 *
 *   labels, where there are any: 2 bytes each, and 8 bytes, XXH64 of them
 *   records, one after the other: an image, channels x height x width bytes, and 8 bytes, XXH64 of it with the number
 * of the image as its seed 16 bytes: fovea_pack_hash's hash of the split, and XXH64 of that.
 *
 * Numbers are little-endian, hashes have seed 0. An image has its checksum beside it, so that one read gets both,
 * wherever the shuffled order leads; a changed bit, a cut and a file that was written over are sentences. Nothing is
 * mapped: a file that becomes shorter under a mapping kills the process. */
#ifndef FOVEA_DATA_PACK_H
#define FOVEA_DATA_PACK_H

#include <stdbool.h>

#include "data/source.h"
#include "fovea/data.h"

/* Whether the file begins as one. */
bool fovea_pack_is(const char *path);

/* Fills *set, whose report is there already, with split 0 (train) or 1; with options->in_file its pixels stay where
 * they are. Statuses as fovea_dataset_load. */
fovea_status fovea_pack_load(const char *path, int which, const fovea_load_options *options, fovea_dataset *set);
void fovea_pack_close(fovea_pack *pack); /* takes NULL */

/* The images at these places (NULL: from `first` on), verified; `ahead` only tells the system that they will be wanted.
 */
fovea_status fovea_pack_read(const fovea_pack *pack, const uint32_t *index, size_t first, size_t count,
                             uint8_t *pixels);
void fovea_pack_ahead(const fovea_pack *pack, const uint32_t *index, size_t first, size_t count);

/* XXH64 of the number of images, channels, height and width as 8 bytes each, the pixels and the labels, a byte each, or
 * two where one is over 255. false where the set is a sample of the file's. */
bool fovea_pack_hash(const fovea_pack *pack, uint64_t *hash);

/* --- writing ------------------------------------------------------------------------------------------------------ */

typedef bool fovea_pack_progress(void *user, size_t images); /* written so far; false: stop, FOVEA_INVALID */

/* Replaces `path`, in one step, by both splits of the set at `from`, read as `options` say: `threads` threads read
 * pictures, one the others. begin: called before anything is made, when it is known what there is. */
typedef struct fovea_pack_job {
  const char *from, *path;
  const fovea_load_options *options;
  int threads;
  void *user;
  fovea_status (*begin)(void *user, const fovea_dataset *train, const fovea_dataset *test); /* their pixels are NULL */
  fovea_pack_progress *progress;
  void (*end)(void *user, const fovea_dataset *train, const fovea_dataset *test); /* all is written, or nothing */
} fovea_pack_job;

fovea_status fovea_pack_write(const fovea_pack_job *job);

#endif
