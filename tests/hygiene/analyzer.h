// Included before every file that clang-tidy reads, except the one that defines these functions. The analyzer sees one
// file at a time: without this it takes fovea_fail(FOVEA_NO_MEMORY, ...) for something that may return FOVEA_OK.
#pragma once
#include "base/fail.h"
#define fovea_fail(status, ...) (fovea_fail(status, __VA_ARGS__), (status))
#define fovea_fail_in(status, ...) (fovea_fail_in(status, __VA_ARGS__), (status))
