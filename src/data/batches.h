/* The batches of an epoch: of a set in memory where they are, of one in a file read ahead by threads. */
#ifndef FOVEA_DATA_BATCHES_H
#define FOVEA_DATA_BATCHES_H

#include "fovea/data.h"

typedef struct fovea_batches fovea_batches;

/* Which of a full batch's places are looked at; of a smaller one those that it has. */
typedef struct fovea_places {
  size_t first, count;
} fovea_places;

/* The images order[first], order[first + 1], ... (NULL: first, first + 1, ...), `batch` at a time up to the set's last;
 * both must outlive it. Of a set in a file only `own` places are read, at which they then lie. FOVEA_NO_MEMORY. */
fovea_status fovea_batches_create(const fovea_dataset *data, const uint32_t *order, size_t first, size_t batch,
                                  fovea_places own, fovea_batches **batches);
void fovea_batches_destroy(fovea_batches *batches); /* takes NULL */

/* The next batch, as fovea_network_train_step takes it; valid up to the next call. Asked for no more often than there
 * are batches. Statuses as fovea_dataset_read. */
fovea_status fovea_batches_next(fovea_batches *batches, const uint8_t **pixels, const uint32_t **index);

#endif
