/* An access that the system refuses, while a group runs, is that group's fault and not the end of the process. */
#ifndef FOVEA_TESTS_EMULATOR_TRAP_H
#define FOVEA_TESTS_EMULATOR_TRAP_H

#include <setjmp.h>

/* For as long as a launch runs: others of the process have handlers, too. */
void trap_begin(void);
void trap_end(void);

/* Where this thread goes on after such an access; NULL: nowhere, the process ends as it would have. */
void trap_set(sigjmp_buf *to);

#endif
