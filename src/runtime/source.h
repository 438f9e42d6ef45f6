/* Kernel sources with their includes in place. */
#ifndef FOVEA_RUNTIME_SOURCE_H
#define FOVEA_RUNTIME_SOURCE_H

#include "fovea/status.h"

/* The text of cl/`file`, from $FOVEA_CL_DIR where that is set and has it, else the embedded one. Lines of the form
 * #include "name" are replaced by that file's text, each file once; #line keeps the compiler's messages right. *text is
 * the caller's, to be freed with free(). FOVEA_INVALID for a file that does not exist, FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_source_read(const char *file, char **text);

#endif
