/* Between the files of this folder. */
#ifndef FOVEA_TOOLS_EVENTS_INTERNAL_H
#define FOVEA_TOOLS_EVENTS_INTERNAL_H

#include "events/records.h"

struct Tb__Event;
struct Tb__Summary__Value;

/* The tags of what is no metric and no weight. */
extern const char events_tag_begun[], events_tag_ended[], events_tag_experiment[];

/* Adds an event as a record, or a value as an event of its own. FOVEA_NO_MEMORY. */
fovea_status events_put(records *r, const struct Tb__Event *event);
fovea_status events_put_value(records *r, int64_t step, struct Tb__Summary__Value *value);
fovea_status events_put_version(records *r);

/* The records that an open log has not written yet. */
struct events;
records *events_records(struct events *log);

#endif
