/* --json: one object on stdout and nothing else there, whether the command succeeds or fails. Its first members are
 * "schema", the version of output.schema.json that it follows, and "command"; of a failure "error" comes next, with the
 * message, the status's name and the exit code; then the result, where there is one. What people read goes to stderr.
 *
 * --log-json, of a training: an object a line as things happen, each with "schema", "event" and "time" (seconds since
 * 1970); the last is "end", with the result or the error. */
#ifndef FOVEA_TOOLS_CLI_JSON_H
#define FOVEA_TOOLS_CLI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "fovea/status.h"

enum { JSON_SCHEMA = 1 };

/* The option of a subcommand; its value is set as any other's. */
option json_option(bool *json);

/* Before a subcommand's options are parsed: looks whether they have --json or --log-json, so that what is wrong with
 * them is told that way. `command`: copied; NULL where none is known. */
void json_begin(const char *command, int argc, char **argv);
void json_want(bool lines); /* an option said so after all, abbreviated */
bool json_wanted(void);     /* of either kind */
bool json_logs(void);       /* --log-json */

/* FOVEA_INVALID for a text (NULL is fine) that is no UTF-8, where JSON is wanted, which could not have it in its
 * result. Said before anything is made. */
fovea_status json_check(const char *what, const char *text);

/* What json_end prints as the result: an object, which is taken, or a text of one, which is copied. FOVEA_NO_MEMORY,
 * also for NULL. */
fovea_status json_result(json_t *object);
fovea_status json_result_text(const char *text);

/* The current message and its status are what json_end prints as the error. */
void json_failed(fovea_status status);

/* Prints what there is; once, at the end of a subcommand that answers with this exit code. */
void json_end(int code);

/* What json_end would print of this result, as a text of less than `size` bytes: for a signal handler. */
void json_preview(const char *result, char *text, size_t size);

/* The same at once for a failure that a signal handler ends the process with, whatever was the result:
 * async-signal-safe, '?' for what is no ASCII. */
void json_dying(fovea_status status, const char *message);

/* A string, in which '?' stands for what is no ASCII if the text is no UTF-8. NULL without memory. */
json_t *json_said(const char *text);

/* Prints a line of --log-json at once, and flushes it: the object's members after "event", or none (NULL), which is
 * taken. Without --log-json it does nothing more. */
void json_log(const char *event, json_t *members);

#endif
