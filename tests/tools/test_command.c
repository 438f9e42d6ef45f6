/* The command itself, run as a user runs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sys/wait.h>

static char output[1 << 16];

/* Runs "ENVIRONMENT fovea ARGUMENTS"; the exit code; stdout and stderr are in output. */
static int fovea(const char *environment, const char *arguments) {
  char line[1024];
  snprintf(line, sizeof line, "{ %s '%s' %s; } 2>&1", environment, FOVEA_COMMAND, arguments);
  FILE *pipe = popen(line, "r");
  assert_non_null(pipe);
  size_t n = fread(output, 1, sizeof output - 1, pipe);
  output[n] = '\0';
  int status = pclose(pipe);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void assert_output(const char *part) {
  if (!strstr(output, part)) fail_msg("'%s' is not in: %s", part, output);
}

static void help_and_version(void **state) {
  (void)state;
  assert_int_equal(fovea("", "--help"), 0);
  assert_non_null(strstr(output, "128 + the signal when stopped by one"));
  assert_output("subcommands:");
  assert_output("devices");
  assert_output("reconstruct");
  assert_int_equal(fovea("", "--version"), 0);
  assert_int_equal(strncmp(output, "fovea ", 6), 0);
  assert_int_equal(fovea("", "devices --help"), 0);
  assert_output("usage: fovea devices [--json]");
  assert_output("-h, --help");
  assert_int_equal(fovea("", "help devices"), 0);
  assert_output("usage: fovea devices [--json]");
  assert_int_equal(fovea("", "help"), 0);
  assert_output("subcommands:");
  assert_int_equal(fovea("", "devices --version"), 0);
  assert_int_equal(strncmp(output, "fovea ", 6), 0);
  assert_int_equal(fovea("", "train --epochs 3 --help"), 0);
  assert_output("[25]"); /* the default, whatever was given */
}

static void bad_usage(void **state) {
  (void)state;
  assert_int_equal(fovea("", "frobnicate"), 2);
  assert_output("fovea: unknown subcommand frobnicate; it is one of devices, ");
  assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1); /* one line */
  assert_int_equal(fovea("", "trian"), 2);
  assert_output("fovea: unknown subcommand trian; did you mean train?\n");
  assert_int_equal(fovea("", ""), 2);
  assert_output("a subcommand is missing");
  assert_int_equal(fovea("", "devices --jsn"), 2);
  assert_output("did you mean --json?");
  assert_int_equal(fovea("", "--bogus devices"), 2);
  assert_output("fovea: unknown option --bogus");
  assert_int_equal(fovea("", "help frobnicate"), 2);
  assert_output("unknown subcommand frobnicate");
  assert_int_equal(fovea("", "sweep --se 1"), 2);
  assert_output("fovea: option --se is ambiguous: it may be --seed or --set or --seeds\n");
}

static void devices(void **state) {
  (void)state;
  assert_int_equal(fovea("", "devices"), 0);
  assert_int_equal(strncmp(output, "index  name", 11), 0);
  assert_output("\n0 ");
  assert_int_equal(fovea("", "devices --json"), 0);
  json_t *all = json_loads(output, 0, NULL), *list = json_object_get(all, "devices");
  assert_int_equal(json_integer_value(json_object_get(all, "schema")), 1);
  assert_string_equal(json_string_value(json_object_get(all, "command")), "devices");
  assert_true(json_is_array(list) && json_array_size(list) > 0);
  json_t *first = json_array_get(list, 0);
  assert_int_equal(json_integer_value(json_object_get(first, "index")), 0);
  assert_true(strlen(json_string_value(json_object_get(first, "name"))) > 0);
  assert_true(json_is_true(json_object_get(first, "usable")));
  assert_true(json_integer_value(json_object_get(first, "global_memory")) > 0);
  json_decref(all);
}

static void no_device(void **state) {
  (void)state;
  assert_int_equal(fovea("OCL_ICD_VENDORS=/nonexistent", "devices"), 3);
  assert_output("pocl-opencl-icd");
  assert_int_equal(fovea("OCL_ICD_VENDORS=/nonexistent", "devices --json"), 3);
}

static void full_disk(void **state) {
  (void)state;
  assert_int_equal(fovea("", "devices 2>/dev/null >/dev/full"), 5);
  assert_int_equal(fovea("", "--help >/dev/full"), 5);
  assert_output("standard output could not be written: No space left on device");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(help_and_version), cmocka_unit_test(bad_usage),
                                     cmocka_unit_test(devices), cmocka_unit_test(no_device),
                                     cmocka_unit_test(full_disk)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
