/* What a report is made of: texts of any bytes, base64, tiles of images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "report/page.h"
#include "report/sprite.h"

/* RFC 4648, 10. */
static void encodes_base64(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"", ""},
                                         {"f", "Zg=="},
                                         {"fo", "Zm8="},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="},
                                         {"foobar", "Zm9vYmFy"},
                                         {"\xff\xfe\xfb", "//77"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = sprite_base64((const uint8_t *)cases[i][0], strlen(cases[i][0]));
    assert_string_equal(text, cases[i][1]);
    free(text);
  }
}

#define R "\xEF\xBF\xBD"

/* Overlong forms, surrogates, what is beyond U+10FFFF and what is cut are none: RFC 3629. */
static void mends_utf8(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"a\xC3\xA9", "a\xC3\xA9"},
                                         {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
                                         {"\xE2\x82\xAC", "\xE2\x82\xAC"},
                                         {"\xC0\xAF", R R},
                                         {"\xE0\x80\x80", R R R},
                                         {"\xED\xA0\x80", R R R},
                                         {"\xF4\x90\x80\x80", R R R R},
                                         {"\xF0\x80\x80\x80", R R R R},
                                         {"\x80z", R "z"},
                                         {"\xE2\x82", R R},
                                         {"\xFFk", R "k"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_t *text = page_text(cases[i][0]);
    assert_non_null(text);
    assert_string_equal(json_string_value(text), cases[i][1]);
    json_decref(text);
  }
}

static void leaves_out_what_is_not_finite(void **state) {
  (void)state;
  const double values[] = {NAN, INFINITY, 1.23456, -1234567};
  static const double shorts[] = {0, 0, 1.235, -1235000};
  for (size_t i = 0; i < 4; i++) {
    json_t *number = page_short(values[i]), *whole = page_number(values[i]);
    assert_true(json_is_null(number) == (i < 2) && json_is_null(whole) == (i < 2));
    if (i >= 2) assert_true(json_real_value(number) == shorts[i] && json_real_value(whole) == values[i]);
    json_decref(number);
    json_decref(whole);
  }
}

/* Nothing of a value ends the script that it stands in. */
static void hides_markup(void **state) {
  (void)state;
  page p = {0};
  char *html = NULL;
  assert_int_equal(page_begin(&p, "run", "</script><!--<script>&\""), FOVEA_OK);
  assert_int_equal(page_html(&p, &html), FOVEA_OK);
  assert_non_null(strstr(html, "\"dir\":\"\\u003c/script>\\u003c!--\\u003cscript>&\\\"\""));
  assert_null(strstr(html, "{{"));
  assert_non_null(strstr(html, "Content-Security-Policy"));
  free(html);
  page_end(&p);
}

static void assert_tile(const sprite *s, size_t at, const uint8_t *expected) {
  size_t stride;
  const uint8_t *tile = sprite_tile(s, at, &stride);
  for (int y = 0; y < s->height; y++)
    assert_memory_equal(tile + (size_t)y * stride, expected + y * s->width * s->channels,
                        (size_t)(s->width * s->channels));
}

/* Three columns, the fourth tile in the second row; values are clamped, NaN is black. */
static void lays_out_tiles(void **state) {
  (void)state;
  const sprite_source of = {.channels = 2, .height = 2, .width = 2, .shown = {1, {1}}};
  const float image[] = {9, 9, 9, 9, 0, 1, 2, NAN}, other[] = {0, 0, 0, 0, 0.5F, -1, 0.2F, 1};
  sprite s = {0};
  assert_int_equal(sprite_begin(&s, &of, 4, 3, 1000), FOVEA_OK);
  assert_int_equal(s.shrink, 1);
  sprite_put(&s, 0, image);
  sprite_put(&s, 3, other);
  assert_tile(&s, 0, (const uint8_t[]){0, 255, 255, 0});
  assert_tile(&s, 1, (const uint8_t[]){0, 0, 0, 0});
  assert_tile(&s, 3, (const uint8_t[]){128, 0, 51, 255});
  assert_ptr_equal(sprite_tile(&s, 3, &(size_t){0}), s.pixels + 2 * 6);
  sprite_end(&s);
}

/* 3 x 3 of colour in at most 12 bytes: 2 x 2 pixels, the last of each side a mean of what is left there. */
static void shrinks(void **state) {
  (void)state;
  const sprite_source of = {.channels = 3, .height = 3, .width = 3};
  float image[27];
  for (int i = 0; i < 27; i++) image[i] = (float)(i % 9) / 8;
  sprite s = {0};
  assert_int_equal(sprite_begin(&s, &of, 1, 5, 12), FOVEA_OK);
  assert_int_equal(s.shrink, 2);
  sprite_put(&s, 0, image);
  const uint8_t a = 64, b = 112, c = 207, d = 255; /* of (0 1 3 4) / 8, (2 5), (6 7), 8 */
  assert_tile(&s, 0, (const uint8_t[]){a, a, a, b, b, b, c, c, c, d, d, d});
  sprite_end(&s);
  assert_int_equal(sprite_begin(&s, &of, 100, 5, 1), FOVEA_OK); /* never less than a pixel */
  assert_int_equal(s.height * s.width, 1);
  sprite_end(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(encodes_base64),
                                     cmocka_unit_test(mends_utf8),
                                     cmocka_unit_test(leaves_out_what_is_not_finite),
                                     cmocka_unit_test(hides_markup),
                                     cmocka_unit_test(lays_out_tiles),
                                     cmocka_unit_test(shrinks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
