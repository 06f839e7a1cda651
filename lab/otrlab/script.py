"""The text form of scripts.

A file holds cases.  A case begins with a line `case NAME: what it shows`; the
name starts with the section of the behaviour it covers.  Every other line is
a step, split into words like a shell command.  Lines that begin with `expect`
look at the log of the step before them:

    expect WHO TEXT          a line of WHO's log contains TEXT
    expect! WHO TEXT         no line of WHO's log contains TEXT
    expect:stock, expect!:stock, expect:ours, expect!:ours
                             only if WHO is hosted by that library
    expect:NAME=stock, ...   only if the client NAME is
    differ ID...             from here on the logs may differ, because of the
                             deliberate differences named

Further lines: `sides PAIRING...` limits a case to these pairings.  `for NAME in
WORD...` makes one case of each word, which replaces $NAME.  `session [v2|v1]`
stands for the steps that bring alice and bob into an encrypted session, alice
asking for it; `policies N` sets the policy of both.  `macro NAME` begins lines
that `do NAME` inserts.
"""

import shlex

POLICY = {"v3": "0x76", "v2": "0x72", "v1": "0x01"}


class Case:
    def __init__(self, name, title, where):
        self.name, self.title, self.where = name, title, where
        self.steps, self.checks, self.differs, self.sides = [], {}, {}, None

    def add(self, words, where, macros):
        verb = words[0]
        if verb == "session":
            policy = POLICY[words[1] if len(words) > 1 else "v3"]
            for name in ("alice", "bob"):
                self.steps.append([name, "set", "policy", policy])
            self.steps.append(["alice", "send", "bob", "best", "all", "?OTRv?"])
            self.steps.append(["pump"])
        elif verb == "policies":
            for name in ("alice", "bob"):
                self.steps.append([name, "set", "policy", words[1]])
        elif verb == "do":
            for line, place in macros[words[1]]:
                self.add(shlex.split(line), place, macros)
        elif verb.startswith("expect"):
            self.checks.setdefault(len(self.steps) - 1, []).append((verb, words[1], words[2], where))
        elif verb == "differ":
            self.differs.setdefault(len(self.steps), []).extend(words[1:])
        elif verb == "sides":
            self.sides = words[1:]
        else:
            self.steps.append(words)


def blocks(path):
    """(kind, head, place, lines) of each macro and case of a file."""
    found = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line, where = line.strip(), "%s:%d" % (path, number)
            if not line or line.startswith("#"):
                continue
            kind, _, head = line.partition(" ")
            if kind in ("case", "macro"):
                found.append((kind, head, where, []))
            else:
                found[-1][3].append((line, where))
    return found


def parse(path):
    macros, cases = {}, []
    for kind, head, where, lines in blocks(path):
        if kind == "macro":
            macros[head] = lines
            continue
        variants = [(None, None)]
        if lines and lines[0][0].startswith("for "):
            _, variable, _, *values = lines.pop(0)[0].split()
            variants = [("$" + variable, value) for value in values]
        for variable, value in variants:
            fill = (lambda text: text.replace(variable, value)) if variable else (lambda text: text)
            name, _, title = fill(head).partition(":")
            case = Case(name.strip(), title.strip(), where)
            for line, place in lines:
                case.add(shlex.split(fill(line)), place, macros)
            cases.append(case)
    return cases


def text(steps):
    """Steps in the form that parse() reads."""
    return "".join(" ".join(shlex.quote(word) for word in step) + "\n" for step in steps)
