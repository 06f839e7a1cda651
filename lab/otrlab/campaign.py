"""Runs generated scripts on all pairings, in several processes."""

import functools
import itertools
import multiprocessing
import time
from collections import Counter

from . import generate, script
from .bench import PAIRINGS, Bench, settle
from .compare import Comparison, masked
from .differences import RULES
from .shrink import shrink
from .world import ScriptError


def hosted_by_ours(pairing, steps):
    """The clients that our library hosts in a pairing."""
    sides = {"alice": "A", "bob": "B"}
    for step in steps:
        if step[0] == "client":
            sides[step[1]] = step[3]
    a, b = PAIRINGS[pairing]
    return {name for name, side in sides.items() if (a if side == "A" else b) == "ours"} | {
        side for side, library in (("A", a), ("B", b)) if library == "ours"}


def compare(steps, base, log, pairing):
    """(difference or None, the comparison) between a log and the masked reference."""
    comparison = Comparison(steps, hosted_by_ours(pairing, steps), RULES)
    return comparison.run(base, masked(log)[0]), comparison


class Examiner:
    """Runs one script after the other in one process."""

    def __init__(self, libraries):
        self.bench = Bench(libraries)

    def examine(self, seed, attempt=0):
        """What a seed's script gave: failures as text, and counts.

        Each attempt runs the same script with other random numbers."""
        steps, randomness = generate.script(seed), seed + (attempt << 32)
        base = self.bench.run("stock+stock", steps, randomness)
        counts, failures = Counter(scripts=1), []
        text = "\n".join(line for lines in base for line in lines)
        counts["with a session"] = "_secure" in text
        counts["lines"] = sum(len(lines) for lines in base)
        base = masked(base)[0]
        for pairing in self.bench.pairings:
            if pairing == "stock+stock":
                continue
            log = self.bench.run(pairing, steps, randomness)
            difference, comparison = compare(steps, base, log, pairing)
            counts["lines compared"] += comparison.compared
            counts["logs"] += 1
            counts["logs compared to the end"] += difference is None and not comparison.stopped
            for name in set(comparison.explained):
                counts["difference " + name] += 1
            if difference:
                failures.append((pairing, difference.show(steps, "stock+stock", pairing)))
        return failures, counts

    def differs(self, steps, pairing, seed):
        base = masked(self.bench.run("stock+stock", steps, seed))[0]
        return compare(steps, base, self.bench.run(pairing, steps, seed), pairing)[0]

    def shrunk(self, seed, pairing):
        """A short script with an unexplained difference, and the difference."""
        def fails(part):
            try:
                return self.differs(part, pairing, seed) is not None
            except ScriptError:  # a step lacks its client
                return False

        steps = shrink(generate.script(seed), fails)
        difference = self.differs(steps, pairing, seed)
        shown = difference.show(steps, "stock+stock", pairing) if difference else "(does not fail any more)"
        return "# seed %d, %s\n%s%s" % (seed, pairing, script.text(steps), shown)


_examiner = None


def _start(libraries):
    global _examiner
    settle()
    _examiner = Examiner(libraries)


# What a script shows can depend on which of two random numbers is larger, or on
# a number that is shorter than usual. A difference that does not come again in as
# many runs with other numbers is shown and counted, and does not fail a campaign
# unless it has more than one in so many scripts.
RUNS, ONCE_IN = 3, 200


def seen_once(problems, run):
    """Whether none of the runs after one with problems has any."""
    return bool(problems) and not any(run() for _ in range(RUNS))


def _work(seed):
    try:
        failures, counts = _examiner.examine(seed)
        attempts = itertools.count(1)
        if seen_once(failures, lambda: _examiner.examine(seed, next(attempts))[0]):
            counts["differences seen once"] = 1
        return seed, failures, counts
    except Exception as error:  # a broken runner must show as a failure of this seed
        return seed, [("laboratory", repr(error))], Counter(scripts=1)


def run(libraries, first, count, processes, shrink_failures=3, report=functools.partial(print, flush=True)):
    """Runs `count` scripts from seed `first`; the number of failing ones."""
    began, totals, failing = time.time(), Counter(), []
    with multiprocessing.Pool(processes, _start, (libraries,)) as pool:
        for seed, failures, counts in pool.imap_unordered(_work, range(first, first + count), chunksize=4):
            totals.update(counts)
            once = counts["differences seen once"]
            for pairing, shown in failures:
                verdict = "ONCE" if once else "FAIL"
                report("%s seed %d, %s\n    %s" % (verdict, seed, pairing, shown.replace("\n", "\n    ")))
            if failures and not once:
                failing.append((seed, failures[0][0]))
            if totals["scripts"] % 1000 == 0:
                report("%d scripts, %d failing, %.0f s" % (totals["scripts"], len(failing), time.time() - began))
    if failing and shrink_failures:
        examiner = Examiner(libraries)
        for seed, pairing in failing[:shrink_failures]:
            if pairing in PAIRINGS:
                report(examiner.shrunk(seed, pairing))
    report("seeds %d to %d: %d failing, %.0f s" % (first, first + count - 1, len(failing), time.time() - began))
    for name in sorted(totals):
        report("    %-40s %d" % (name, totals[name]))
    if totals["differences seen once"] * ONCE_IN > count:
        report("FAIL: too many differences that were seen once")
        return len(failing) + 1
    return len(failing)
