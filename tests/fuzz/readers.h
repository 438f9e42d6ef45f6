/* The readers of data sets, each fuzzed by a target of its own: X(reader, the name of its file in a set). */
#ifndef FOVEA_TESTS_FUZZ_READERS_H
#define FOVEA_TESTS_FUZZ_READERS_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_READERS(X)                    \
  X(idx, "train-images-idx3-ubyte")        \
  X(idx_labels, "train-labels-idx1-ubyte") \
  X(npy, "x_train.npy")                    \
  X(npz, "set.npz")                        \
  X(safetensors, "set.safetensors")        \
  X(csv, "train.csv")                      \
  X(cifar, "data_batch_1.bin")             \
  X(pack, "set.fovea")

/* Reads the bytes, in a folder of the reader, as that file of a set, whole and a sample of it, in memory and, where it
 * can stay there, in its file. Aborts where a set comes out that breaks what fovea/data.h says of it. */
void fuzz_read(const char *reader, const char *name, const uint8_t *data, size_t size);

/* Reads the bytes as a table, makes designs of it, fits and prints them. Aborts where a good fit cannot be printed. */
void fuzz_table(const uint8_t *data, size_t size);

#endif
