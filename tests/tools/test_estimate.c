/* How long a sweep is said to take, and when that is corrected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "experiment/estimate.h"

static void corrected(void **state) {
  (void)state;
  static const struct {
    double seconds;
    size_t images, left, left_images;
    const char *said; /* NULL: nothing */
  } networks[] = {
      {60, 1000, 9, 9000,
       "the first network took 60 seconds with compiling and evaluation; 9 to come will take 9.0 minutes"},
      {70, 1000, 8, 8000, NULL}, /* less than a quarter off */
      {140, 1000, 7, 7000, "3 networks took 4.5 minutes; 7 to come will take 10 minutes, not 7.0 minutes"},
      {90, 1000, 6, 6000, NULL},
      {180, 2000, 5, 5000, NULL}, /* twice the images */
      {3000, 1000, 1, 10, NULL},  /* a few seconds more are no news */
      {3000, 1000, 1, 1000, "7 networks took 109 minutes; 1 to come will take 14 minutes, not 90 seconds"},
      {30000, 1000, 0, 0, NULL},
  };
  estimate_record record = {0};
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
    char text[ESTIMATE_TEXT];
    const bool told = estimate_correct(&record, networks[i].seconds, networks[i].images, networks[i].left,
                                       networks[i].left_images, 1, text);
    assert_int_equal(told, networks[i].said != NULL);
    if (told) assert_string_equal(text, networks[i].said);
  }
}

/* Several devices at a time: each takes as long as one does, and what is to come is shared. */
static void corrected_at_once(void **state) {
  (void)state;
  char text[ESTIMATE_TEXT];
  estimate_record record = {0};
  assert_true(estimate_correct(&record, 60, 1000, 8, 8000, 4, text));
  assert_string_equal(text,
                      "the first network took 60 seconds with compiling and evaluation; 8 to come, 4 at a time, will "
                      "take 2.0 minutes");
  assert_false(estimate_correct(&record, 90, 1000, 7, 7000, 4, text)); /* 26 seconds more, 4 at a time */
  assert_true(estimate_correct(&record, 150, 1000, 6, 6000, 2, text));
  assert_string_equal(text,
                      "3 networks took 5.0 minutes in all; 6 to come, 2 at a time, will take 5.0 minutes, not 3.0 "
                      "minutes");
  assert_false(estimate_correct(&record, 150, 1000, 0, 0, 0, text));
}

static void begun(void **state) {
  (void)state;
  char text[ESTIMATE_TEXT];
  estimate_say(60000, 1000, text);
  assert_string_equal(text,
                      ", some 60 seconds of training if all train as fast as the first does, at 1000 images/s; "
                      "compiling and evaluation come on top");
  estimate_say(1e6, 1000, text);
  assert_memory_equal(text, ", some 17 minutes of training", 29);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(corrected), cmocka_unit_test(corrected_at_once),
                                     cmocka_unit_test(begun)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
