"""Runs the written cases."""

import glob
import os
import re

from . import script
from .bench import PAIRINGS, Bench, settle
from .campaign import seen_once
from .compare import first_difference, masked
from .runner import HERE


def written_cases(patterns=()):
    cases = []
    for path in sorted(glob.glob(os.path.join(HERE, "scripts", "*.lab"))):
        cases += script.parse(path)
    names = set()
    for case in cases:
        if case.name in names:
            raise ValueError("%s: the name %s is taken" % (case.where, case.name))
        names.add(case.name)
    return [c for c in cases if not patterns or any(p in c.name for p in patterns)]


def undocumented(cases, rules):
    """What docs/differences.md and the laboratory say about each other that is not so."""
    path = os.path.join(os.path.dirname(HERE), "docs", "differences.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    entries = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text, re.S | re.M))
    names = {case.name for case in cases}
    marks = {mark for case in cases for marked in case.differs.values() for mark in marked}
    wrong = ["%s is not in docs/differences.md" % mark for mark in sorted(marks | set(rules)) if mark not in entries]
    for entry, body in entries.items():
        shown = re.findall(r"`(\d[^`]*)`", body)
        for test, path in re.findall(r"`(\w+)` in\s+`(tests/[\w/]+\.rs)`", body):
            if not has_test(path, test):
                wrong.append("docs/differences.md, %s: there is no test %s in %s" % (entry, test, path))
        tested = "` in `tests/" in " ".join(body.split())
        wrong += ["docs/differences.md, %s: there is no case %s" % (entry, name) for name in shown if name not in names]
        if not shown and not tested:
            wrong.append("docs/differences.md, %s: no case shows it" % entry)
    return wrong


def has_test(path, name):
    """Whether a Rust test of this name is in the file."""
    try:
        with open(os.path.join(os.path.dirname(HERE), path), encoding="utf-8") as file:
            return "fn %s(" % name in file.read()
    except OSError:
        return False


def library_of(who, steps, pairing):
    """Which library hosts a client, or a side, in a pairing."""
    side = "A" if who in ("alice", "A") else "B"
    for step in steps:
        if step[0] == "client" and step[1] == who:
            side = step[3]
    return PAIRINGS[pairing]["AB".index(side)]


def readable(line):
    return line.replace("%20", " ")


def failed_checks(case, pairing, log):
    """What the `expect` lines of a case find wrong in a log."""
    wrong = []
    for step, checks in case.checks.items():
        for verb, who, wanted, where in checks:
            word, _, only = verb.partition(":")
            where_from, _, library = only.rpartition("=")
            if only and library_of(where_from or who, case.steps, pairing) != library:
                continue
            found = any(line.startswith(who + "| ") and wanted in readable(line) for line in log[step])
            if found != (word == "expect"):
                wrong.append("%s: %s in %s: %s" % (where, pairing, "not found" if not found else "found", wanted))
    return wrong


def run_case(bench, case):
    """(problems, deliberate differences seen, logs) of a case in all pairings."""
    problems, seen, logs = [], set(), {}
    pairings = [p for p in bench.pairings if not case.sides or p in case.sides]
    for pairing in pairings:
        logs[pairing] = bench.run(pairing, case.steps)
        problems += failed_checks(case, pairing, logs[pairing])
    if not case.checks:
        problems.append("%s: the case expects nothing" % case.where)
    first_marked = min(case.differs, default=None)
    base, _ = masked(logs["stock+stock"]) if "stock+stock" in logs else (None, None)
    differs = False
    for pairing in pairings:
        if base is None or pairing == "stock+stock":
            continue
        log, _ = masked(logs[pairing])
        difference = first_difference(base, log, upto=first_marked)
        if difference:
            problems.append("%s: unexplained difference\n%s" % (
                case.name, difference.show(case.steps, "stock+stock", pairing)))
        elif first_marked is not None and first_difference(base, log):
            differs = True
    if differs:
        for words in case.differs.values():
            seen.update(words)
    elif case.differs and base is not None and len(pairings) > 1:
        problems.append("%s: marked as different (%s), but the logs are equal" % (case.where, case.differs))
    return problems, seen, logs


_bench, _cases = None, ()


def start(libraries, cases):
    """Begins a worker process."""
    global _bench, _cases
    settle()
    _bench, _cases = Bench(libraries), cases


def work(number):
    """(problems, deliberate differences seen) of one of the worker's cases."""
    case = _cases[number]
    try:
        problems, seen, _ = run_case(_bench, case)
        # Chance decides in a few cases, see campaign.py.
        if seen_once(problems, lambda: run_case(_bench, case)[0]):
            print("ONCE %s\n    %s" % (case.name, "\n    ".join(problems)), flush=True)
            problems = []
        return problems, seen
    except Exception as error:  # a broken runner must show as a failure of this case
        return ["%s: the laboratory: %r" % (_cases[number].where, error)], set()
