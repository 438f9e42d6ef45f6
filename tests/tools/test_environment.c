/* The environment's variables: what each may not be is refused before anything is made, an unknown one is told, and
 * nobody reads one that is not in the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/file.h"
#include "fovea/stats.h"
#include "support/device.h"
#include "support/process.h"
#include "support/tempdir.h"

enum { MOST_BAD = 8, LINE = 1400 };

/* What a variable of that kind may not be. */
static size_t bad_values(const fovea_variable *v, const char *bad[MOST_BAD]) {
  static const char *const choices[] = {"7", "yes", "no", "foo", "1 ", "ON", "|"};
  static const char *const seconds[] = {"abc", "-1", "1.5", "12x", " 1", "253402300800", "99999999999999999999"};
  static const char *const paths[] = {"relative", "./here", "~/cache", " /tmp"};
  static const char *const folders[] = {"/nonexistent", "/dev/null", "/proc/self/task", "relative"};
  const char *const *from = NULL;
  size_t count = 0;
  if (v->kind == FOVEA_VARIABLE_CHOICE) from = choices, count = sizeof choices / sizeof *choices;
  if (v->kind == FOVEA_VARIABLE_SECONDS) from = seconds, count = sizeof seconds / sizeof *seconds;
  if (v->kind == FOVEA_VARIABLE_ABSOLUTE) from = paths, count = sizeof paths / sizeof *paths;
  if (v->kind == FOVEA_VARIABLE_KERNELS) from = folders, count = sizeof folders / sizeof *folders;
  for (size_t i = 0; i < count; i++) bad[i] = from[i];
  return count;
}

/* All that a choice may be, and something good of the other kinds. */
static size_t good_values(const fovea_variable *v, char good[MOST_BAD][64]) {
  size_t count = 0;
  for (const char *at = v->values; v->kind == FOVEA_VARIABLE_CHOICE && *at;) {
    const size_t n = strcspn(at, "|");
    snprintf(good[count++], 64, "%.*s", (int)n, at);
    at += n + (at[n] == '|');
  }
  if (v->kind == FOVEA_VARIABLE_SECONDS) snprintf(good[count++], 64, "0"), snprintf(good[count++], 64, "253402300799");
  return count;
}

static int count_lines(const char *text) {
  int lines = 0;
  for (; *text; text++) lines += *text == '\n';
  return lines;
}

static int expect_refused(const fovea_variable *v, const char *value, const char *arguments) {
  char setting[LINE], output[4096];
  snprintf(setting, sizeof setting, "%s='%s'", v->name, value);
  const int code = process_fovea(setting, arguments, output, sizeof output);
  if (code == FOVEA_INVALID && count_lines(output) == 1 && strstr(output, v->name) && strstr(output, value)) return 0;
  fprintf(stderr, "%s fovea %s: exit %d: %s\n", setting, arguments, code, output);
  return 1;
}

static void test_nonsense_is_refused(void **state) {
  (void)state;
  const fovea_variable *v = NULL;
  int failures = 0, checked = 0;
  for (size_t i = 0; (v = fovea_environment_variable(i)); i++) {
    const char *bad[MOST_BAD];
    const size_t count = bad_values(v, bad);
    for (size_t j = 0; j < count; j++, checked++) failures += expect_refused(v, bad[j], "devices");
  }
  assert_true(checked > 30);
  if (failures) fail_msg("%d of %d values", failures, checked);
}

static void test_before_anything_is_made(void **state) {
  (void)state;
  const fovea_variable *v = NULL;
  char arguments[LINE], out[1024];
  snprintf(out, sizeof out, "%s", temp_path("out"));
  snprintf(arguments, sizeof arguments, "train --data /usr/share/datasets/fashion-mnist --out %s --epochs 1", out);
  int failures = 0;
  for (size_t i = 0; (v = fovea_environment_variable(i)); i++) {
    const char *bad[MOST_BAD];
    if (bad_values(v, bad) > 0) failures += expect_refused(v, bad[0], arguments);
    if (access(out, F_OK) == 0) fail_msg("%s=%s: %s was made", v->name, bad[0], out);
  }
  if (failures) fail_msg("%d variables", failures);
}

static int expect_accepted(const char *name, const char *value) {
  char setting[LINE], output[4096];
  snprintf(setting, sizeof setting, "%s='%s'", name, value);
  const int code = process_fovea(setting, "devices", output, sizeof output);
  if (code == FOVEA_OK && !strstr(output, "fovea:")) return 0;
  /* These may hide every device, and then it is said which of them does. */
  const bool hides = strncmp(name, "OCL_ICD_", 8) == 0 || strcmp(name, "POCL_DEVICES") == 0;
  if (hides && code == FOVEA_DEVICE && strstr(output, name)) return 0;
  fprintf(stderr, "%s fovea devices: exit %d: %s\n", setting, code, output);
  return 1;
}

static void test_good_values_and_none(void **state) {
  (void)state;
  const fovea_variable *v = NULL;
  int failures = expect_accepted("FOVEA_CL_DIR", FOVEA_SOURCE_DIR "/cl");
  for (size_t i = 0; (v = fovea_environment_variable(i)); i++) {
    char good[MOST_BAD][64];
    const size_t count = good_values(v, good);
    for (size_t j = 0; j < count; j++) failures += expect_accepted(v->name, good[j]);
    failures += expect_accepted(v->name, "");
  }
  if (failures) fail_msg("%d values", failures);
}

static void test_unknown_is_told(void **state) {
  (void)state;
  char output[4096];
  assert_int_equal(process_fovea("FOVEA_QUEUE=1", "devices", output, sizeof output), FOVEA_OK);
  assert_non_null(strstr(output, "FOVEA_QUEUE,"));
  assert_non_null(strstr(output, "did you mean FOVEA_QUEUES?"));
  assert_int_equal(process_fovea("FOVEA_SOMETHING_ELSE_ALTOGETHER=1", "devices", output, sizeof output), FOVEA_OK);
  assert_non_null(strstr(output, "FOVEA_SOMETHING_ELSE_ALTOGETHER,"));
  assert_int_equal(process_fovea("FOVEA=1 XFOVEA_QUEUE=1", "devices", output, sizeof output), FOVEA_OK);
  assert_null(strstr(output, "FOVEA"));
}

static void test_help_lists_them(void **state) {
  (void)state;
  char output[8192];
  const fovea_variable *v = NULL;
  assert_int_equal(process_fovea("FOVEA_QUEUES=7", "--help", output, sizeof output), FOVEA_OK);
  for (size_t i = 0; (v = fovea_environment_variable(i)); i++)
    if (!strstr(output, v->name) || !strstr(output, v->values) || !strstr(output, v->help))
      fail_msg("%s is not in: %s", v->name, output);
  assert_int_equal(process_fovea("FOVEA_QUEUES=7", "train --help", output, sizeof output), FOVEA_OK);
  assert_int_equal(process_fovea("FOVEA_QUEUES=7", "train --he", output, sizeof output), FOVEA_OK);
  assert_int_equal(process_fovea("FOVEA_QUEUES=7", "devices --version", output, sizeof output), FOVEA_OK);
  assert_int_equal(process_fovea("FOVEA_QUEUES=7", "regress -- --help", output, sizeof output), FOVEA_INVALID);
  assert_non_null(strstr(output, "FOVEA_QUEUES"));
}

/* --- the library, which checks where it reads -----------------------------------------------------------------------
 */

static void test_library_refuses(void **state) {
  (void)state;
  const fovea_variable *v = NULL;
  for (size_t i = 0; (v = fovea_environment_variable(i)); i++) {
    const char *bad[MOST_BAD];
    if (bad_values(v, bad) == 0 || v->reader != FOVEA_READ_BY_DEVICES) continue;
    char *before = getenv(v->name) ? strdup(getenv(v->name)) : NULL;
    fovea_device *opened = NULL;
    setenv(v->name, bad[0], 1);
    const fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &opened);
    if (before)
      setenv(v->name, before, 1);
    else
      unsetenv(v->name);
    free(before);
    if (status != FOVEA_INVALID || opened) fail_msg("%s=%s: a device was opened", v->name, bad[0]);
    if (!strstr(fovea_error_message(), v->name)) fail_msg("%s: %s", v->name, fovea_error_message());
  }
}

static void test_summary_refuses(void **state) {
  (void)state;
  const double y[] = {1, 2, 4}, x[] = {1, 2, 3};
  fovea_ols *ols = NULL;
  char *text = NULL;
  OK(fovea_ols_fit(y, x, 3, 1, "y", (const char *const[]){"x"}, &ols));
  setenv("SOURCE_DATE_EPOCH", "abc", 1);
  assert_int_equal(fovea_ols_summary(ols, &text), FOVEA_INVALID);
  assert_null(text);
  unsetenv("SOURCE_DATE_EPOCH");
  OK(fovea_ols_summary(ols, &text));
  fovea_free(text);
  fovea_ols_destroy(ols);
}

/* --- nobody reads another -------------------------------------------------------------------------------------------
 */

static bool is_known(const char *name, size_t length) {
  const fovea_variable *v = NULL;
  for (size_t i = 0; (v = fovea_environment_variable(i)); i++)
    if (strlen(v->name) == length && memcmp(v->name, name, length) == 0) return true;
  return false;
}

/* Of every getenv and fovea_environment, that it names a variable of the table. */
static int check_source(const char *path, int *reads) {
  uint8_t *data = NULL;
  size_t size = 0;
  int failures = 0;
  OK(fovea_file_read(path, 1 << 22, &data, &size));
  static const char *const readers[] = {"getenv(", "fovea_environment("};
  for (int r = 0; r < 2; r++)
    for (const char *at = (const char *)data; (at = strstr(at, readers[r]));) {
      const char *argument = at + strlen(readers[r]);
      const bool quoted = *argument == '"';
      const size_t length = strcspn(argument + quoted, "\")");
      const bool allowed = quoted ? is_known(argument + 1, length) : strstr(path, "base/environment.") != NULL;
      if (!allowed)
        fprintf(stderr, "%s reads %.*s, which is not in base/environment.c\n", path, (int)length, argument), failures++;
      ++*reads;
      at = argument;
    }
  free(data);
  return failures;
}

static int check_folder(const char *folder, int *reads) {
  int failures = 0;
  DIR *entries = opendir(folder);
  assert_non_null(entries);
  for (struct dirent *entry; (entry = readdir(entries));) {
    char path[LINE];
    const char *dot = strrchr(entry->d_name, '.');
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (!dot) failures += check_folder(path, reads);
    if (dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0)) failures += check_source(path, reads);
  }
  closedir(entries);
  return failures;
}

static void test_all_are_in_the_table(void **state) {
  (void)state;
  int reads = 0, failures = check_folder(FOVEA_SOURCE_DIR "/src", &reads);
  failures += check_folder(FOVEA_SOURCE_DIR "/tools", &reads);
  assert_true(reads > 8);
  if (failures) fail_msg("%d of %d", failures, reads);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nonsense_is_refused),  cmocka_unit_test(test_before_anything_is_made),
      cmocka_unit_test(test_good_values_and_none), cmocka_unit_test(test_unknown_is_told),
      cmocka_unit_test(test_help_lists_them),      cmocka_unit_test(test_library_refuses),
      cmocka_unit_test(test_summary_refuses),      cmocka_unit_test(test_all_are_in_the_table)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
