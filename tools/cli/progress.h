/* Progress on stderr: a bar on a terminal, cut to its width, elsewhere (also with TERM=dumb) a line every few seconds
 * and one at the end. One at a time; any thread may tell of it. */
#ifndef FOVEA_TOOLS_CLI_PROGRESS_H
#define FOVEA_TOOLS_CLI_PROGRESS_H

#include "fovea/device.h"
#include "fovea/vae.h"

/* label: "epoch 3/25", copied; unit: what is counted, "images", borrowed; total: 0 when it is not known. */
void progress_begin(const char *label, size_t total, const char *unit);

/* `done` of the total so far; note: "loss 0.31", or NULL. Cheap enough for every step. */
void progress_update(size_t done, const char *note);

/* A line of its own, above the bar if there is one. */
void progress_say(const char *line);
void progress_hear(void *user, const char *line); /* the same, for fovea_device_tell */
__attribute__((format(printf, 1, 2))) void progress_tell(const char *format, ...);

/* Is told each of those lines, too; NULL: nobody. */
void progress_listen(void (*hear)(const char *line));

/* Before the first step: the device, the parameters, the memory that all passes take and what the device has. */
void progress_say_network(const fovea_device_info *device, const fovea_vae *vae);

/* Ends the bar with what it showed last; without a progress_begin it does nothing. */
void progress_end(void);

#endif
