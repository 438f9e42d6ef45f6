/* A sentence and an exit code for a driver that ends the process instead of returning an error. */
#ifndef FOVEA_TOOLS_CLI_DRIVER_DEATH_H
#define FOVEA_TOOLS_CLI_DRIVER_DEATH_H

/* To be called once, before the first OpenCL call. From then on SIGABRT, SIGSEGV, SIGBUS and SIGILL, while the OpenCL
 * driver is at work, and an exit() that is not main's, end the process by 4 where memory is short, by 5 where the
 * driver's files cannot be written, and else by 3. The next process is told of it (runtime/driver_folder.h). */
void driver_death_watch(void);

/* What abort() is to do in the command. Of several threads one gets here. */
_Noreturn void driver_death_by_abort(void);

/* This thread works with that device from now on; -1: with none, or with several. */
void driver_death_blame(int device);

/* With several devices a death that is no lack of memory or room is that of the device that is blamed: the program then
 * begins anew, in the same process, with arguments[device], which leave it out. names[count] are for the sentence,
 * "device 1 (NAME)"; both are borrowed until the next call; count 0: no more. */
void driver_death_others(const char *const *names, char *const *const *arguments, int count);

/* main is about to return, or somebody of ours to exit: what ends the process from now on is no driver. */
void driver_death_unwatch(void);

#endif
