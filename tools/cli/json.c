#include "cli/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"

enum { NAME = 32, MESSAGE = 2048, MILLI = 1000 };

static struct {
  bool wanted, lines, failed;
  char command[NAME], *result, message[MESSAGE];
  fovea_status status;
} json;

option json_option(bool *value) {
  return (option){.name = "json",
                  .kind = OPTION_FLAG,
                  .value = value,
                  .help = "print the result, or the error, as one JSON object"};
}

void json_begin(const char *command, int argc, char **argv) {
  free(json.result);
  memset(&json, 0, sizeof json);
  snprintf(json.command, sizeof json.command, "%s", command != NULL ? command : "");
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "--json") == 0) json_want(false);
    if (strcmp(argv[i], "--log-json") == 0) json_want(true);
  }
}

void json_want(bool lines) {
  json.wanted = true;
  json.lines = json.lines || lines;
}

bool json_wanted(void) { return json.wanted; }
bool json_logs(void) { return json.wanted && json.lines; }

/* --- the result -------------------------------------------------------------------------------------------------- */

fovea_status json_result_text(const char *text) {
  char *copy = text != NULL ? strdup(text) : NULL;
  free(json.result);
  json.result = copy;
  return copy != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for the result as JSON");
}

fovea_status json_result(json_t *object) {
  char *text = object != NULL ? json_dumps(object, json.lines ? JSON_COMPACT : JSON_INDENT(2)) : NULL;
  json_decref(object);
  fovea_status status = json_result_text(text);
  free(text);
  return status;
}

fovea_status json_check(const char *what, const char *text) {
  json_t *string = text != NULL && json.wanted ? json_string(text) : json_true();
  const bool good = string != NULL;
  json_decref(string);
  return good ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "%s is not UTF-8, and JSON has no other text", what);
}

json_t *json_said(const char *text) {
  json_t *string = json_string(text);
  char *ascii = string == NULL ? strdup(text) : NULL;
  for (char *at = ascii; at != NULL && *at != '\0'; at++)
    if ((unsigned char)*at >= 0x80) *at = '?';
  if (ascii != NULL) string = json_string(ascii);
  free(ascii);
  return string;
}

void json_failed(fovea_status status) {
  json.failed = true;
  json.status = status;
  snprintf(json.message, sizeof json.message, "%s", fovea_error_message());
}

/* --- printing ---------------------------------------------------------------------------------------------------- */

static const char *status_name(fovea_status status) {
  static const char *const names[] = {"ok", "mismatch", "invalid", "device", "no_memory", "io"};
  return (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

/* A path in it may be no UTF-8, which JSON is: then what is no ASCII becomes a question mark. Needs no memory. */
static void print_string(FILE *to, const char *text) {
  json_t *string = json_string(text);
  const bool utf8 = string != NULL;
  json_decref(string);
  fputc('"', to);
  for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
    if (*at < 0x20 || *at == 0x7f)
      fprintf(to, "\\u%04x", *at);
    else if (*at == '"' || *at == '\\')
      fprintf(to, "\\%c", *at);
    else
      fputc(*at >= 0x80 && !utf8 ? '?' : *at, to);
  }
  fputc('"', to);
}

/* The object's members behind others; `object` may be NULL or have none. */
static void print_members(FILE *to, const char *object, const char *end) {
  const char *members = object != NULL ? object + strspn(object, " \n") : NULL;
  if (members != NULL && *members == '{') members++;
  size_t length = members != NULL ? strlen(members) : 0;
  while (length > 0 && strchr(" \n", members[length - 1]) != NULL) length--;
  if (length <= 1)
    fputs(end, to);
  else
    fprintf(to, ",%.*s", (int)length, members);
  fputc('\n', to);
}

static void print_error(FILE *to, const char *gap, int code) {
  fprintf(to, ",%s\"error\": {\"message\": ", gap);
  print_string(to, json.message);
  fprintf(to, ", \"status\": \"%s\", \"exit_code\": %d}", status_name(json.status), code);
}

static void print_line_head(FILE *to, const char *event) {
  fprintf(to, "{\"schema\": %d, \"event\": \"%s\", \"time\": %.3f", JSON_SCHEMA, event, fovea_time());
}

static void print_all(FILE *to, const char *result, int code) {
  const char *gap = json.lines ? " " : "\n  ";
  if (json.lines) {
    print_line_head(to, "end");
  } else {
    fprintf(to, "{\n  \"schema\": %d,\n  \"command\": ", JSON_SCHEMA);
    if (json.command[0] != '\0')
      print_string(to, json.command);
    else
      fputs("null", to);
  }
  if (json.failed) print_error(to, gap, code);
  print_members(to, result, json.lines ? "}" : "\n}");
}

/* --- printing from a signal handler ------------------------------------------------------------------------------ */

static struct {
  char text[MESSAGE + 256];
  size_t used;
} last;

static void last_add(const char *text) {
  for (; *text != '\0' && last.used < sizeof last.text; text++) last.text[last.used++] = *text;
}

static void last_number(unsigned long long number, int digits) {
  char text[24];
  size_t at = sizeof text - 1;
  text[at] = '\0';
  for (; number > 0 || digits > 0; number /= 10, digits--) text[--at] = (char)('0' + number % 10);
  last_add(&text[at]);
}

static void last_string(const char *text) {
  for (char one[3] = ""; *text != '\0'; text++) {
    const unsigned char c = (unsigned char)*text;
    const bool quoted = c == '"' || c == '\\';
    one[0] = quoted ? '\\' : c < 0x20 || c >= 0x7f ? '?' : *text;
    one[1] = quoted ? *text : '\0';
    last_add(one);
  }
}

void json_dying(fovea_status status, const char *message) {
  if (!json.wanted) return;
  last.used = 0;
  last_add("{\"schema\": ");
  last_number(JSON_SCHEMA, 1);
  if (json.lines) {
    const double now = fovea_time();
    last_add(", \"event\": \"end\", \"time\": ");
    last_number((unsigned long long)now, 1);
    last_add(".");
    last_number((unsigned long long)(now * MILLI) % MILLI, 3);
  } else {
    last_add(", \"command\": \"");
    last_string(json.command);
    last_add("\"");
  }
  last_add(", \"error\": {\"message\": \"");
  last_string(message);
  last_add("\", \"status\": \"");
  last_add(status_name(status));
  last_add("\", \"exit_code\": ");
  last_number((unsigned long long)status, 1);
  last_add("}}\n");
  (void)!write(STDOUT_FILENO, last.text, last.used);
}

void json_end(int code) {
  if (json.wanted && (json.failed || json.result != NULL)) print_all(stdout, json.result, code);
  if (json.lines) fflush(stdout);
  free(json.result);
  json.result = NULL;
  json.wanted = false;
}

void json_preview(const char *result, char *text, size_t size) {
  FILE *to = fmemopen(text, size, "w");
  text[0] = '\0';
  if (to == NULL) return;
  if (json.lines) {
    print_line_head(to, "interrupt");
    print_members(to, NULL, "}");
  }
  print_all(to, result, 0);
  fclose(to);
}

/* A reader that is gone would else be told of when all is done. Not through the listener, who writes to it. */
static void say_unread(void) {
  static bool told;
  if (!told)
    fputs("fovea: standard output cannot be written any more; what is done goes on, and ends with 5\n", stderr);
  told = true;
}

void json_log(const char *event, json_t *members) {
  char *text = json_logs() && members != NULL ? json_dumps(members, JSON_COMPACT) : NULL;
  if (json_logs()) {
    print_line_head(stdout, event);
    print_members(stdout, text, "}");
    if (fflush(stdout) != 0 || ferror(stdout)) say_unread();
  }
  free(text);
  json_decref(members);
}
