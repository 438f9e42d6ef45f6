/* Pieces that threads make ahead: in order, none made before its slot is free, and what a failure says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "data/ring.h"

enum { COUNT = 23, SIZE = 512, NEVER = COUNT };

static atomic_size_t begun;
static size_t fails_at;

static fovea_status fill(void *of, size_t n, uint8_t *slot) {
  (void)of;
  atomic_fetch_add(&begun, 1);
  if (n == fails_at) return fovea_fail(FOVEA_IO, "piece %zu is not there", n);
  memset(slot, (int)n + 1, SIZE);
  return FOVEA_OK;
}

static void rest(void) { nanosleep(&(struct timespec){0, 2000000}, NULL); }

/* That many are made, and, however long one waits, no more. */
static void assert_begun(size_t expected) {
  while (atomic_load(&begun) < expected) rest();
  rest();
  assert_int_equal(atomic_load(&begun), expected);
}

static bool is_piece(const uint8_t *piece, size_t n) {
  for (size_t i = 0; i < SIZE; i++)
    if (piece[i] != n + 1) return false;
  return true;
}

/* All but the slot that is read are made ahead. */
static void none_is_overwritten(void **state) {
  (void)state;
  for (int threads = 1; threads <= 3; threads += 2)
    for (size_t slots = 2; slots <= 5; slots += 3) {
      fovea_ring *ring = NULL;
      const fovea_ring_job job = {.count = COUNT, .size = SIZE, .slots = slots, .threads = threads, .fill = fill};
      atomic_store(&begun, 0);
      fails_at = NEVER;
      assert_int_equal(fovea_ring_create(&job, &ring), FOVEA_OK);
      assert_begun(slots - 1);
      for (size_t n = 0; n < COUNT; n++) {
        const uint8_t *piece = NULL;
        assert_int_equal(fovea_ring_next(ring, &piece), FOVEA_OK);
        assert_begun(n + slots < COUNT ? n + slots : COUNT);
        assert_true(is_piece(piece, n));
      }
      fovea_ring_destroy(ring);
    }
}

/* What was made before it is given still. */
static void failure_is_told(void **state) {
  (void)state;
  fovea_ring *ring = NULL;
  const fovea_ring_job job = {.count = COUNT, .size = SIZE, .slots = 4, .threads = 1, .fill = fill};
  const uint8_t *piece = NULL;
  atomic_store(&begun, 0);
  fails_at = 5;
  assert_int_equal(fovea_ring_create(&job, &ring), FOVEA_OK);
  for (size_t n = 0; n < fails_at; n++) {
    assert_int_equal(fovea_ring_next(ring, &piece), FOVEA_OK);
    assert_true(is_piece(piece, n));
  }
  assert_int_equal(fovea_ring_next(ring, &piece), FOVEA_IO);
  assert_non_null(strstr(fovea_error_message(), "piece 5 is not there"));
  assert_int_equal(fovea_ring_next(ring, &piece), FOVEA_IO);
  fovea_ring_destroy(ring);
  fovea_ring_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(none_is_overwritten), cmocka_unit_test(failure_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
