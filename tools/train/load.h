/* Saying what a data set holds, and keeping results out of it. */
#ifndef FOVEA_TOOLS_TRAIN_LOAD_H
#define FOVEA_TOOLS_TRAIN_LOAD_H

#include "fovea/data.h"

/* A sentence a split on stderr: "fovea: train: 27 images of 3 classes, 28x28 RGB; 4 passed over: 2 .txt, 2 Thumbs.db";
 * and one of what both passed over in one folder. Either may be NULL. */
void load_say(const fovea_dataset *train, const fovea_dataset *test);

/* FOVEA_INVALID for a folder of results, whose pictures and checkpoints are no images to train with. */
fovea_status load_check_images(const char *data);

/* The remarks of the load; with `test` (may be NULL) of both loads, none twice, and the classes of one of them only. */
void load_say_remarks(const fovea_dataset *train, const fovea_dataset *test);

/* Loads the splits of `path` that have options, train and test (fovea_dataset_load_both), with a progress bar where
 * that takes more than a second, and says all of it. */
fovea_status load_sets(const char *path, const fovea_load_options *const options[2], fovea_dataset *(*sets)[2]);

/* FOVEA_INVALID when a folder of results `out`, which need not exist, is the data folder, holds it, or lies in one of
 * its folders of images: told by device and inode, not by names. data may be NULL. */
fovea_status load_check_folder(const char *data, const char *option, const char *out);

/* The same of a file of results: it must not lie among the images. */
fovea_status load_check_file(const char *data, const char *option, const char *out);

#endif
