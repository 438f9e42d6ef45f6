"""A kernel as basic blocks of counted instructions, whatever machine's they are, and its loops."""
import collections

# fma: multiply-adds. float: other arithmetic of 32-bit floats. load, uniform: of global memory, each work-item its own or
# one for the whole wave. words: the 32-bit words that those two move. local_: of local memory.
CLASSES = ("fma", "float", "integer", "load", "uniform", "store", "local_load", "local_store", "barrier", "branch")

# counts: {class or "load_words", "uniform_words": number}. target: the label to which it jumps, or None; then: whether it
# may go on to the next block.
Block = collections.namedtuple("Block", "label counts target then")


def issued(counts):
    """Instructions, of counts."""
    return sum(counts.get(c, 0) for c in CLASSES)


class Graph:
    def __init__(self, blocks):
        self.blocks = blocks
        labels = {b.label: i for i, b in enumerate(blocks) if b.label}
        self.after = []
        for i, b in enumerate(blocks):
            self.after.append([labels[b.target]] if b.target else [])
            if b.then and i + 1 < len(blocks):
                self.after[i].append(i + 1)
        self.before = [[] for _ in blocks]
        for i, after in enumerate(self.after):
            for s in after:
                self.before[s].append(i)
        self.loops = self._find_loops()

    def _dominators(self):
        everything = set(range(len(self.blocks)))
        over = [{0}] + [everything] * (len(self.blocks) - 1)
        changed = True
        while changed:
            changed = False
            for i in range(1, len(self.blocks)):
                before = [over[p] for p in self.before[i]]
                now = (set.intersection(*before) if before else set()) | {i}
                if now != over[i]:
                    over[i], changed = now, True
        return over

    def _find_loops(self):
        """{head: blocks}: natural loops, those of one head together."""
        over, loops = self._dominators(), {}
        for i, after in enumerate(self.after):
            for head in after:
                if head not in over[i]:
                    continue
                body, todo = loops.setdefault(head, {head}), [i]
                while todo:
                    one = todo.pop()
                    if one not in body:
                        body.add(one)
                        todo += self.before[one]
        return loops

    def innermost(self):
        """{head: blocks} of the loops without another in them."""
        return {h: l for h, l in self.loops.items() if not any(m < l for m in self.loops.values())}

    def total(self, blocks, times=None):
        """Counts of the blocks together, each `times` of it."""
        total = collections.Counter()
        for b in blocks:
            n = 1 if times is None else times[b]
            for what, count in self.blocks[b].counts.items():
                if n and count:
                    total[what] += n * count
        return total

    def by_loop(self):
        """{head: blocks}: each block is of the smallest loop that it is in; 0: of none."""
        of, everything = {}, dict(self.loops)
        everything.setdefault(0, set(range(len(self.blocks))))
        for i in range(len(self.blocks)):
            head = min((h for h, l in everything.items() if i in l), key=lambda h: len(everything[h]))
            of.setdefault(head, set()).add(i)
        return of

    def product_loops(self, times=None):
        """Those of by_loop that have a tenth of the kernel's multiply-adds or more; without any of these, all. `times`:
        how often each block is executed."""
        loops = self.by_loop()
        fma = {head: self.total(blocks, times)["fma"] for head, blocks in loops.items()}
        if not any(fma.values()):
            return loops
        return {head: blocks for head, blocks in loops.items() if 10 * fma[head] >= sum(fma.values())}
