/* fovea SUBCOMMAND [options]: finds the subcommand and answers for the output. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "core/fail.h"
#include "options.h"

static const command *const commands[] = {&command_devices,     &command_check, &command_bench,  &command_train,
                                          &command_reconstruct, &command_sweep, &command_regress};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(void) {
  puts("usage: fovea SUBCOMMAND [options]\n\nsubcommands:");
  for (int i = 0; i < COMMANDS; i++) printf("  %-12s  %s\n", commands[i]->name, commands[i]->summary);
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

static int dispatch(int argc, char **argv) {
  if (argc < 2) return command_fail(fail_listing("a subcommand is missing", ""));
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
    print_help();
    return FOVEA_OK;
  }
  if (strcmp(name, "--version") == 0) {
    puts("fovea " FOVEA_VERSION);
    return FOVEA_OK;
  }
  for (int i = 0; i < COMMANDS; i++) {
    if (strcmp(commands[i]->name, name) == 0) return commands[i]->run(argc - 1, argv + 1);
  }
  return command_fail(fail_listing("unknown subcommand ", name));
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
  int code = dispatch(argc, argv);
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
