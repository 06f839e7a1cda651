#!/usr/bin/env python3
"""Compares the CPU cost of two libotr.so.5:  compare.py WORKLOAD CANDIDATE REFERENCE [PAIRS]

Each library runs in processes of its own, in turn, so that a machine whose speed drifts is unfair to neither. Printed are
the medians and the median of the ratios pair by pair, with the smallest and the largest: below 1, the candidate is cheaper.
"""
import statistics
import subprocess
import sys
import tempfile


def measure(workload, library, folder):
    found = {}
    # Contacts in processes of their own: what was in memory before would decide.
    for contacts in ([], ["100"], ["1000"], ["10000"]):
        done = subprocess.run([workload, library, folder, *contacts], capture_output=True, text=True, timeout=300)
        if done.returncode:
            sys.exit(f"{library}: {done.stderr.strip() or done.returncode}")
        for line in done.stdout.splitlines():
            name, number, unit = line.split()
            found.setdefault(name, (float(number), unit))
    return found


def human(number, unit):
    larger = {"ns": (("ms", 1e6), ("us", 1e3)), "B": (("MiB", 2**20), ("KiB", 2**10))}[unit]
    for prefixed, size in larger:
        if number >= size:
            return f"{number / size:.2f} {prefixed}"
    return f"{number:.0f} {unit}"


def main():
    workload, candidate, reference = sys.argv[1:4]
    pairs = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        measure(workload, reference, folder)  # makes the keys
        for number in range(pairs):
            order = [candidate, reference] if number % 2 else [reference, candidate]
            cost = {library: measure(workload, library, folder) for library in order}
            runs.append((cost[candidate], cost[reference]))
    print(f"| {'both sides together':24} | {'candidate':>10} | {'reference':>10} | ratio (smallest to largest) |")
    print("|---|---:|---:|---|")
    for name in runs[0][0]:
        unit = runs[0][0][name][1]
        ratios = [ours[name][0] / max(theirs[name][0], 1) for ours, theirs in runs]
        ours = statistics.median(run[0][name][0] for run in runs)
        theirs = statistics.median(run[1][name][0] for run in runs)
        print(f"| {name:24} | {human(ours, unit):>10} | {human(theirs, unit):>10} | "
              f"{statistics.median(ratios):.4f} ({min(ratios):.4f} to {max(ratios):.4f}) |")


main()
