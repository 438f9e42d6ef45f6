/* Ranks: several processes, or threads with a device each, that train one network together, each with a part of every
 * batch. The library knows no transport: the caller gives two functions by which all ranks get what each of them has,
 * and may give a third by which each gets its share alone.
 *
 * The sums over a batch are trees over blocks of 16 images (cl/README.md). A rank's part is a node of that tree, so
 * that all ranks together have the very bits of one device, however many they are; all that differs is the time. So
 * there are at most as many ranks as a batch has blocks, and their parts may be uneven: of 64 images three ranks have
 * 16, 16 and 32.
 *
 * Every rank makes its network with the same graph and options but for `rank`, and makes the same calls in the same
 * order with the same arguments: the whole batch, of which each looks at its own images alone. Parameters, moments,
 * steps and losses are then the same on every rank. Of one rank alone are fovea_network_read, whose images are the
 * rank's own of the last batch, fovea_network_evaluate_from and fovea_network_augment, which take at most as many as it
 * has of a full batch; any rank may call these, and what reads or writes parameters, by itself. */
#ifndef FOVEA_RANKS_H
#define FOVEA_RANKS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One of several that train one network. */
typedef struct fovea_ranks {
  int rank, count;
  void *user;
  /* A meeting. Every rank calls it in the same order with the same sizes: rank r's bytes[r] bytes lie, in order of
   * ranks, in `data`, the caller's own filled in; `bytes` may be changed afterwards. It should return before the
   * others are there, and may wait for them: `data` is not touched until `end` of its *request, which begin sets. With
   * gradients under way several are open at once, at most all of a step. The functions are called by the thread that
   * trains, which holds the device's lock, so that ranks of one process must not share a fovea_device. What they return
   * but FOVEA_OK is what the library's call returns; the network is then of no use but to be destroyed.
   * fovea_error_message() names the function that failed; why is the caller's to tell. Where count is 1 neither is
   * called, and both may be NULL. */
  fovea_status (*begin)(void *user, void *data, const size_t *bytes, void **request);
  /* Waits for a meeting that was begun, once for each and in any order; then `data` is whole. After a failure the
   * library ends what it has begun all the same. */
  fovea_status (*end)(void *user, void *request);
  /* Optional: NULL, or given by every rank. A meeting in which each rank has other bytes for each: in `give` lie those
   * for rank s, bytes[s], which may be 0, in order of ranks, and to `take` come, in order of ranks, the bytes[rank]
   * that each has for this one; its own are there already. Else as begin, `give` and `take` for `data`, and ended
   * likewise. MPI_Ialltoallv is one. With it more than two ranks sum a slice of the gradients each and then give each
   * other the sums by begin: of S bytes of gradients a rank then sends 2 S (count - 1) / count, in one meeting more a
   * bucket, and without it (count - 1) S. The bits are the same. Two ranks do without: they would send as much. */
  fovea_status (*scatter)(void *user, const void *give, void *take, const size_t *bytes, void **request);
  /* Whether normalizations have the statistics of the whole batch. false: each rank those of its own part, in fewer
   * meetings, and the bits depend on the number of ranks; moving statistics are then each rank's own. */
  bool sync_batchnorm;
} fovea_ranks;

/* Of a batch of `all` images, of a network made for `batch`, the rank has the *count from *first on, which may be 0: of
 * a smaller batch each rank has what lies in its part of a full one. `ranks` NULL: all of them. FOVEA_INVALID for a
 * rank or a number of ranks out of range, more ranks than the batch has blocks of 16 images, and `all` above `batch`;
 * FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_ranks_part(const fovea_ranks *ranks, int batch, size_t all, size_t *first, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
