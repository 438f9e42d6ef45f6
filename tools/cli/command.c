#include "cli/command.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/environment.h"
#include "base/fail.h"
#include "cli/json.h"
#include "cli/launcher.h"
#include "fovea/fovea.h"

extern char **environ;

int command_fail(fovea_status status) {
  fflush(stdout);
  fprintf(stderr, "fovea: %s\n", fovea_error_message());
  json_failed(status);
  return (int)status;
}

int command_run(const command *c, int argc, char **argv) {
  json_begin(c->name, argc, argv);
  const int code = c->run(argc, argv);
  json_end(code);
  return code;
}

static bool mpi_built_in(void) {
#ifdef FOVEA_MPI
  return true;
#else
  return false;
#endif
}

static bool webp_built_in(void) {
#ifdef FOVEA_WEBP
  return true;
#else
  return false;
#endif
}

/* What CMake did not find, or was told to leave out, is left out. */
static const struct {
  const char *name;
  bool (*built_in)(void);
} parts[] = {{"ONNX export", fovea_onnx_built_in}, {"MPI", mpi_built_in}, {"WebP", webp_built_in}};

static void print_parts(const char *title, bool built_in) {
  const char *gap = title;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (parts[i].built_in() != built_in) continue;
    printf("%s%s", gap, parts[i].name);
    gap = ", ";
  }
  if (gap != title) putchar('\n');
}

void command_print_version(void) {
  puts("fovea " FOVEA_VERSION);
  print_parts("built with: ", true);
  print_parts("built without: ", false);
}

static const char *variable_name(const void *of, size_t i) {
  (void)of;
  const fovea_variable *v = fovea_environment_variable(i);
  return v ? v->name : NULL;
}

/* A name of ours that is none is most likely misspelled; but it may be a script's, or of another version. */
static void tell_unknown_variable(const char *name) {
  size_t least;
  const char *closest = options_closest(name, variable_name, NULL, &least);
  if (least == 0) return;
  if (!closest) closest = variable_name(NULL, 0); /* too long a name to have one */
  fprintf(stderr, "fovea: the environment has %s, which is ignored, since fovea knows no such variable; ", name);
  fprintf(stderr, "%s %s%s\n", least <= 3 ? "did you mean" : "the closest is", closest,
          least <= 3 ? "?" : ", see fovea --help");
}

/* Before anything is made. */
static fovea_status check_environment(void) {
  static const char prefix[] = "FOVEA_";
  fovea_status status = fovea_environment_check(FOVEA_READ_BY_ANY);
  for (char **at = environ; *at && !status; at++) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
    if (strncmp(name, prefix, sizeof prefix - 1) == 0) tell_unknown_variable(name);
  }
  return status;
}

fovea_status command_parse(const command_line *line, int argc, char **argv) {
  fovea_status status = options_parse(argc, argv, line->options, line->count, line->positionals, line->max_positionals,
                                      line->positional_count);
  for (size_t i = 0; i < line->count; i++) {
    const bool lines = strcmp(line->options[i].name, "log-json") == 0;
    if (line->options[i].given && (lines || strcmp(line->options[i].name, "json") == 0)) json_want(lines);
  }
  return status;
}

fovea_status command_begin(const command_line *line, int argc, char **argv, bool *done) {
  options_wish wish;
  fovea_status status = options_look(argc, argv, line->options, line->count, &wish);
  if (status) return status;
  *done = wish != OPTIONS_RUN;
  if (wish == OPTIONS_HELP) options_print_help(line->usage, line->summary, line->options, line->count);
  if (wish == OPTIONS_VERSION) command_print_version();
  if (*done) return FOVEA_OK;
  status = check_environment();
  if (!status) status = command_parse(line, argc, argv);
  return status || line->by_many ? status : launcher_refuse(argv[0]);
}
