/* TFRecord files: of each record its length (8 bytes, least significant first), the length's masked CRC-32C, the bytes,
 * and theirs (TensorFlow, tensorflow/core/lib/io/record_writer.h). Here event files of TensorBoard, in a run's folder,
 * under names of our own: events.out.tfevents.SECONDS.fovea. One a process that trains, in the order of their names. */
#ifndef FOVEA_TOOLS_EVENTS_RECORDS_H
#define FOVEA_TOOLS_EVENTS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

/* Records that wait to be written. */
typedef struct records {
  uint8_t *bytes; /* the owner frees them */
  size_t size, room;
} records;

/* Room for the `size` bytes of one more record, which the caller fills and records_seal ends; NULL and FOVEA_NO_MEMORY.
 */
uint8_t *records_begin(records *r, size_t size);
void records_seal(records *r, size_t size);

/* Appends them to `path` by one write, and forgets them. FOVEA_IO, and then the file is as long as before, as far as
 * the system allows. */
fovea_status records_flush(records *r, const char *path);

/* Asks `keep` of the file's records, one after the other; the first that it does not want, one that is torn, and one
 * whose CRC is wrong end the file, which is cut there: *damaged says that it was one of those, *dropped how many whole
 * records went. FOVEA_IO, FOVEA_NO_MEMORY. */
typedef fovea_status records_keep(void *user, const uint8_t *data, size_t size, bool *kept);
fovea_status records_restore(const char *path, records_keep *keep, void *user, size_t *dropped, bool *damaged);

/* The files of the folder `dir`, by their names: the seconds, ascending; *seconds is the caller's. FOVEA_IO,
 * FOVEA_NO_MEMORY. */
fovea_status records_list(const char *dir, unsigned long long **seconds, size_t *count);

enum { RECORDS_NAME = 64 };
const char *records_name(unsigned long long seconds, char name[RECORDS_NAME]);

#endif
