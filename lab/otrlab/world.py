"""Runs one script in one pairing and writes its log.

Clients live on side A or side B; each side is a runner with one library.
Between every two clients that talk to each other lies a link: a queue of
messages that a script delivers, drops, repeats, reorders, cuts or changes.
"""

import os
import re

from . import change, wire
from .mask import Mask
from .pieces import Cuts, Joined
from .runner import HERE, decode_word, encode_word

START = 1_700_000_000
FIXTURES = os.path.join(HERE, "fixtures")
CLIENT_VERBS = frozenset(
    """set hook send recv smp disconnect symkey poll restart null find recent touch fp_find trust fp_forget
    force forget poke key fingerprints tags""".split()
)
NAMED = {"{base}": wire.TAG_BASE, "{v1}": wire.TAGS[1], "{v2}": wire.TAGS[2], "{v3}": wire.TAGS[3],
         "{t}": "\t", "{r}": "\r", "{n}": "\n"}
REPEAT = re.compile(r"\{(.):(\d+)\}")
MESSAGE = re.compile(r"(?:inject|sent) (?:.* )?msg=(\S*)")
LIMIT = 60  # messages that one `pump` carries at most


class ScriptError(Exception):
    """The script itself is wrong."""


class Client:
    def __init__(self, name, account, side):
        self.name, self.account, self.side = name, account, side
        self.shown = {}
        self.had_session = set()
        self.by_chance = {}        # contexts whose bold half a random key decided, with the session id


def fingerprints():
    found = {}
    with open(os.path.join(FIXTURES, "fingerprints"), encoding="ascii") as file:
        for line in file:
            name, digits = line.split()
            found[name] = digits
    return found


class World:
    def __init__(self, side_a, side_b, known):
        self.sides = {"A": side_a, "B": side_b}
        self.known = known

    # ---- one script ---------------------------------------------------------

    def run(self, steps, seed=1):
        """A list with the log lines of each step."""
        self.clients, self.links, self.history = {}, {}, {}
        self.mask = Mask(self.known, START)
        self.cuts, self.joined, self.sent = Cuts(), Joined(), Joined()
        self.clock = START
        self.log = []
        self.short = False
        for number, side in enumerate(("A", "B")):
            self.sides[side].begin(seed * 2 + number)
            self.sides[side].ask("clock", str(START))
        try:
            self.lines = []
            self.add_client("alice", "alice", "A", "alice", "alice")
            self.add_client("bob", "bob", "B", "bob", "bob")
            logs = []
            for step in steps:
                self.lines = []
                self.step(step)
                logs.append(self.lines)
            return logs
        finally:
            for side in self.sides.values():
                side.end()

    def add_client(self, name, account, side, key, tag):
        client = Client(name, account, side)
        self.clients[name] = client
        path = lambda stem, kind: None if stem == "-" else os.path.join(FIXTURES, stem + "." + kind)
        self.ask(client, "client", encode_word(account), encode_word(path(key, "key")), encode_word(path(tag, "tag")))

    def step(self, words):
        verb = words[0]
        if verb in self.clients:
            self.client_step(self.clients[verb], words[1:])
        elif verb == "on":
            # on SIDE COMMAND...: a command that needs no client
            self.plain(words[1], [encode_word(None if w == "~" else self.fill_in(w)) for w in words[2:]])
        elif hasattr(self, "do_" + verb):
            getattr(self, "do_" + verb)(*words[1:])
        else:
            raise ScriptError("no such step: %s" % " ".join(words))

    def client_step(self, client, words):
        verb, rest = words[0], [None if w == "~" else w for w in words[1:]]
        if verb not in CLIENT_VERBS:
            raise ScriptError("no such verb: %s" % verb)
        if verb == "hook":
            # hook CALLBACK N COMMAND...: the command is for the same client
            rest = rest[:3] + [client.name] + rest[3:]
        if verb == "restart":
            client.had_session.clear()
            self.joined.forget(client.name)
        rest = [w and self.fill_in(w) for w in rest]
        if verb == "recv" and rest[1]:
            self.joined.add(client.name, rest[0], rest[1])
        self.ask(client, verb, *[encode_word(w) for w in rest])

    @staticmethod
    def fill_in(text):
        """Names in braces stand for bytes that are hard to write."""
        text = REPEAT.sub(lambda m: m[1] * int(m[2]), text)
        for name, value in NAMED.items():
            text = text.replace(name, value)
        return text

    # ---- talking to runners -------------------------------------------------

    def note(self, who, line):
        self.lines.append("%s| %s" % (who, line))

    def plain(self, side, words):
        for line in self.sides[side].ask(*words):
            self.note(side, self.mask.line(line))

    def ask(self, client, verb, *words):
        lines = self.sides[client.side].ask(verb, client.name, *words)
        self.cuts.note(text for line in lines for text in self.texts(line))
        injected, now = [], []
        for line in lines:
            kind = line.split(" ", 1)[0]
            if kind == "inject":
                self.injection(client, line, injected)
            elif kind in ("ctx", "auth", "sm", "priv", "fp", "key", "tag", "pending", "timer"):
                now.append(self.mask.line(line))
            elif kind == "sent":
                self.sending(client, line, injected)
            elif kind == "tlv":
                self.tlv(client, line)
            else:
                self.note(client.name, self.mask.line(line))
        for to, text in injected:
            if text:
                self.enqueue(client, to, text)
        if now:
            self.snapshot(client, now)

    @staticmethod
    def texts(line):
        """The message in a line that tells of one being sent."""
        found = MESSAGE.match(line)
        return [decode_word(found[1])] if found else []

    def injection(self, client, line, injected):
        values = dict(word.split("=", 1) for word in line.split(" ")[1:])
        text = decode_word(values["msg"])
        to = decode_word(values["to"])
        injected.append((to, text))
        shown = self.describe_sent(client, to, text)
        self.note(client.name, "inject account=%s to=%s %s" % (values["account"], values["to"], shown))

    def describe(self, text, whole):
        """A message in one line; a piece tells what it was cut from, and the
        piece that completes a message shows all of it."""
        line = wire.describe(text, self.symbol)
        if whole:
            line += " of " + wire.describe(whole, self.symbol)
        elif line.startswith("piece ") and self.cuts.kind(text):
            line += " of " + self.cuts.kind(text)
        return self.mask.line("wire " + line)[5:]

    def describe_sent(self, client, to, text):
        return self.describe(text, text and self.sent.add(client.name, to, text))

    def symbol(self, kind, value):
        if kind == "Y" and 0 < len(value) < 192 and len(value) > 180:
            self.short = True
        return self.mask.symbol(kind, value)

    def sending(self, client, line, injected):
        """The result of `send`; what the program then sends itself is added."""
        head, _, context = line.partition(" ctx=")
        value = {k: decode_word(v) for k, v in (word.split("=", 1) for word in head.split(" ")[1:])}
        given, how = value["msg"], value["how"]
        if how == "skip" or given is None:
            shown = self.describe_sent(client, value["to"], given)
        else:
            shown = wire.describe(given, self.symbol)
        self.note(client.name, self.mask.line("sent error=%s msg=(%s) ctx=%s" % (value["error"], shown, context)))
        if value["error"] != "0" or given == "untouched" or (how == "all" and given is not None):
            return
        text = value["text"] if given is None else given
        injected.insert(0 if how == "allbutfirst" else len(injected), (value["to"], text))

    def tlv(self, client, line):
        _, kind, length, value = line.split(" ")
        number = int(kind.split("=")[1])
        shown = wire.describe_tlv(number, bytes.fromhex(value.split("=")[1]))
        self.note(client.name, "tlv %s %s %s" % (kind, length if number not in (2, 3, 4, 5, 7) else "", shown))

    def snapshot(self, client, now):
        """Notes what has changed since the last snapshot of the client."""
        seen, order, groups = {}, [], {}
        for line in now:
            words = line.split(" ", 3)
            if words[0] in ("ctx", "auth", "sm", "priv", "fp"):
                key = " ".join(words[: 3 if words[0] == "fp" else 2])
                while key in seen:
                    key += "'"
                seen[key] = line
                if words[0] == "ctx":
                    order.append(words[1])
                    seen[key] = self.without_half(client, words[1], line)
            else:
                groups.setdefault(words[0], []).append(line)
        for kind, lines in groups.items():
            seen["all " + kind] = " / ".join(lines)
        seen["order"] = "order " + " ".join(order)
        for key, line in seen.items():
            if client.shown.get(key) != line and not (key not in client.shown and line == "timer 0"):
                self.note(client.name, line)
        for key in client.shown:
            if key not in seen:
                self.note(client.name, "gone " + key)
                if key.startswith("ctx "):
                    client.had_session.discard(key[4:])
                    client.by_chance.pop(key[4:], None)
        client.shown = seen

    @staticmethod
    def without_half(client, name, line):
        """The bold half means nothing before the first session; the reference
        library leaves it uninitialised until then.  After a session of version 1
        it is what the larger of two random keys decided."""
        session = re.search(r" sid=(\S*) ", line)[1]
        if " pv=1 " in line:
            client.by_chance[name] = session
        elif session and session != client.by_chance.get(name):
            client.by_chance.pop(name, None)
        if name in client.by_chance:
            line = re.sub(r" half=-?\d+", " half=*", line)
        if " sid= " not in line:
            client.had_session.add(name)
        elif name not in client.had_session:
            line = re.sub(r" half=-?\d+", " half=-", line)
        return line

    # ---- links --------------------------------------------------------------

    def enqueue(self, client, to, text):
        for other in self.clients.values():
            if other.account == to and other is not client:
                self.links.setdefault((client.name, other.name), []).append(text)

    def link(self, source, target):
        for name in (source, target):
            if name not in self.clients:
                raise ScriptError("no client %s" % name)
        return self.links.setdefault((source, target), [])

    def hand_over(self, source, target, text):
        self.history.setdefault((source, target), []).append(text)
        self.arrive(self.clients[target], source, self.clients[source].account, text)

    def arrive(self, receiver, source, account, text):
        """Gives a client a text that another client, or itself, has sent, as if from an account."""
        whole = self.joined.add(receiver.name, account, text)
        self.note(receiver.name, "<- %s %s" % (source, self.describe(text, whole)))
        self.ask(receiver, "recv", encode_word(account), encode_word(text))

    def do_client(self, name, account, side, key=None, tag=None):
        self.add_client(name, account, side, key or account, tag or name)

    def do_deliver(self, source, target, index="0"):
        queue = self.link(source, target)
        if int(index) < len(queue):
            self.hand_over(source, target, queue.pop(int(index)))

    def do_pump(self, limit=str(LIMIT)):
        left = int(limit)
        while left > 0 and any(self.links.values()):
            for (source, target), queue in list(self.links.items()):
                if queue and left > 0:
                    left -= 1
                    self.hand_over(source, target, queue.pop(0))

    def do_drop(self, source, target, index="0"):
        queue = self.link(source, target)
        if index == "all":
            queue.clear()
        elif int(index) < len(queue):
            queue.pop(int(index))

    def do_duplicate(self, source, target, index="0"):
        queue = self.link(source, target)
        if int(index) < len(queue):
            queue.insert(int(index), queue[int(index)])

    def do_swap(self, source, target, first="0", second="1"):
        queue, i, j = self.link(source, target), int(first), int(second)
        if max(i, j) < len(queue):
            queue[i], queue[j] = queue[j], queue[i]

    def do_replay(self, source, target, back="1"):
        """Delivers once more what was delivered `back` messages ago."""
        seen = self.history.get((source, target), [])
        if 0 < int(back) <= len(seen):
            self.hand_over(source, target, seen[-int(back)])

    def do_reflect(self, source, target, index="0"):
        """Gives a queued message back to the one who sent it."""
        queue = self.link(source, target)
        if int(index) < len(queue):
            self.arrive(self.clients[source], source, self.clients[target].account, queue[int(index)])

    def do_cut(self, source, target, limit, version="0", index="0"):
        queue, at = self.link(source, target), int(index)
        if at >= len(queue) or queue[at] is None:
            return
        # The same message gives as many pieces, whoever wrote it: a query has no
        # additions, and revealed keys go into the last piece.
        text = queue[at].replace(wire.ADDED, "")
        tags, keys = (0, 0), 0
        try:
            data = wire.dearmour(text)
            message = wire.Message.parse(data)
            tags = (message.sender, message.receiver)
            keys = len(wire.armour(data)) - len(wire.armour(data[: len(data) - len(message.fields.get("revealed", b""))]))
        except (wire.Broken, ValueError):
            pass
        kind = int(version) or (3 if tags[0] else 2)
        queue[at : at + 1] = pieces = wire.cut(text, int(limit), kind, *tags, last=keys)
        self.cuts.note(pieces)

    def do_change(self, source, target, word, index="0"):
        queue, at = self.link(source, target), int(index)
        if at < len(queue):
            queue[at] = change.change(queue[at], word)

    def do_forge(self, source, target, kind, version="3", *words):
        """Delivers a forged message; words `from=HEX` and `to=HEX` change its tags."""
        tags = [self.instance(source), self.instance(target)]
        text = change.forge(kind, int(version), *tags)
        for word in words:
            text = change.change(text, word)
        self.hand_over(source, target, text)

    def do_say(self, source, target, text):
        """Puts a literal text on a link, as a program without OTR would."""
        self.link(source, target).append(self.fill_in(text))

    def instance(self, name):
        try:
            with open(os.path.join(FIXTURES, name + ".tag"), encoding="ascii") as file:
                return int(file.read().split()[-1], 16)
        except OSError:
            return 0

    def do_clock(self, move):
        self.clock += int(move)
        for side in self.sides.values():
            side.ask("clock", str(self.clock))
