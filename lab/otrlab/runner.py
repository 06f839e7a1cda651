"""A runner process that hosts the clients of one library."""

import os
import subprocess
from urllib.parse import quote_from_bytes, unquote_to_bytes

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAFE = "!\"#$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}"


def encode_word(word):
    """A word for the runner; None is the null pointer."""
    if word is None:
        return "~"
    return quote_from_bytes(word.encode("latin-1"), safe=SAFE) or "%"


def decode_word(word):
    return None if word == "~" else unquote_to_bytes(word).decode("latin-1")


class Runner:
    def __init__(self, program, library, folder, wrapper=()):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.scripts = 0
        self.process = subprocess.Popen(
            [*wrapper, program, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.pending = b""
        self.alive = False

    def read_answer(self):
        """The lines of one answer, without the dot."""
        while not (self.pending == b".\n" or self.pending.endswith(b"\n.\n")):
            part = os.read(self.process.stdout.fileno(), 1 << 20)
            if not part:
                raise RuntimeError("the runner has ended: %r" % self.pending[-300:])
            self.pending += part
        lines = self.pending.decode("latin-1").split("\n")[:-2]
        self.pending = b""
        return lines

    def ask(self, *words):
        """Sends one command; the child that dies answers with `died`."""
        if not self.alive:
            return ["dead"]
        os.write(self.process.stdin.fileno(), (" ".join(words) + "\n").encode("latin-1"))
        lines = self.read_answer()
        if lines and lines[-1].startswith("died"):
            self.alive = False
        return lines

    def begin(self, seed):
        self.scripts += 1
        place = os.path.join(self.folder, str(self.scripts % 4))
        os.makedirs(place, exist_ok=True)
        for name in os.listdir(place):
            path = os.path.join(place, name)
            os.rmdir(path) if os.path.isdir(path) else os.remove(path)
        self.alive = True
        self.ask("begin", place, str(seed))

    def end(self):
        if self.alive:
            self.ask("end")
            self.alive = False

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
