/* fovea SUBCOMMAND [options]: finds the subcommand and answers for the output. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/fail.h"
#include "cli/command.h"
#include "cli/driver_death.h"
#include "cli/json.h"
#include "cli/options.h"

static const command *const commands[] = {&command_devices,     &command_check, &command_bench,   &command_train,
                                          &command_reconstruct, &command_sweep, &command_regress, &command_report,
                                          &command_pack,        &command_export};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* Takes the place of the C library's, for the drivers, too: LLVM, which most bring with them, takes SIGABRT for itself
 * in the very call that may abort, and does not give it back to who had it before. */
_Noreturn void abort(void) { driver_death_by_abort(); }

static void print_help(void) {
  puts("usage: fovea SUBCOMMAND [options]\n\nsubcommands:");
  for (int i = 0; i < COMMANDS; i++) printf("  %-12s  %s\n", commands[i]->name, commands[i]->summary);
  puts("\nThe environment (an empty value is as none):");
  const fovea_variable *v = NULL;
  for (size_t i = 0; (v = fovea_environment_variable(i)); i++)
    printf("  %s=%s\n      %s\n", v->name, v->values, v->help);
  puts(
      "\nfovea SUBCOMMAND --help tells a subcommand's options; fovea --version the version.\n"
      "Exit codes: 0 done; 1 a check or comparison failed; 2 bad usage or bad input; 3 no usable device, or it "
      "failed;\n"
      "4 out of memory; 5 a file could not be read or written; 128 + the signal when stopped by one (130 SIGINT, 143\n"
      "SIGTERM, 129 SIGHUP): a training has saved then, and --resume goes on.");
}

static fovea_status fail_listing(const char *problem, const char *argument) {
  char names[512] = "";
  size_t used = 0;
  for (int i = 0; i < COMMANDS && used < sizeof names; i++) {
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", commands[i]->name);
  }
  return fovea_fail(FOVEA_INVALID, "%s%.100s; it is one of %s, see fovea --help", problem, argument, names);
}

static const command *find(const char *name) {
  for (int i = 0; i < COMMANDS; i++)
    if (strcmp(commands[i]->name, name) == 0) return commands[i];
  return NULL;
}

static const char *command_name(const void *of, size_t i) {
  (void)of;
  return i < COMMANDS ? commands[i]->name : NULL;
}

/* "unknown subcommand trian; did you mean train?", or with the list of all. */
static fovea_status unknown(const char *name) {
  size_t least;
  const char *closest = options_closest(name, command_name, NULL, &least);
  if (least <= 2 && least < strlen(name))
    return fovea_fail(FOVEA_INVALID, "unknown subcommand %.100s; did you mean %s?", name, closest);
  return fail_listing("unknown subcommand ", name);
}

/* `fovea help train` is `fovea train --help`. */
static int help_on(int argc, char **argv) {
  if (argc < 2) return print_help(), FOVEA_OK;
  const command *c = find(argv[1]);
  char asks[] = "--help", *line[] = {argv[1], asks, NULL};
  return c ? command_run(c, 2, line) : command_fail(unknown(argv[1]));
}

static int dispatch(int argc, char **argv) {
  options_wish wish;
  int at = argc;
  fovea_status status = options_lead(argc, argv, &wish, &at);
  if (status) return command_fail(status);
  if (wish == OPTIONS_HELP) return print_help(), FOVEA_OK;
  if (wish == OPTIONS_VERSION) return command_print_version(), FOVEA_OK;
  if (at >= argc) return command_fail(fail_listing("a subcommand is missing", ""));
  if (strcmp(argv[at], "help") == 0) return help_on(argc - at, argv + at);
  const command *c = find(argv[at]);
  return c ? command_run(c, argc - at, argv + at) : command_fail(unknown(argv[at]));
}

/* A standard stream that was closed would be the next file that is opened, a checkpoint even, and messages would go
 * into that. Reading alone is allowed, so that what is printed there is still an error. */
static void occupy_standard_streams(void) {
  int descriptor;
  do descriptor = open("/dev/null", O_RDONLY);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) close(descriptor);
}

int main(int argc, char **argv) {
  occupy_standard_streams();
  /* So that a closed pipe is a write error with a message and an exit code, not a death. */
  signal(SIGPIPE, SIG_IGN);
  driver_death_watch();
  json_begin(NULL, argc, argv);
  int code = dispatch(argc, argv);
  json_end(code); /* of what is no subcommand */
  driver_death_unwatch();
  errno = 0;
  bool failed = ferror(stdout) != 0;
  if (fflush(stdout) != 0) failed = true;
  int reason = errno;
  if (!failed) return code;
  fovea_fail(FOVEA_IO, "standard output could not be written: %s",
             reason ? strerror(reason) : "an earlier write failed");
  int write_code = command_fail(FOVEA_IO);
  return code ? code : write_code;
}
