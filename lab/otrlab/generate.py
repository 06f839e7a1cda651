"""Random scripts from a seed, weighted so that sessions really come about.

A script first sets up the two programs, then usually brings them into a
session, then does what people, programs and networks do, and at the end lets
both say something, so that a session that was silently broken shows.
"""

import random

POLICIES = [  # (weight, policy, versions that it allows)
    (40, "0x76"), (8, "0x06"), (6, "0x6e"), (4, "0x0e"), (10, "0x72"), (4, "0x02"), (6, "0x74"), (2, "0x04"),
    (4, "0x77"), (3, "0x36"), (2, "0x7e"), (1, "0x70"), (3, "0x71"),
]
CALLBACKS = """create_privkey is_logged_in inject_message update_context_list new_fingerprint write_fingerprints
    gone_secure gone_insecure still_secure max_message_size account_name account_name_free received_symkey
    otr_error_message resent_msg_prefix handle_smp_event handle_msg_event create_instag convert_msg
    timer_control""".split()
TEXTS = [
    "hello", "yes", "what did you say?", "<b>bold</b> &amp; plain", "a text with {t} a tab", "x",
    "?OTR is the name of it", "caf\xe9", "{a:300}", "{b:1200}", "100% sure ~ or not",
]
ODD_TEXTS = ["", "?OTR:", "?OTR:AAMD", "?OTR Error: hm", "?OTR,1,2,half,", "?OTR|1|2,1,2,half,", "{base}{v2}tagged"]
ARRIVING = [
    "just text", "tagged{base}{v2}{v3}", "tagged{base}{v1}", "?OTR Error: something went wrong",
    "?OTR Error:no blank", "?OTR", "?OTR!", "?OTRv2?", "?OTRv3?", "?OTRv23?", "?OTR?", "?OTR?v2?", "?OTRv4?",
    "?OTR:AAMD", "?OTR:AAMDxxxx.", "?OTR:AAIDAAAA.", "?OTR:AAEK.", "?OTR,1,2,abc,", "?OTR,2,2,def,",
    "?OTR|a11ce1|b0b001,1,2,abc,", "?OTR|b0b001|a11ce1,1,2,abc,", "?OTR|1|0,1,2,x,", "",
]
CHANGES = [
    "mac", "enc", "enc_sig", "hash", "r", "gy", "next", "enc_gx", "revealed", "flags=1", "flags=0", "skid=1", "skid=2",
    "skid=0", "rkid=1", "rkid=2", "rkid=7", "ctr=0", "ctr=1", "ctr=9", "version=2", "version=3", "version=1",
    "from=ff", "from=0", "from=123456", "to=0", "to=123456", "type=02", "type=0a", "type=11", "type=12", "type=99",
    "truncate=1", "truncate=20", "truncate=30", "truncate=300", "extend=1", "nodot", "before=see: ", "after= ok",
    "char=7", "char=40", "gy=1", "gy=0",
]
SECRETS = ["secret", "secret", "secret", "other"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.steps = []
        self.clients = ["alice", "bob"]

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def pick(self, options):
        """One of (weight, value) pairs."""
        weights = [weight for weight, *_ in options]
        return self.random.choices(options, weights)[0][1]

    def add(self, *words):
        self.steps.append([str(w) for w in words])

    def someone(self):
        return self.random.choice(self.clients)

    def peer_of(self, name):
        return "bob" if name == "alice" else "alice"

    def both(self):
        """A sender and a receiver that have a link."""
        receiver = self.random.choice([c for c in self.clients if c != "alice"])
        return ("alice", receiver) if self.chance(50) else (receiver, "alice")

    def tag(self):
        return self.pick([
            (60, "best"), (8, "recent"), (6, "received"), (6, "sent"), (10, "master"), (4, "b0b001"), (2, "b0b002"),
            (2, "a11ce1"), (1, "123456"),
        ])

    # ---- the beginning ------------------------------------------------------

    def program(self, name, policy):
        self.add(name, "set", "policy", policy)
        for setting, percent, values in [
            ("convert", 15, "12"), ("app_data", 15, "1"), ("error_text", 6, "02"), ("logged_in", 4, "02"),
            ("no_tlvs", 4, "1"), ("no_contextp", 4, "1"), ("make_tag", 3, "2"), ("max_size", 8, ["500", "1000"]),
        ]:
            if self.chance(percent):
                self.add(name, "set", setting, self.random.choice(list(values)))
        while self.chance(7):
            self.add(name, "set", "null", self.random.choice(CALLBACKS))
        if self.chance(3):
            self.add(name, "tags", "forget_all")
        if self.chance(2):
            self.add(name, "key", "forget_all")
        if self.chance(8):
            self.hook(name)

    def hook(self, name):
        peer = self.peer_of(name)
        callback, words = self.random.choice([
            ("gone_secure", ["send", peer, "best", "all", "from inside"]),
            ("still_secure", ["send", peer, "best", "all", "from inside"]),
            ("gone_secure", ["trust", peer, "best", "active", "verified"]),
            ("new_fingerprint", ["find", peer, "best"]),
            ("update_context_list", ["find", peer, "recent"]),
            ("handle_smp_event", ["smp", peer, "best", "abort", "x"]),
            ("handle_msg_event", ["send", peer, "best", "all", "what?"]),
            ("handle_msg_event", ["disconnect", peer, "best"]),
            ("gone_secure", ["smp", peer, "best", "initiate", "secret"]),
            ("received_symkey", ["symkey", peer, "best", "9", "2", "k"]),
            ("write_fingerprints", ["fingerprints", "write", "prints"]),
            ("inject_message", ["find", peer, "master"]),
            ("policy", ["find", peer, "sent"]),
        ])
        self.add(name, "hook", callback, self.random.choice(["1", "1", "2", "every"] if words[0] in ("find", "fingerprints") else ["1", "2"]), *words)

    def set_up(self):
        policy = self.pick(POLICIES)
        other = policy if self.chance(75) else self.pick(POLICIES)
        if self.chance(3):
            policy = other = "0x01"
        self.program("alice", policy)
        self.program("bob", other)
        if self.chance(15):
            self.add("client", "bob2", "bob", "B", "bob", "bob2")
            self.clients.append("bob2")
            self.program("bob2", other)

    def start(self):
        name = self.someone()
        peer = self.peer_of(name)
        kind = self.pick([(48, "query"), (22, "tag"), (16, "literal"), (4, "both"), (3, "crossing"), (7, "none")])
        if kind == "query":
            self.add(name, "send", peer, "best", "all", self.random.choice(["?OTRv?", "?OTR?"]))
            self.add("pump")
        elif kind == "tag":
            self.add(name, "send", peer, "best", "all", self.random.choice(TEXTS))
            self.add("pump")
        elif kind == "literal":
            self.add(name, "recv", peer, self.random.choice(["?OTRv2?", "?OTRv3?", "?OTRv23?", "?OTR?v23?"]))
            self.add("pump")
        elif kind == "both":
            self.add("alice", "send", "bob", "best", "all", "first words")
            self.add("bob", "send", "alice", "best", "all", "first words back")
            self.add("pump")
        elif kind == "crossing":
            self.add("alice", "recv", "bob", "?OTRv23?")
            self.add("bob", "recv", "alice", "?OTRv23?")
            self.add("pump")

    # ---- what happens then --------------------------------------------------

    def talk(self):
        name = self.someone()
        text = self.random.choice(TEXTS if self.chance(92) else ODD_TEXTS)
        how = self.pick([(80, "all"), (12, "skip"), (4, "allbutfirst"), (4, "allbutlast")])
        records = self.random.choice([[], [], [], [], ["9:616263"], ["0:0000", "9:"], ["1:"], ["8:00000001aa"]])
        if self.chance(80):
            records = []
        self.add(name, "send", self.peer_of(name), self.tag(), how, text, *records)
        if self.chance(75):
            self.add("pump")

    def exchange(self):
        for _ in range(self.random.randint(1, 3)):
            name = self.someone()
            self.add(name, "send", self.peer_of(name), "best", "all", self.random.choice(TEXTS))
            self.add("pump")

    def network(self):
        source, target = self.both()
        kind = self.pick([
            (30, "deliver"), (12, "pump"), (8, "drop"), (8, "duplicate"), (8, "swap"), (6, "replay"), (8, "cut"),
            (16, "change"), (1, "reflect"),
        ])
        index = str(self.random.choice([0, 0, 0, 1, 2]))
        if kind == "pump":
            self.add("pump", self.random.choice([1, 2, 3, 5, 60]))
        elif kind == "cut":
            self.add("cut", source, target, self.random.choice([60, 150, 400]))
        elif kind == "change":
            self.add("change", source, target, self.random.choice(CHANGES), index)
        elif kind == "replay":
            self.add("replay", source, target, self.random.choice([1, 1, 2, 3, 4]))
        elif kind == "swap":
            self.add("swap", source, target)
        else:
            self.add(kind, source, target, index)

    def damaged(self):
        """Something is said, and the network does something to it."""
        source, target = self.both()
        self.add(source, "send", self.peer_of(source), "best", "all", self.random.choice(TEXTS))
        for _ in range(self.random.randint(1, 2)):
            self.network()
        if self.chance(60):
            self.add("pump")

    def smp(self):
        name = self.someone()
        peer = self.peer_of(name)
        question = [] if self.chance(60) else [self.random.choice(["what is it?", "", "a {q:40}"])]
        self.add(name, "smp", peer, "best", "initiate", self.random.choice(SECRETS), *question)
        if self.chance(85):
            self.add("pump")
        other = peer
        verb = self.pick([(82, "answer"), (1, "respond"), (7, "abort"), (10, "nothing")])
        if verb != "nothing":
            self.add(other, "smp", self.peer_of(other), "best", verb, self.random.choice(SECRETS))
            if self.chance(85):
                self.add("pump")

    def smp_step(self):
        name = self.someone()
        verb = self.pick([(35, "initiate"), (10, "answer"), (45, "abort"), (10, "free")])
        self.add(name, "smp", self.peer_of(name), "best", verb, self.random.choice(SECRETS))
        if self.chance(60):
            self.add("pump")

    def refresh(self):
        name = self.someone()
        self.add(name, "send", self.peer_of(name), "best", "all", "?OTRv?")
        if self.chance(75):
            self.add("pump")
        else:
            self.network()

    def end_session(self):
        name = self.someone()
        peer = self.peer_of(name)
        kind = self.pick([(50, "disconnect"), (15, "all"), (10, "finished"), (10, "plaintext"), (10, "forget"), (5, "everything")])
        if kind == "disconnect":
            self.add(name, "disconnect", peer, self.tag())
        elif kind == "all":
            self.add(name, "disconnect", peer, "all")
        elif kind in ("finished", "plaintext"):
            self.add(name, "force", peer, "best", kind)
        elif kind == "forget":
            self.add(name, "forget", peer, self.tag())
        else:
            self.add(name, "forget", "everything")
        if self.chance(60):
            self.add("pump")
        if self.chance(50):
            self.start()

    def time(self):
        self.add("clock", self.random.choice([1, 30, 60, 61, 62, 120, 3600]))
        if self.chance(60):
            self.add(self.someone(), "poll")

    def symkey(self):
        name = self.someone()
        self.add(name, "symkey", self.peer_of(name), self.tag(), self.random.choice(["0", "1", "0xffffffff"]),
                 self.random.choice(["0", "3", "200"]), "k")
        self.add("pump")

    def arrival(self):
        name = self.someone()
        self.add(name, "recv", self.peer_of(name), self.random.choice(ARRIVING))
        if self.chance(60):
            self.add("pump")

    def forgery(self):
        source, target = self.both()
        words = [self.random.choice(CHANGES)] if self.chance(40) else []
        self.add("forge", source, target, self.random.choice(["commit", "key", "reveal", "signature", "data"]),
                 self.random.choice(["2", "3", "3"]), *words)
        if self.chance(50):
            self.add("pump")

    def settings(self):
        name = self.someone()
        kind = self.pick([(30, "policy"), (25, "max_size"), (15, "convert"), (20, "null"), (10, "hook")])
        if kind == "policy":
            self.add(name, "set", "policy", self.pick(POLICIES))
        elif kind == "max_size":
            self.add(name, "set", "max_size", self.random.choice([0, 80, 120, 250, 500]))
        elif kind == "convert":
            self.add(name, "set", "convert", self.random.choice("012"))
        elif kind == "null":
            self.add(name, "set", "null", self.random.choice(CALLBACKS))
        else:
            self.hook(name)

    def lists(self):
        name = self.someone()
        peer = self.peer_of(name)
        kind = self.pick([(25, "restart"), (30, "trust"), (3, "fp_forget"), (27, "find"), (10, "touch"), (5, "write")])
        if kind == "restart":
            self.add(name, "restart")
        elif kind == "trust":
            self.add(name, "trust", peer, "best", self.random.choice(["active", "0"]), self.random.choice(["", "verified", "~"]))
        elif kind == "fp_forget":
            self.add(name, "fp_forget", peer, "master", self.random.choice(["0", "1", "active"]), self.random.choice("01"))
        elif kind == "find":
            self.add(name, "find", peer, self.tag() if self.chance(95) else "5", *(["add"] if self.chance(30) else []))
        elif kind == "touch":
            self.add(name, "touch", peer, "best", self.random.choice(["sent", "rcvd"]))
        else:
            self.add(name, "fingerprints", "write", "prints")

    def script(self):
        self.set_up()
        self.start()
        actions = [
            (22, self.talk), (14, self.exchange), (10, self.network), (12, self.damaged), (4, self.smp),
            (3, self.smp_step), (6, self.refresh), (6, self.end_session), (7, self.time), (3, self.symkey),
            (5, self.arrival), (3, self.forgery), (3, self.settings), (4, self.lists),
        ]
        for _ in range(self.random.randint(2, 14)):
            self.pick(actions)()
        self.add("pump")
        self.add("alice", "send", "bob", "best", "all", "the last word")
        self.add("bob", "send", "alice", "best", "all", "the very last word")
        self.add("pump")
        return self.steps


def script(seed):
    return Generator(seed).script()
