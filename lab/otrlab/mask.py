"""Names for values that differ from run to run.

Within one run of a script, equal values get equal names, in order of their
first appearance: `S1` is the first session id seen, `Y2` the second D-H key.
So a log shows *that* a key was sent again or that two parties have the same
session id, and two runs of a script can be compared.
"""

import re

KNOWN_TAGS = {"a11ce1": "alice", "b0b001": "bob", "b0b002": "bob2", "ca4011": "carol"}
INSTANCE = re.compile(r"(#|our=|>|\bv3 \w+ |\bv3 )([0-9a-f]{1,8})(?=[ >)]|$)")
WITH_INSTANCES = frozenset(
    "ctx auth sm priv fp cb order sent received found recent touched forced gone inject wire".split()
)
# In version 1 the larger of two random keys decides which half is bold.
V1_HALF = re.compile(r"(\bpv=1 .*\bhalf=)[01]")
FINGERPRINT = re.compile(r"\b(a?fp)=([0-9a-f]{40})")
SESSION = re.compile(r"\bsid=([0-9a-f]+)")
SYMKEY = re.compile(r"\bkey=([0-9a-f]{64})")
LISTED_FINGERPRINT = re.compile(r" ([0-9a-f]{40}) ")
LISTED_TAG = re.compile(r" (?:0x)?([0-9a-f]{8})$")
TIMES = re.compile(r"\b(sent|rcvd|ctime)=(\d+)")
# A message that got among text: what is encoded is random.
ENCODED = re.compile(r"[A-Za-z0-9+/]{24,}=*")
FRAGMENT = re.compile(r"frag=(\d+)/(\d+)/(\d+)")
# A number of a key file: in hexadecimal, or as a string if it looks like one.
KEY_NUMBER = re.compile(r'\(([pqgyx])%20(?:#[0-9A-F]+#|"(?:[^"\\]|\\.)*")\)')


def hidden(match):
    text = match[0]
    kinds = any(c.isupper() for c in text), any(c.islower() for c in text), any(c.isdigit() for c in text)
    return "*" if all(kinds) else text


class Mask:
    def __init__(self, fingerprints, start):
        self.names = {fp: name for name, fp in fingerprints.items()}
        self.start = start
        self.seen = {}
        self.counts = {}
        self.lines = {}

    def symbol(self, kind, value):
        if not value:
            return "~"
        key = (kind, value)
        if key not in self.seen:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.seen[key] = "%s%d" % (kind, self.counts[kind])
        return self.seen[key]

    def tag(self, digits):
        digits = digits.lstrip("0")
        if digits in KNOWN_TAGS:
            return KNOWN_TAGS[digits]
        if len(digits) < 5:
            return digits or "0"
        return self.symbol("T", digits)

    def fingerprint(self, digits):
        return self.names.get(digits) or self.symbol("F", digits)

    def time(self, match):
        seconds = int(match.group(2))
        return "%s=%s" % (match.group(1), "+%d" % (seconds - self.start) if seconds >= self.start else seconds)

    def line(self, line):
        """A line of a runner without its random values.

        A value keeps the name that it got first, and so does a line; most
        lines show a state that has not changed."""
        known = self.lines.get(line)
        if known is None:
            known = self.lines[line] = self.without_values(line)
        return known

    def without_values(self, line):
        kind = line.split(" ", 1)[0]
        if kind in ("ctx", "cb", "fp", "key", "fingerprint", "gone"):
            line = FINGERPRINT.sub(lambda m: "%s=%s" % (m[1], self.fingerprint(m[2])), line)
            line = SESSION.sub(lambda m: "sid=" + self.symbol("S", m[1]), line)
        if kind in ("cb", "symkey"):
            line = SYMKEY.sub(lambda m: "key=" + self.symbol("K", m[1]), line)
        if kind in ("fingerprint", "tags", "tag"):
            line = LISTED_FINGERPRINT.sub(lambda m: " %s " % self.fingerprint(m[1]), line)
            line = LISTED_TAG.sub(lambda m: " " + self.tag(m[1]), line)
        if kind == "file":
            line = KEY_NUMBER.sub(r"(\1%20#...#)", line)
        if "frag=" in line:
            line = FRAGMENT.sub(lambda m: "frag=%s/%s/%s" % (m[1], m[2], "text" if m[3] != "0" else "none"), line)
        if kind not in WITH_INSTANCES:
            return line
        if kind in ("cb", "received", "wire") and ("text" in line or "new=" in line):
            line = ENCODED.sub(hidden, line)
        if "sent=" in line or "ctime=" in line:
            line = TIMES.sub(self.time, line)
        if "pv=1 " in line:
            line = V1_HALF.sub(r"\1*", line)
        return INSTANCE.sub(lambda m: m[1] + self.tag(m[2]), line)
