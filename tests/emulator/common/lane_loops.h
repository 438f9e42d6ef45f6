/* Loops over the lanes of a wave or the threads of a warp: LANES of them, of `w` those that are active. */
#ifndef FOVEA_TESTS_EMULATOR_COMMON_LANE_LOOPS_H
#define FOVEA_TESTS_EMULATOR_COMMON_LANE_LOOPS_H

/* Iterations are independent: an instruction's registers are the same or other ones, never shifted against each other.
 */
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep") _Pragma("GCC unroll 1") /* unrolled first, GCC 12 makes no vectors of 16 */
#endif
#define EACH_LANE INDEPENDENT for (int l = 0; l < LANES; l++)

/* The statement for each active lane `l`. */
#define ACTIVE_LANES(statement)                    \
  do {                                             \
    if (w->full) {                                 \
      EACH_LANE { statement; }                     \
    } else {                                       \
      EACH_LANE if (w->active.u[l]) { statement; } \
    }                                              \
  } while (0)

#endif
