/* Branches, barriers, ends, and what has no effect here: waits, hints. */
#include "wave.h"

static const step *code_end(wave *w, const step *o) {
  (void)o;
  return stop(w, "the end of the code");
}

static const step *endpgm(wave *w, const step *o) {
  (void)o;
  w->head.state = ENDED;
  return NULL;
}

/* A lane that is away when its wave comes to a barrier never reaches it; hardware would not tell. */
static const step *barrier(wave *w, const step *o) {
  if (exec_of(w) != w->live) return stop(w, "a barrier that only some of a wave's work-items reach");
  w->head.state = WAITING;
  w->head.next = o + 1;
  return NULL;
}

#define BRANCH(name, condition)                     \
  static const step *name(wave *w, const step *o) { \
    (void)w;                                        \
    return (condition) ? o->target : o + 1;         \
  }
BRANCH(branch, true)
BRANCH(scc0, !w->scc)
BRANCH(scc1, w->scc)
BRANCH(vccz, bits_at(w, VCC) == 0)
BRANCH(vccnz, bits_at(w, VCC) != 0)
BRANCH(execz, exec_of(w) == 0)
BRANCH(execnz, exec_of(w) != 0)

/* --- s_getpc: constant tables lie behind the code, whose address is the loaded object's
 * ------------------------------- */

static const step *getpc(wave *w, const step *o) {
  set_pair(w, o->d[0].index, (uint64_t)(uintptr_t)w->image + o->address + 4);
  return o + 1;
}

const instruction LANED(control_instructions)[] = {
    {"s_endpgm", "", endpgm},
    {"s_barrier", "", barrier},
    {"s_branch", "b", branch},
    {"s_cbranch_scc0", "b", scc0},
    {"s_cbranch_scc1", "b", scc1},
    {"s_cbranch_vccz", "b", vccz},
    {"s_cbranch_vccnz", "b", vccnz},
    {"s_cbranch_execz", "b", execz},
    {"s_cbranch_execnz", "b", execnz},
    {"s_getpc_b64", "T", getpc},
    {"s_nop", "?", NULL},
    {"s_clause", "?", NULL},
    {"s_delay_alu", "?", NULL},
    {"s_waitcnt", "?", NULL},
    {"s_waitcnt_depctr", "?", NULL},
    {"s_waitcnt_vscnt", "?", NULL},
    {"s_set_inst_prefetch_distance", "?", NULL},
    {"s_inst_prefetch", "?", NULL},
    {"s_sendmsg", "?", NULL},
    {"s_code_end", "?", code_end},
    {"buffer_gl0_inv", "?", NULL},
    {"buffer_gl1_inv", "?", NULL},
    {"buffer_wbl2", "?", NULL},
    {"buffer_invl2", "?", NULL},
    {"buffer_wbinvl1", "?", NULL},
    {"buffer_wbinvl1_vol", "?", NULL},
    {0},
};
