"""The runners of one worker: two for each library, one per side."""

import multiprocessing
import os
import tempfile

from .runner import HERE, Runner
from .world import World, fingerprints

PAIRINGS = {"stock+stock": ("stock", "stock"), "ours+ours": ("ours", "ours"),
            "ours+stock": ("ours", "stock"), "stock+ours": ("stock", "ours")}


def settle():
    """Keeps this worker of a pool, and the runners that it starts, on one processor.

    They take turns, and waking one on another processor costs more than its answer."""
    processors = sorted(os.sched_getaffinity(0))
    number = multiprocessing.current_process()._identity[0]
    os.sched_setaffinity(0, {processors[number % len(processors)]})


class Bench:
    def __init__(self, libraries, program=None, wrapper=()):
        """libraries: path by name, `stock` and perhaps `ours`."""
        self.place = tempfile.TemporaryDirectory(prefix="otrlab.")
        program = program or os.path.join(HERE, "build", "runner")
        self.runners = {
            (name, side): Runner(program, path, os.path.join(self.place.name, name + side), wrapper)
            for name, path in libraries.items() for side in "AB"
        }
        self.pairings = [name for name, sides in PAIRINGS.items() if set(sides) <= set(libraries)]
        self.known = fingerprints()

    def run(self, pairing, steps, seed=1):
        """The log of the steps in this pairing; see World.run."""
        a, b = PAIRINGS[pairing]
        world = World(self.runners[a, "A"], self.runners[b, "B"], self.known)
        log = world.run(steps, seed)
        return log

    def close(self):
        for runner in self.runners.values():
            runner.close()
        self.place.cleanup()
