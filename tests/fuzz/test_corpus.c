/* The corpus that fuzzing left, read again by every reader: corpus/READER/ has a file for each way through it. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "fuzz/readers.h"

enum { PATH = 1024, MOST = 1 << 20 };

/* `name` NULL: tables. */
static size_t read_folder(const char *reader, const char *name) {
  char folder[PATH], path[2 * PATH];
  size_t count = 0;
  snprintf(folder, sizeof folder, FOVEA_SOURCE_DIR "/tests/fuzz/corpus/%s", reader);
  DIR *stream = opendir(folder);
  if (stream == NULL) return 0;
  for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    assert_int_equal(fovea_file_read(path, MOST, &bytes, &size), FOVEA_OK);
    if (name != NULL)
      fuzz_read(reader, name, bytes, size);
    else
      fuzz_table(bytes, size);
    free(bytes);
    count++;
  }
  closedir(stream);
  return count;
}

#define X(reader, name)                          \
  static void test_##reader(void **state) {      \
    (void)state;                                 \
    assert_true(read_folder(#reader, name) > 3); \
  }
FUZZ_READERS(X)
#undef X

static void test_table(void **state) {
  (void)state;
  assert_true(read_folder("table", NULL) > 3);
}

int main(void) {
#define X(reader, name) cmocka_unit_test(test_##reader),
  const struct CMUnitTest tests[] = {FUZZ_READERS(X) cmocka_unit_test(test_table)};
#undef X
  return cmocka_run_group_tests(tests, NULL, NULL);
}
