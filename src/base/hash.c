/* The place where libxxhash's functions are compiled; see hash.h. */
#define XXH_IMPLEMENTATION
#include "base/hash.h"
