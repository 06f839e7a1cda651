#!/usr/bin/env python3
"""The differential laboratory; see README.md.

    lab.py suite [PATTERN...]      run the written cases
    lab.py show PATTERN            print the logs of cases
    lab.py random -n N -s SEED     run generated scripts
    lab.py seed SEED               print the script of a seed and where it differs
"""

import argparse
import glob
import multiprocessing
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from otrlab import campaign, generate, script, suite
from otrlab.bench import Bench
from otrlab.differences import RULES

STOCK = next(iter(sorted(glob.glob("/usr/lib/*/libotr.so.5"))), "/usr/lib/libotr.so.5")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stock", default=os.environ.get("STOCK_LIBOTR", STOCK), help="the reference library")
    parser.add_argument("--ours", default=os.environ.get("OUR_LIBOTR"), help="the library to compare")
    commands = parser.add_subparsers(dest="command", required=True)
    part = commands.add_parser("suite")
    part.add_argument("patterns", nargs="*")
    part.add_argument("-j", "--processes", type=int, default=os.cpu_count())
    part = commands.add_parser("show")
    part.add_argument("patterns", nargs="+")
    part.add_argument("--pairing", default="stock+stock")
    part.add_argument("--brief", action="store_true", help="leave out the state of contexts")
    part = commands.add_parser("random")
    part.add_argument("-n", type=int, default=2000, help="how many scripts")
    part.add_argument("-s", "--seed", type=int, default=1, help="the first seed")
    part.add_argument("-j", "--processes", type=int, default=os.cpu_count())
    part.add_argument("--shrink", type=int, default=3, help="how many failing scripts to make short")
    part = commands.add_parser("seed")
    part.add_argument("seed", type=int)
    part.add_argument("--pairing")
    part.add_argument("--shrink", action="store_true")
    return parser.parse_args()


def libraries(options):
    found = {"stock": options.stock}
    if options.ours:
        found["ours"] = os.path.abspath(options.ours)
    return found


def run_suite(options):
    began, bad, seen = time.time(), 0, set()
    cases = suite.written_cases(options.patterns)
    with multiprocessing.Pool(options.processes, suite.start, (libraries(options), cases)) as pool:
        for case, (problems, found) in zip(cases, pool.imap(suite.work, range(len(cases)))):
            seen |= found
            if problems:
                bad += 1
                print("FAIL %s" % case.name)
                for problem in problems:
                    print("    " + problem.replace("\n", "\n    "))
    for problem in suite.undocumented(suite.written_cases(), [rule.name for rule in RULES]):
        bad += 1
        print("FAIL %s" % problem)
    pairings = len(libraries(options)) ** 2
    print("%d cases in %d pairings, %d failed, %.0f s" % (len(cases), pairings, bad, time.time() - began))
    if seen:
        print("deliberate differences seen: %s" % " ".join(sorted(seen)))
    return 1 if bad or not cases else 0


def show(options):
    bench = Bench(libraries(options))
    for case in suite.written_cases(options.patterns):
        print("case %s: %s" % (case.name, case.title))
        for step, lines in zip(case.steps, bench.run(options.pairing, case.steps)):
            print("> " + " ".join(step))
            for line in lines:
                if not options.brief or line.split(" ")[1] not in ("ctx", "auth", "sm", "priv", "order", "fp"):
                    print("    " + line)
    bench.close()
    return 0


def run_random(options):
    return 1 if campaign.run(libraries(options), options.seed, options.n, options.processes, options.shrink) else 0


def run_seed(options):
    print(script.text(generate.script(options.seed)))
    examiner = campaign.Examiner(libraries(options))
    failures, counts = examiner.examine(options.seed)
    for pairing, shown in failures:
        print("%s\n%s" % (pairing, shown))
        if options.shrink and pairing in (options.pairing or pairing):
            print(examiner.shrunk(options.seed, pairing))
    print(dict(counts))
    examiner.bench.close()
    return 1 if failures else 0


def main():
    options = arguments()
    if not os.path.exists(options.stock):
        print("lab: there is no %s to compare with (Debian: libotr5)" % options.stock, file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    return {"suite": run_suite, "show": show, "random": run_random, "seed": run_seed}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
