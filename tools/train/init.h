/* Start weights. */
#ifndef FOVEA_TOOLS_TRAIN_INIT_H
#define FOVEA_TOOLS_TRAIN_INIT_H

/* Says on stderr which of a file's weights are of other types than the network's. Of a file that was just loaded. */
void init_say_types(const char *path);

#endif
