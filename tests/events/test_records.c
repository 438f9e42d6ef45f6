/* Record files: the CRCs of published vectors, what is read back, what a crash or damage leaves of it, and what an
 * event file is cut to when a run goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "events/crc32c.h"
#include "events/events.h"
#include "events/records.h"
#include "support/tempdir.h"

#define OK(call) assert_int_equal((call), FOVEA_OK)

/* RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. The masked ones are TensorBoard 2.21's. */
static void crc(void **state) {
  (void)state;
  uint8_t bytes[32] = {0};
  assert_int_equal(crc32c(bytes, 32), 0x8a9136aa);
  memset(bytes, 0xff, 32);
  assert_int_equal(crc32c(bytes, 32), 0x62a8ab43);
  for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
  assert_int_equal(crc32c(bytes, 32), 0x46dd794e);
  for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)(31 - i);
  assert_int_equal(crc32c(bytes, 32), 0x113fdb5c);
  assert_int_equal(crc32c("123456789", 9), 0xe3069283);
  assert_int_equal(crc32c("", 0), 0);
  assert_int_equal(crc32c_masked("123456789", 9), 0xc78ab0e5);
  assert_int_equal(crc32c_masked("", 0), 0xa282ead8);
}

/* --- records ----------------------------------------------------------------------------------------------------- */

static const char *const texts[] = {"one", "", "a third record"};
enum { TEXTS = sizeof texts / sizeof *texts };
static const size_t ends[] = {0, 19, 35, 65}; /* 16 bytes of each are not its own */

static void add(records *r, const char *text) {
  const size_t size = strlen(text);
  uint8_t *at = records_begin(r, size);
  assert_non_null(at);
  memcpy(at, text, size);
  records_seal(r, size);
}

static void write_texts(const char *path) {
  records r = {0};
  unlink(path);
  for (int i = 0; i < TEXTS; i++) {
    add(&r, texts[i]);
    if (i == 0) OK(records_flush(&r, path)); /* the others are appended */
  }
  OK(records_flush(&r, path));
  OK(records_flush(&r, path)); /* nothing more */
  free(r.bytes);
}

typedef struct asked {
  int count, refused; /* the place of the first that is not wanted, or -1 */
} asked;

static fovea_status keep(void *user, const uint8_t *data, size_t size, bool *kept) {
  asked *a = user;
  assert_true(a->count < TEXTS);
  assert_int_equal(size, strlen(texts[a->count]));
  assert_memory_equal(data, texts[a->count], size);
  *kept = a->count++ != a->refused;
  return FOVEA_OK;
}

static size_t size_of(const char *path) {
  struct stat about;
  assert_int_equal(stat(path, &about), 0);
  return (size_t)about.st_size;
}

static void expect(const char *path, int refused, int count, size_t end, size_t dropped, bool damaged) {
  asked a = {0, refused};
  size_t gone;
  bool cut;
  OK(records_restore(path, keep, &a, &gone, &cut));
  assert_int_equal(a.count, count);
  assert_int_equal(gone, dropped);
  assert_int_equal(cut, damaged);
  assert_int_equal(size_of(path), end);
}

static void read_back(void **state) {
  (void)state;
  const char *path = temp_path("records");
  write_texts(path);
  expect(path, -1, TEXTS, ends[3], 0, false);
  expect(path, 1, 2, ends[1], 2, false);
  expect(path, -1, 1, ends[1], 0, false);
  write_texts(path);
  expect(path, 0, 1, 0, 3, false);
}

/* Without fovea_file_write's fsync, of some 600. */
static void put_bytes(const char *path, const uint8_t *data, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* Cut at every byte, and every bit turned: whole records before it stay, nothing after it. */
static void torn(void **state) {
  (void)state;
  const char *path = temp_path("torn");
  write_texts(path);
  uint8_t *data = NULL;
  size_t size = 0;
  OK(fovea_file_read(path, 1 << 20, &data, &size));
  assert_int_equal(size, ends[3]);
  for (size_t cut = 0; cut < size; cut++) {
    int whole = 0;
    while (ends[whole + 1] <= cut) whole++;
    put_bytes(path, data, cut);
    expect(path, -1, whole, ends[whole], 0, cut > ends[whole]);
    for (int bit = 0; bit < 8; bit++) {
      data[cut] ^= (uint8_t)(1 << bit);
      put_bytes(path, data, size);
      data[cut] ^= (uint8_t)(1 << bit);
      expect(path, -1, whole, ends[whole], 0, true);
    }
  }
  free(data);
}

/* A write that fails half way leaves the file as it was. */
static void full(void **state) {
  (void)state;
  const char *path = temp_path("full");
  struct rlimit before, little;
  write_texts(path);
  records r = {0};
  add(&r, "that has no room");
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  little = before;
  little.rlim_cur = ends[3] + 10;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
  const fovea_status status = records_flush(&r, path);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, FOVEA_IO);
  assert_int_equal(size_of(path), ends[3]);
  free(r.bytes);
}

/* --- a run's events ---------------------------------------------------------------------------------------------- */

static char said[4096];
static void hear(const char *line) { strncat(said, line, sizeof said - strlen(said) - 1); }

static events *opened(const char *dir, int completed, events_found *found) {
  events *log = NULL;
  said[0] = '\0';
  OK(events_open(dir, completed, hear, &log, found));
  return log;
}

static void put_epoch(events *log, int epoch) {
  const float values[] = {-1, 0, 0.5F, 1};
  OK(events_scalars(log, epoch, (const events_scalar[]){{"loss", 0.25}, {"kl", 2}}, 2));
  OK(events_histogram(log, epoch, "weights/w", values, 4));
  OK(events_flush(log));
}

/* The files' names, ascending; frees them when it is asked again. */
static size_t files_of(const char *dir, unsigned long long **seconds) {
  static unsigned long long *last;
  size_t count = 0;
  free(last);
  last = NULL;
  OK(records_list(dir, &last, &count));
  *seconds = last;
  return count;
}

static void goes_on(void **state) {
  (void)state;
  static const uint8_t png[33] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', [19] = 4, [23] = 5};
  events_found found;
  unsigned long long *seconds;
  char dir[1024], path[1200], name[RECORDS_NAME];
  snprintf(dir, sizeof dir, "%s", temp_path("run"));
  assert_int_equal(mkdir(dir, 0777), 0);
  events *log = opened(dir, 0, &found);
  assert_false(found.files || found.begun || found.walk || found.ended);
  assert_int_equal(files_of(dir, &seconds), 0); /* nothing before something is to be written */
  json_t *settings = json_pack("{s:s,s:f,s:b,s:[i,i]}", "activation", "relu", "lr", 0.5, "batchnorm", 1, "arch", 3, 2);
  OK(events_hparams(log, settings));
  json_decref(settings);
  for (int epoch = 1; epoch <= 3; epoch++) put_epoch(log, epoch);
  assert_int_equal(events_image(log, 3, "walk", png, 32), FOVEA_INVALID);
  assert_int_equal(events_image(log, 3, "walk", (const uint8_t *)"no PNG, whatever it is called ....", 33),
                   FOVEA_INVALID);
  OK(events_image(log, 3, "walk", png, sizeof png));
  OK(events_end(log, 3, true));
  OK(events_flush(log));
  events_close(log);
  assert_int_equal(files_of(dir, &seconds), 1);
  snprintf(path, sizeof path, "%s/%s", dir, records_name(seconds[0], name));
  const size_t whole = size_of(path);

  /* Done: all of it holds, and nothing is written. */
  events_close(opened(dir, 3, &found));
  assert_true(found.files && found.begun && found.walk && found.ended);
  assert_int_equal(found.last, 3);
  assert_int_equal(found.missing, 0);
  assert_string_equal(said, "");
  assert_int_equal(size_of(path), whole);

  /* A checkpoint of epoch 2: epoch 3, the walk and the end go. */
  log = opened(dir, 2, &found);
  assert_true(found.begun && !found.walk && !found.ended);
  assert_int_equal(found.last, 2);
  assert_non_null(strstr(said, "4 events after the checkpoint are dropped"));
  assert_true(size_of(path) < whole);
  put_epoch(log, 3);
  events_close(log);
  assert_int_equal(files_of(dir, &seconds), 2);
  assert_true(seconds[0] < seconds[1]);

  /* Both together; then without the first, which is said to be missing. */
  events_close(opened(dir, 3, &found));
  assert_int_equal(found.last, 3);
  assert_int_equal(found.missing, 0);
  snprintf(path, sizeof path, "%s/%s", dir, records_name(seconds[0], name));
  assert_int_equal(unlink(path), 0);
  events_close(opened(dir, 3, &found));
  assert_true(found.files && !found.begun);
  assert_int_equal(found.last, 3);
  assert_int_equal(found.missing, 2);

  /* Torn, and the clock behind the file's name: the next one is later by name. */
  snprintf(path, sizeof path, "%s/%s", dir, records_name(seconds[1], name));
  assert_int_equal(truncate(path, (off_t)size_of(path) - 1), 0);
  char later[1200];
  snprintf(later, sizeof later, "%s/%s", dir, records_name(5000000000ULL, name));
  assert_int_equal(rename(path, later), 0);
  log = opened(dir, 3, &found);
  assert_non_null(strstr(said, "torn or damaged"));
  put_epoch(log, 4);
  events_close(log);
  assert_int_equal(files_of(dir, &seconds), 2);
  assert_true(seconds[1] == 5000000001ULL);
}

/* Files that are not ours are left alone. */
static void foreign(void **state) {
  (void)state;
  events_found found;
  char dir[1024], path[1200];
  snprintf(dir, sizeof dir, "%s", temp_path("foreign"));
  snprintf(path, sizeof path, "%s", temp_file("foreign/events.out.tfevents.1700000000.host", "not ours", 8));
  events_close(opened(dir, 0, &found));
  assert_false(found.files);
  assert_int_equal(size_of(path), 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(crc),  cmocka_unit_test(read_back), cmocka_unit_test(torn),
                                     cmocka_unit_test(full), cmocka_unit_test(goes_on),   cmocka_unit_test(foreign)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
