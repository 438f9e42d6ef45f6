/* The fovea command's subcommands: one file each, listed in tools/main.c. */
#ifndef FOVEA_TOOLS_CLI_COMMAND_H
#define FOVEA_TOOLS_CLI_COMMAND_H

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

#endif
