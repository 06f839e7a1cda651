#!/usr/bin/env python3
"""Shows a private conversation: what Alice and Bob see, and what crosses the wire between them.

    demo.py PARTY LIBRARY_A LIBRARY_B

PARTY is the compiled party.c, LIBRARY_A and LIBRARY_B the folders whose libotr.so.5 Alice and Bob use (an empty name:
the system's). Every claim that is printed has been checked; the first one that does not hold ends the demonstration
with status 1.
"""
import base64
import os
import select
import subprocess
import sys
import tempfile

PATIENCE = 30  # seconds that one command may take; making a key is the slowest
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
KINDS = {0x02: "D-H Commit", 0x0A: "D-H Key", 0x11: "Reveal Signature", 0x12: "Signature", 0x03: "Data message"}


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def heading(text):
    print("\n" + paint("1", text))


def line(who, text, code="0"):
    print(f"  {who:<14}{paint(code, text)}")


def claim(holds, text):
    if not holds:
        print(paint("1;31", f"  NOT TRUE: {text}"))
        sys.exit(1)
    print("  " + paint("32", f"✓ {text}"))


def describe(wire):
    """One line about what anybody on the network could see."""
    if not wire.startswith("?OTR:"):
        return wire.split("\n")[0][:60]
    raw = base64.b64decode(wire[5:].split(".")[0])
    kind = KINDS.get(raw[2], f"type {raw[2]}")
    return f"{wire[:34]}…  {kind}, version {raw[1]}, {len(wire)} characters"


class Party:
    """One running party.c."""

    def __init__(self, name, peer, program, library, folder):
        self.name = name
        env = {"PATH": os.environ["PATH"]}
        if library:
            env["LD_LIBRARY_PATH"] = library
        os.makedirs(folder)
        self.process = subprocess.Popen([program, name, peer, folder, "23"], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.pending = b""
        self.greeting = self.answer()

    def read_line(self):
        while b"\n" not in self.pending:
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                sys.exit(f"{self.name} did not answer within {PATIENCE} s")
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                sys.exit(f"{self.name} ended unexpectedly")
            self.pending += got
        text, self.pending = self.pending.split(b"\n", 1)
        return text.decode("utf-8", "replace")

    def answer(self):
        """The lines up to "ready", as (kind, text)."""
        lines = []
        while True:
            kind, _, text = self.read_line().partition(" ")
            lines.append((kind, text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")))
            if kind == "ready":
                return lines

    def tell(self, command, text=""):
        text = text.replace("\\", "\\\\").replace("\n", "\\n")
        self.process.stdin.write(f"{command} {text}".rstrip().encode() + b"\n")
        self.process.stdin.flush()
        return self.answer()

    def library(self):
        """The libotr that is really mapped into the process."""
        with open(f"/proc/{self.process.pid}/maps") as maps:
            return {row.split()[-1] for row in maps if "libotr.so" in row}

    def status(self):
        words = dict(self.tell("status"))["status"].split("|")
        return dict(zip(("state", "version", "ours", "theirs", "trust", "session"), words))

    def quit(self):
        self.process.stdin.write(b"quit\n")
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


class Conversation:
    """Two parties and the wire between them."""

    def __init__(self, program, libraries, folder):
        self.alice = Party("alice", "bob", program, libraries[0], folder + "/alice")
        self.bob = Party("bob", "alice", program, libraries[1], folder + "/bob")
        self.wire = []

    def other(self, party):
        return self.bob if party is self.alice else self.alice

    def do(self, party, command, text=""):
        """Carries out a command and delivers every message that follows from it; returns what each side reported."""
        seen = {self.alice: [], self.bob: []}
        todo = [(party, party.tell(command, text))]
        while todo:
            who, lines = todo.pop(0)
            for kind, what in lines:
                if kind == "wire":
                    self.wire.append(what)
                    line("on the wire", describe(what), "33")
                    to = self.other(who)
                    todo.append((to, to.tell("recv", what)))
                elif kind != "ready":
                    seen[who].append((kind, what))
        return seen

    def say(self, who, text):
        line(f"{who.name} types", text, "36")
        before = len(self.wire)
        to = self.other(who)
        shown = [what for kind, what in self.do(who, "say", text)[to] if kind == "typed"]
        for what in shown:
            line(f"{to.name} sees", what, "36")
        claim(shown == [text] and not any(text in sent for sent in self.wire[before:]),
              "the text arrived, and was not on the wire")

    def prove(self, who, question, secret, answer):
        """The socialist millionaires' protocol; returns what both learn."""
        asked = self.do(who, "askq", f"{question}|{secret}")[self.other(who)]
        line(f"{self.other(who).name} is asked", " ".join(what.removeprefix("asked ") for kind, what in asked if kind == "smp"), "36")
        line(f"{self.other(who).name} answers", answer, "36")
        seen = self.do(self.other(who), "reply", answer)
        return {what for lines in seen.values() for kind, what in lines if kind == "smp"}


def play(talk):
    alice, bob = talk.alice, talk.bob
    for party in (alice, bob):
        line(party.name, f"libotr {party.greeting[-1][1]} from {', '.join(sorted(party.library()))}")
        claim(("event", "key-made") in party.greeting, "a new DSA key was made")

    heading("Before: nothing is private")
    line("alice types", "Are you there?", "36")
    talk.do(alice, "say", "Are you there?")
    claim("Are you there?" in talk.wire, "without OTR the wire shows the text")

    heading("Alice asks for a private conversation")
    seen = talk.do(alice, "start")
    claim(all(("secure", "") in seen[party] for party in (alice, bob)), "both sides report a private conversation")
    a, b = alice.status(), bob.status()
    line("alice's key", a["ours"])
    line("bob's key", b["ours"])
    claim(a["theirs"] == b["ours"] and b["theirs"] == a["ours"], "each side saw the other's fingerprint")
    claim(a["session"] == b["session"] and a["state"] == b["state"] == "encrypted", f"one session: {a['session']}")

    heading("They talk")
    for who, text in ((alice, "The meeting is at six, by the old bridge."), (bob, "I'll bring the papers."),
                      (alice, "Nobody else knows."), (bob, "Grüße aus Zürich ✉")):
        talk.say(who, text)

    heading("Is it really Bob? A question with a wrong answer, then with the right one")
    claim(talk.prove(alice, "Which bird did we see?", "kingfisher", "heron") >= {"different-secret"},
          "the wrong answer is noticed")
    claim(alice.status()["trust"] == "", "and Bob's key is not trusted")
    claim(talk.prove(alice, "Which bird did we see?", "kingfisher", "kingfisher") >= {"same-secret"},
          "the right answer is noticed")
    claim(alice.status()["trust"] == "smp", "and Bob's key is trusted from now on")
    claim(not any("kingfisher" in sent for sent in talk.wire), "the secret was not on the wire")

    heading("A key for something else, a file transfer for instance")
    seen = talk.do(alice, "symkey", "1")
    keys = {what for lines in seen.values() for kind, what in lines if kind == "symkey"}
    for party in (alice, bob):
        line(party.name, "".join(what for kind, what in seen[party] if kind == "symkey"))
    claim(len(keys) == 1 and all(seen.values()), "both sides have the same key")

    heading("Alice ends the conversation")
    seen = talk.do(alice, "end")
    claim(("event", "peer-ended") in seen[bob] and bob.status()["state"] == "finished", "Bob's side knows it")
    line("bob types", "One more thing ...", "36")
    before = len(talk.wire)
    talk.do(bob, "say", "One more thing ...")
    claim(len(talk.wire) == before, "what Bob types now is not sent at all, least of all in the clear")
    claim(alice.quit() == 0 and bob.quit() == 0, "both programs ended cleanly")


def main():
    program, *libraries = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="libotr-demo.") as folder:
        play(Conversation(os.path.abspath(program), [os.path.abspath(lib) if lib else "" for lib in libraries], folder))


if __name__ == "__main__":
    main()
