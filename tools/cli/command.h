/* The fovea command's subcommands: one file each, listed in tools/main.c; and what each begins and ends with. */
#ifndef FOVEA_TOOLS_CLI_COMMAND_H
#define FOVEA_TOOLS_CLI_COMMAND_H

#include "cli/options.h"

typedef struct command {
  const char *name;
  const char *summary;               /* one line for `fovea --help` */
  int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit code */
} command;

extern const command command_devices;
extern const command command_train;
extern const command command_reconstruct;
extern const command command_sweep;
extern const command command_regress;
extern const command command_bench;
extern const command command_check;
extern const command command_pack;
extern const command command_export;
extern const command command_report;

/* Runs it, and prints its JSON where that is asked for (json.h). */
int command_run(const command *c, int argc, char **argv);

/* What a subcommand takes. */
typedef struct command_line {
  const char *usage, *summary; /* as of options_print_help */
  option *options;
  size_t count;
  const char **positionals; /* as of options_parse; NULL where there are none */
  size_t max_positionals, *positional_count;
  bool by_many; /* whether a launcher may start several of it side by side */
} command_line;

/* Prints help or version where that is asked for, in any environment, since help says what that may be: then *done is
 * set, and nothing is left to do. Else checks the environment, before anything is made, and sets the options' values.
 * FOVEA_INVALID with a message. */
fovea_status command_begin(const command_line *line, int argc, char **argv, bool *done);

/* Sets the values again, after others were put in their places. */
fovea_status command_parse(const command_line *line, int argc, char **argv);

/* "fovea 0.1.0"; then which optional parts it was built with, and without, a line each. */
void command_print_version(void);

/* Prints "fovea: MESSAGE" to stderr, keeps it for --json, and returns the status as an exit code. */
int command_fail(fovea_status status);

#endif
