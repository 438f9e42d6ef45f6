#include "fovea/fovea.h"

const char *fovea_version(void) { return FOVEA_VERSION; }
