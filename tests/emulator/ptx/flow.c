/* Where the ways of a branch meet again: the immediate postdominator of its block, by Cooper, Harvey and Kennedy, "A
 * Simple, Fast Dominance Algorithm" (2001), on the graph turned round. */
#include <stdio.h>
#include <stdlib.h>

#include "draft.h"

int draft_next(const draft *d, uint32_t last, uint32_t next[2]) {
  const draft_step *o = &d->steps[last];
  int count = 0;
  if (o->ends) return 0;
  if (o->target != NOWHERE) next[count++] = o->target;
  if ((o->target == NOWHERE || o->conditional) && last + 1 < d->count) next[count++] = last + 1;
  return count;
}

static bool find_targets(draft *d) {
  for (uint32_t i = 0; i < d->count; i++) {
    draft_step *o = &d->steps[i];
    if (!o->label) continue;
    for (uint32_t k = 0; k < d->label_count; k++)
      if (d->labels[k].length == o->label_length && memcmp(d->labels[k].name, o->label, o->label_length) == 0)
        o->target = d->labels[k].at;
    if (o->target >= d->count) {
      snprintf(d->wrong, sizeof d->wrong, "a branch to no instruction: %s", o->step.text);
      return false;
    }
  }
  const draft_step *last = &d->steps[d->count - 1];
  if (last->ends || (last->target != NOWHERE && !last->conditional)) return true;
  snprintf(d->wrong, sizeof d->wrong, "its code goes on behind its end");
  return false;
}

/* Instructions are the nodes, and behind the last the end of all ways; their number in an order that has a node behind
 * one that may follow it, where it is not a loop's. 0: none that leads to the end. */
typedef struct graph {
  const draft *d;
  uint32_t *before, *first_before; /* the nodes before each node */
  uint32_t *number, *node;         /* of a node; of a number */
  uint32_t count;
  uint32_t *meets; /* the nearest node that all ways lead through */
} graph;

static int followers(const draft *d, uint32_t node, uint32_t next[2]) {
  const int count = draft_next(d, node, next);
  if (count == 0) next[0] = d->count;
  return count ? count : 1;
}

static void turn_round(graph *g) {
  const uint32_t n = g->d->count;
  uint32_t next[2], *at = calloc(n + 2, sizeof *at);
  if (!at) abort();
  for (uint32_t i = 0; i < n; i++)
    for (int k = followers(g->d, i, next); k-- > 0;) at[next[k] + 1]++;
  for (uint32_t i = 0; i <= n; i++) at[i + 1] += at[i];
  memcpy(g->first_before, at, (n + 2) * sizeof *at);
  for (uint32_t i = 0; i < n; i++)
    for (int k = followers(g->d, i, next); k-- > 0;) g->before[at[next[k]]++] = i;
  free(at);
}

/* Depth first from the end: numbers fall. */
static void order(graph *g) {
  const uint32_t n = g->d->count;
  uint32_t *stack = calloc(n + 1, sizeof *stack), *place = calloc(n + 1, sizeof *place), depth = 0, next = n + 1;
  bool *seen = calloc(n + 1, sizeof *seen);
  if (!stack || !place || !seen) abort();
  stack[depth++] = n, seen[n] = true, place[n] = g->first_before[n];
  while (depth > 0) {
    const uint32_t node = stack[depth - 1];
    if (place[node] == g->first_before[node + 1]) {
      g->node[next] = node, g->number[node] = next--;
      depth--;
      continue;
    }
    const uint32_t before = g->before[place[node]++];
    if (seen[before]) continue;
    seen[before] = true, place[before] = g->first_before[before];
    stack[depth++] = before;
  }
  g->count = n + 1;
  free(stack);
  free(place);
  free(seen);
}

/* Numbers of order() are smaller nearer to the end. */
static uint32_t meet(const graph *g, uint32_t a, uint32_t b) {
  while (a != b)
    if (g->number[a] > g->number[b])
      a = g->meets[a];
    else
      b = g->meets[b];
  return a;
}

static void find_meets(graph *g) {
  const uint32_t end = g->d->count;
  for (uint32_t i = 0; i <= end; i++) g->meets[i] = NOWHERE;
  g->meets[end] = end;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t number = 1; number <= g->count; number++) {
      const uint32_t node = g->node[number];
      if (g->number[node] != number || node == end) continue; /* a number that no node has */
      uint32_t next[2], all = NOWHERE;
      for (int k = followers(g->d, node, next); k-- > 0;) {
        if (g->meets[next[k]] == NOWHERE) continue;
        all = all == NOWHERE ? next[k] : meet(g, all, next[k]);
      }
      if (g->meets[node] == all) continue;
      g->meets[node] = all;
      changed = true;
    }
  }
}

bool draft_find_flow(draft *d) {
  const uint32_t n = d->count;
  if (!find_targets(d)) return false;
  graph g = {.d = d};
  g.before = calloc(2 * (size_t)n + 2, sizeof *g.before);
  g.first_before = calloc(n + 2, sizeof *g.first_before);
  g.number = calloc(n + 1, sizeof *g.number);
  g.node = calloc(n + 2, sizeof *g.node);
  g.meets = calloc(n + 1, sizeof *g.meets);
  if (!g.before || !g.first_before || !g.number || !g.node || !g.meets) abort();
  turn_round(&g);
  order(&g);
  find_meets(&g);
  for (uint32_t i = 0; i < n; i++) {
    draft_step *o = &d->steps[i];
    if (!o->conditional || g.meets[i] >= n) continue; /* only at the end, or in a loop without one */
    o->join = g.meets[i];
    d->steps[o->join].is_join = true;
  }
  free(g.before);
  free(g.first_before);
  free(g.number);
  free(g.node);
  free(g.meets);
  return true;
}
