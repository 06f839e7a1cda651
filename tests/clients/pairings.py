#!/usr/bin/env python3
"""Runs the drives with a library on both sides, on side A alone and on side B alone:

    pairings.py FOLDER [DRIVE...]        FOLDER holds our libotr.so.5; the other side is the system's
    pairings.py --system [DRIVE...]      the system's library on both sides, once

A DRIVE is irssi, pidgin, profanity-ejabberd or profanity-prosody; without one, all are run. Two run at a time.
"""
import concurrent.futures
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVES = {"irssi": ["irssi.py"], "pidgin": ["pidgin.py"], "profanity-ejabberd": ["profanity.py", "ejabberd"],
          "profanity-prosody": ["profanity.py", "prosody"]}


def run(drive, side_a, side_b, **more):
    """One drive; returns what it printed and whether it passed."""
    command = [sys.executable, os.path.join(HERE, DRIVES[drive][0]), *DRIVES[drive][1:]]
    environment = {**os.environ, "LIB_A": side_a, "LIB_B": side_b, **more}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", timeout=300, check=False)
    lines = done.stdout.splitlines()
    return done.stdout + done.stderr, done.returncode == 0 and bool(lines) and lines[-1].startswith("PASS ")


def main():
    folder, *names = sys.argv[1:]
    pairings = [("", "")]
    if folder != "--system":
        ours = os.path.abspath(folder)
        pairings = [(ours, ours), (ours, ""), ("", ours)]
    say = {"": "the system's"}
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = {(drive, pair): pool.submit(run, drive, *pair) for drive in names or DRIVES for pair in pairings}
        for (drive, (side_a, side_b)), job in jobs.items():
            output, passed = job.result()
            last = [line for line in output.splitlines() if line.startswith(("PASS ", "FAIL "))]
            print(f"A: {say.get(side_a, 'ours'):<13} B: {say.get(side_b, 'ours'):<13} {last[-1] if last else 'FAIL ' + drive}",
                  flush=True)
            if not passed:
                failures += 1
                print(output)
    print(f"{'FAIL' if failures else 'PASS'} client drives: {len(jobs) - failures} of {len(jobs)}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
