/* How the library reports a failure: return fovea_fail(FOVEA_INVALID, "conv2d: stride %d, expected 1 or 2", s); */
#ifndef FOVEA_BASE_FAIL_H
#define FOVEA_BASE_FAIL_H

#include "fovea/status.h"

/* Formats the sentence that fovea_error_message() will return and gives `status` back. */
__attribute__((format(printf, 2, 3))) fovea_status fovea_fail(fovea_status status, const char *format, ...);

/* Puts "prefix: " before the current message, for a caller that knows where the failure happened. */
__attribute__((format(printf, 2, 3))) fovea_status fovea_fail_in(fovea_status status, const char *format, ...);

/* What a public function that was given NULL returns: if (!data) return fovea_fail_null("data"); It names itself. */
#define fovea_fail_null(argument) fovea_fail(FOVEA_INVALID, "%s: %s is NULL", __func__, argument)

/* What a function of the caller's returns, which may fail without a sentence of its own: the message would be an
 * earlier one. status = fovea_fail_of_caller("ranks: begin", ranks->begin(...)); */
#define fovea_fail_of_caller(name, call) (fovea_fail_none(), fovea_fail_unless_said(name, call))
void fovea_fail_none(void);
fovea_status fovea_fail_unless_said(const char *name, fovea_status status);

#endif
