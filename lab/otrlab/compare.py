"""Finds where two logs of one script part, and whether that is explained.

The left log is always that of the reference library alone.  Both logs are read
line by line; where they differ, the deliberate differences (differences.py) are
asked in turn.  One may explain the place and let the comparison go on, or say
that from here the conversations are different ones.  Only a client hosted by
our library may be the first to differ: the other library gets the same input.
"""

import functools
import re
from collections import Counter

from .differences import MASKS, VERSION

BRIEF = re.compile(r" ctx=(\S+) ms=(\S+) as=(\S+) ")


class Difference:
    """A place where the logs part."""

    def __init__(self, step, at_left, at_right, left, right):
        self.step, self.at_left, self.at_right = step, at_left, at_right
        self.left, self.right = left, right

    def show(self, steps, left_name, right_name):
        out = ["step %d: %s" % (self.step, " ".join(steps[self.step]))]
        out += ["        both  " + line for line in self.left[max(0, self.at_left - 2) : self.at_left]]
        for name, lines, at in ((left_name, self.left, self.at_left), (right_name, self.right, self.at_right)):
            for line in lines[at : at + 3] or ["(nothing more)"]:
                out.append("%12s  %s" % (name, line))
        return "\n".join(out)


STATEFUL = frozenset("ctx auth sm priv fp".split())


@functools.lru_cache(maxsize=1 << 15)
def without_masked(kind, line):
    """A line with its masks on, and the names of the masks that changed it."""
    used = []
    for mask in MASKS:
        changed = mask.line(kind, line)
        if changed != line:
            used.append(mask.name)
        line = changed
    return line, used


def masked(log):
    """The log with its masks on, and the names of the masks that did something.

    A line that shows a state again is left out if only masked fields changed."""
    shown, used, steps = {}, set(), []
    for lines in log:
        kept = []
        for line in lines:
            client, _, rest = line.partition("| ")
            words = rest.split(" ", 3)
            line, changed = without_masked(words[0], line)
            used.update(changed)
            if words[0] == "gone":
                shown.pop((client, *words[1:]), None)
            elif words[0] in STATEFUL:
                key = state_key(line)
                if shown.get(key) == line:
                    continue
                shown[key] = line
            kept.append(line)
        steps.append(kept)
    return steps, used


def first_difference(left, right, upto=None):
    """The first place where the logs differ at all, or None."""
    for step, (a, b) in enumerate(zip(left, right)):
        if upto is not None and step >= upto:
            return None
        if a != b:
            at = 0
            while at < len(a) and at < len(b) and a[at] == b[at]:
                at += 1
            return Difference(step, at, at, a, b)
    return None


CONTEXT = re.compile(r"(?:\bctx=|\| (?:ctx|auth|sm|priv) )(\S+)")


def without(line, patterns):
    for pattern in patterns:
        line = re.sub(pattern, "", line)
    return line


def state_key(line):
    """What a line that shows a state is about; None for other lines."""
    client, _, rest = line.partition("| ")
    words = rest.split(" ", 3)
    if words[0] not in STATEFUL:
        return None
    return (client, *words[: 3 if words[0] == "fp" else 2])


class Place:
    """What the rules are told about a place where the logs differ."""

    def __init__(self, comparison, step, left, i, right, j):
        self.steps, self.step = comparison.steps, comparison.steps[step]
        self.number = step
        self.known = comparison
        self.left, self.i, self.right, self.j = left, i, right, j
        self.a = left[i] if i < len(left) else ""
        self.b = right[j] if j < len(right) else ""
        self.client = (self.a or self.b).split("|", 1)[0]
        if self.a and self.b and self.b.split("|", 1)[0] != self.client:
            # One side has more to say about its last message.
            self.client = (left[i - 1] if i else self.a).split("|", 1)[0]

    def pair(self, *patterns):
        """Whether two lines are here that differ only in what the patterns
        find, and in a version that is known to be another."""
        patterns += self.known_to_differ
        return bool(self.a and self.b) and without(self.a, patterns) == without(self.b, patterns)

    @property
    def known_to_differ(self):
        return (VERSION,) if (self.client, self.context()) in self.known.versions else ()

    def stale(self, *patterns):
        """How many lines to pass over if one log shows a state again that the
        other has shown before, but for what the patterns find."""
        patterns += self.known_to_differ
        for line, other, move in ((self.a, 1, (1, 0)), (self.b, 0, (0, 1))):
            before = self.known.last[other].get(state_key(line))
            if before and without(line, patterns) == without(before, patterns):
                return move
        return None

    def context(self):
        """The name of the context that the lines are about."""
        for line in (self.a, self.b):
            found = CONTEXT.search(line)
            if found:
                return found[1]
        return None

    def since(self, prefix):
        """The last line of the client before this place that begins so."""
        start = "%s| %s" % (self.client, prefix)
        for line in reversed(self.left[: self.i]):
            if line.startswith(start):
                return line[len(self.client) + 2 :]
        return None

    @property
    def cause(self):
        """Who is responsible: for an incoming message, the one who sent it."""
        senders = [re.match(r"\S+\| <- (\w+) ", line) for line in (self.a, self.b)]
        same = all(senders) and senders[0][0] == senders[1][0]
        return senders[0][1] if same else self.client

    @property
    def just_secured(self):
        """Whether the message that the client is dealing with has made a session."""
        for line in reversed(self.left[: self.i]):
            if line.startswith(self.client + "| "):
                if " cb gone_secure " in line or " cb still_secure " in line:
                    return True
                if line.startswith(self.client + "| <- "):
                    # A program without these callbacks is not told.
                    return bool(re.search(r" v\d (reveal|signature) ", line)) and self.silent
        return False

    @property
    def silent(self):
        """Whether the client's program has taken a callback away that tells of sessions."""
        nulls = [step[3:] for step in self.known.steps if step[:3] == [self.client, "set", "null"]]
        return any(name in ("gone_secure", "still_secure") for names in nulls for name in names)

    def hooked(self, callback):
        """Whether the program called back from this callback in the present step of the client."""
        return any(line == "%s| hook %s" % (self.client, callback) for line in self.left[: self.i])

    @property
    def incoming(self):
        """The message that the client is dealing with, as the log describes it;
        one that arrives in pieces counts as it is with the last of them."""
        return WHOLE.sub("", self.arrived)

    @property
    def arrived(self):
        """The same as it came: perhaps a piece of a message."""
        line = self.since("<- ")
        if line:
            return line.split(" ", 2)[2]
        if len(self.step) > 3 and self.step[1] == "recv":
            return "text:" + self.step[3]
        if self.step[0] == "forge":
            return "v%s %s" % (self.step[4] if len(self.step) > 4 else "3", self.step[3])
        return ""


WHOLE = re.compile(r"^piece \S+ \S+ (\d+)/\1 of (?=v\d |text:|unreadable:)")
KEYS = re.compile(r"\brevealed=\[(\w[\w,]*)\]")


class Names:
    """Which names of revealed MAC keys in two logs mean the same key.

    Names count appearances, so one key more in one log renames all that follow."""

    def __init__(self):
        self.by_left, self.by_right = {}, {}

    def equal(self, a, b):
        """Whether two lines are equal but for such names."""
        if a == b:
            return True
        keys = [KEYS.search(a), KEYS.search(b)]
        if not all(keys) or KEYS.sub("", a) != KEYS.sub("", b):
            return False
        left, right = (found[1].split(",") for found in keys)
        if len(left) != len(right):
            return False
        pairs = list(zip(left, right))
        fits = all(self.by_left.get(m, n) == n and self.by_right.get(n, m) == m for m, n in pairs)
        if fits:
            self.by_left.update(pairs)
            self.by_right.update((n, m) for m, n in pairs)
        return fits


class Comparison:
    """Compares the logs of one script; `explained` lists what was found."""

    def __init__(self, steps, hosted_by_ours, rules):
        self.steps, self.hosted, self.rules = steps, hosted_by_ours, rules
        self.explained = []
        self.stopped = False
        self.names = Names()
        self.compared = 0          # lines that were equal
        self.state = {}            # (client, context): its last msgstate and authstate, as in the left log
        self.last = {}, {}         # the states that the left and the right log showed last
        self.fallen = set()        # (client, context) that only the left log has in plaintext
        self.crossed = set()       # clients that got a commit while theirs was under way
        self.spoilt = set()        # clients whose left log got a Reveal Signature while they had a commit under way
        self.secured = Counter()   # how many sessions each client has made
        self.required = Counter()  # how many texts each client has kept back
        self.versions = set()      # (client, context) with different versions
        self.waiting = set()       # (client, context) that only in the left log wait for a D-H Key
        self.miscounted = set()    # (client, callback) that one log calls more often than the other

    def watch(self, line):
        """Keeps the state of contexts as the left log shows it."""
        client, _, rest = line.partition("| ")
        words = rest.split(" ", 3)
        if words[0] in ("ctx", "auth") and len(words) > 2:
            values = dict(w.split("=", 1) for w in rest.split(" ")[2:] if "=" in w)
            self.state.setdefault((client, words[1]), {}).update(
                {k: values[k] for k in ("ms", "as", "afp", "our", "pv") if k in values})
        elif words[0] == "gone" and words[1] == "ctx":
            self.state.pop((client, words[2]), None)
        elif words[0] == "cb" and words[1] in ("gone_secure", "still_secure"):
            self.secured[client] += 1
            self.fallen.discard((client, words[2].split("=", 1)[1]))
        elif words[0] == "<-" and " commit " in rest and self.awaits_key(client):
            self.crossed.add(client)
        if words[0] == "<-" and re.search(" reveal ", rest) and self.awaits_key(client):
            self.spoilt.add(client)
        if words[0] == "priv":
            generation = int(re.search(r" gen=(\d+)", rest)[1])
            self.secured[client] = max(self.secured[client], generation)
        if " event=1 " in rest:
            self.required[client] += 1
        found = BRIEF.search(rest)
        if found:
            self.state.setdefault((client, found[1]), {}).update(ms=found[2], **{"as": found[3]})

    def awaits_key(self, client):
        return any(name == client and state.get("as") == "1" for (name, _), state in self.state.items())

    def is_private(self, client, instance):
        """Whether the left log shows, or has hidden, a session with an instance."""
        name = "#" + instance
        return any(
            owner == client and context.endswith(name) and ((owner, context) in self.fallen or state.get("ms") in ("1", "2"))
            for (owner, context), state in self.state.items())

    def passed(self, side, line):
        key = state_key(line)
        if key:
            self.last[side][key] = line

    def run(self, left, right):
        """None if the logs agree as far as they can be compared."""
        for step, (a, b) in enumerate(zip(left, right)):
            i = j = 0
            while i < len(a) or j < len(b):
                if i < len(a) and j < len(b) and self.names.equal(a[i], b[j]):
                    self.watch(a[i])
                    self.passed(0, a[i])
                    self.passed(1, b[j])
                    i, j = i + 1, j + 1
                    self.compared += 1
                    continue
                place = Place(self, step, a, i, b, j)
                verdict = self.judge(place)
                if verdict is None:
                    return Difference(step, i, j, a, b)
                name, move = verdict
                self.explained.append(name)
                if move is None:
                    self.stopped = True
                    return None
                for line in a[i : i + move[0]]:
                    self.watch(line)
                    self.passed(0, line)
                for line in b[j : j + move[1]]:
                    self.passed(1, line)
                i, j = i + move[0], j + move[1]
        return None

    def judge(self, place):
        """(name, (left lines, right lines) to pass over or None to stop), or None."""
        for rule in self.rules:
            if place.cause not in self.hosted and not rule.by_chance:
                continue
            move = rule.explain(place)
            if move is not None:
                return rule.name, None if move == "stop" else move
        return None
