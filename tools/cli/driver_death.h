/* A sentence and an exit code for a driver that ends the process instead of returning an error. */
#ifndef FOVEA_TOOLS_CLI_DRIVER_DEATH_H
#define FOVEA_TOOLS_CLI_DRIVER_DEATH_H

/* To be called once, before the first OpenCL call. From then on SIGABRT, SIGSEGV, SIGBUS and SIGILL, while the OpenCL
 * driver is at work, and an exit() that is not main's, end the process by 4 where memory is short, by 5 where the
 * driver's files cannot be written, and else by 3. The next process is told of it (runtime/driver_folder.h). */
void driver_death_watch(void);

/* What abort() is to do in the command. Of several threads one gets here. */
_Noreturn void driver_death_by_abort(void);

/* main is about to return, or somebody of ours to exit: what ends the process from now on is no driver. */
void driver_death_unwatch(void);

#endif
