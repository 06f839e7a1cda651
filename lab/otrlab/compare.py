"""Finds where two logs of one script part, and whether that is explained.

The left log is always that of the reference library alone.  Both logs are read
line by line; where they differ, the deliberate differences (differences.py) are
asked in turn.  One may explain the place and let the comparison go on, or say
that from here the conversations are different ones.  Only a client hosted by
our library may be the first to differ: the other library gets the same input.
"""

import re

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

    def since(self, prefix):
        """The last line of the client before this place that begins so."""
        start = "%s| %s" % (self.client, prefix)
        for line in reversed(self.left[: self.i]):
            if line.startswith(start):
                return line[len(self.client) + 2 :]
        return None

    @property
    def incoming(self):
        """The message that the client is dealing with, as the log describes it."""
        line = self.since("<- ")
        if line:
            return line.split(" ", 2)[2]
        if len(self.step) > 3 and self.step[1] == "recv":
            return "text:" + self.step[3]
        if self.step[0] == "forge":
            return "v%s %s" % (self.step[4] if len(self.step) > 4 else "3", self.step[3])
        return ""


class Comparison:
    """Compares the logs of one script; `explained` lists what was found."""

    def __init__(self, steps, hosted_by_ours, rules):
        self.steps, self.hosted, self.rules = steps, hosted_by_ours, rules
        self.explained = []
        self.compared = 0          # lines that were equal
        self.state = {}            # (client, context): its last msgstate and authstate, as in the left log
        self.open = {}             # notes of the rules, by their names

    def watch(self, line):
        """Keeps the state of contexts as the left log shows it."""
        client, _, rest = line.partition("| ")
        words = rest.split(" ", 3)
        if words[0] in ("ctx", "auth") and len(words) > 2:
            values = dict(w.split("=", 1) for w in rest.split(" ")[2:] if "=" in w)
            self.state.setdefault((client, words[1]), {}).update(
                {k: values[k] for k in ("ms", "as", "afp", "our", "pv") if k in values})
        found = BRIEF.search(rest)
        if found:
            self.state.setdefault((client, found[1]), {}).update(ms=found[2], **{"as": found[3]})

    def run(self, left, right):
        """None if the logs agree as far as they can be compared."""
        for step, (a, b) in enumerate(zip(left, right)):
            i = j = 0
            while i < len(a) or j < len(b):
                if i < len(a) and j < len(b) and a[i] == b[j]:
                    self.watch(a[i])
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
                    return None
                for line in a[i : i + move[0]]:
                    self.watch(line)
                i, j = i + move[0], j + move[1]
        return None

    def judge(self, place):
        """(name, (left lines, right lines) to pass over or None to stop), or None."""
        if place.client not in self.hosted:
            return None
        for rule in self.rules:
            move = rule.explain(place)
            if move is not None:
                return rule.name, None if move == "stop" else move
        return None
