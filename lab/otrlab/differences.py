"""How the deliberate differences look in logs.

A mask makes the two libraries equal in one field, wherever it appears; lines
that then tell nothing new are left out.  A rule explains one place in the logs
of a generated script: explain(place) returns None (not mine), "stop" (explained,
and from here on the conversations are not the same any more), or how many lines
of the left and the right log to pass over.  Both have the name under which
docs/differences.md tells what is different and why.
"""

import re


class Mask:
    """Replaces what a pattern finds in the lines of one kind."""

    def __init__(self, name, kind, pattern, shown):
        self.name, self.kind = name, kind
        self.pattern, self.shown = re.compile(pattern), shown

    def line(self, kind, line):
        return self.pattern.sub(self.shown, line) if kind == self.kind else line


MASKS = [
    # Nothing of a finished key exchange is kept, so no last message either.
    Mask("finished-exchange", "auth", r"( as=0 .*\blast=)[01]", r"\1*"),
    # Pieces are counted in the public fields, but kept elsewhere.
    Mask("pieces-inside", "priv", r"(\bfrag=\d+/\d+/)\w+", r"\1*"),
    # Texts wait in the master until an instance has a session.
    Mask("all-texts-kept", "priv", r"\bagain=2", "again=0"),
    # A number of a key can begin with a zero byte, which is not written.
    Mask("", "key", r"\blength=41[89]\b", "length=420"),
    # What cannot be decoded at all is shown as it is: random characters.
    Mask("", "<-", r"( unreadable:.*?\?OTR:.{4}).*", r"\1*"),
    # So is a piece of a piece of version 2, whose text ends at the inner comma.
    Mask("", "<-", r"( of text:\?OTR)[A-Za-z0-9+/]{12}.*", r"\1*"),
]

RULES = []


class Rule:
    """With by_chance, the place may also be one where the other library acts:
    what happens there depends on which of two random numbers is larger."""

    def __init__(self, name, explain, by_chance):
        self.name, self.explain, self.by_chance = name, explain, by_chance


def rule(name, by_chance=False):
    def add(explain):
        RULES.append(Rule(name, explain, by_chance))
        return explain

    return add


STOP = "stop"
STATE, VERSION, RECENT = r"\bms=\d", r"\bpv=\d", r"\br[rsc]=\S+"
SAVED, REVEALED = r"\bsaved=\d+", r"\brevealed=\S+"
AGAIN = r"\bagain=\d"
SECURE = r"\b(?:gone|still)_secure| reply=[01]"
WAITING = r"\b(?:as|init|keyid|last)=[\d*]+"
# A D-H Key of version 3, readable or not.
A_KEY = re.compile(r"v3 key |unreadable:.*?\?OTR:AAMK")
PIECE = re.compile(r" piece v\d \S+ (\d+/\d+)(?: of (?:v\d )?(text:\?OTR|\w+))?")


def value(name, line):
    found = re.search(r"\b%s=(\S+)" % name, line)
    return found and found[1]


def says(line, *words):
    """Whether the line, without its client, begins with one of the words."""
    return line.partition("| ")[2].startswith(words)


@rule("no-fall-to-plaintext")
def no_fall(place):
    key = place.client, place.context()
    by_key = A_KEY.match(place.incoming)
    fallen = place.known.fallen
    if by_key or key in fallen:
        # In the left log the instance takes over the master's state.
        states = value("ms", place.a), value("ms", place.b)
        refused = states == ("0", "1") and not place.pair(STATE)
        if by_key and (refused or states in (("2", "0"), ("2", "1"))) and place.pair(STATE, r"\bas=\d"):
            return STOP
        lowered = states in (("0", "1"), ("0", "2"))
        if lowered and place.pair(STATE):
            fallen.add(key)
            return 1, 1
        move = place.stale(STATE)
        if move:
            fallen.add(key)
            return move
    if key in fallen and says(place.a, "cb gone_secure") and says(place.b, "cb still_secure"):
        if place.pair(r"gone_secure|still_secure", r" reply=1$"):
            return 1, 1
    if any(client == place.client for client, _ in fallen):
        return STOP
    # Ours does not answer a forged or repeated key in a session at all.
    sender = re.match(r"v3 key (\S+)>", place.incoming)
    private = sender and place.known.is_private(place.client, sender[1])
    return STOP if private and says(place.b, "received internal=1") else None


@rule("crossing-commits")
def crossing(place):
    if place.client not in place.known.crossed or not re.match(r"v[23] (commit|key|reveal|sig)", place.incoming):
        return None
    kinds = [re.search(r" v[23] (commit|key|reveal|signature) ", line) for line in (place.a, place.b)]
    other_answer = bool(kinds[0]) != bool(kinds[1]) or (kinds[0] and kinds[0][1] != kinds[1][1])
    return STOP if value("as", place.a) != value("as", place.b) or other_answer else None


@rule("ignored-reveal-harmless")
def ignored_reveal(place):
    """The left log answers a D-H Key with the secret that an ignored message left."""
    answer = re.match(r"v[23] key", place.incoming) and says(place.a, "inject") and " reveal " in place.a
    return STOP if answer and place.client in place.known.spoilt and place.pair(r"\br=\S+") else None


@rule("crossing-commits", by_chance=True)
def larger_hash(place):
    """A commit under way is answered, or ours is sent again: so says the hash."""
    if place.client not in place.known.crossed or not re.match(r"v[23] commit", place.incoming):
        return None
    answered = [says(line, "cb max_message_size", "inject") for line in (place.a, place.b)]
    silent = [says(line, "received") for line in (place.a, place.b)]
    one_answers = any(answered) and any(silent)
    return STOP if one_answers or {value("as", place.a), value("as", place.b)} == {"1", "2"} else None


@rule("own-commit-ignored")
def reflected(place):
    return STOP if place.step[0] == "reflect" and re.match(r"v[23] commit", place.incoming) else None


@rule("old-keys-revealed")
def old_keys(place):
    if place.known.secured[place.cause] < 2 and int(value("gen", place.a) or 0) < 2:
        return None
    if place.pair(SAVED) or place.pair(REVEALED):
        return 1, 1
    return STOP if cut_elsewhere(place, "data") else place.stale(SAVED)


@rule("empty-inject")
def empty_inject(place):
    if not re.match(r"\w+\| inject .* text:$", place.a):
        return None
    # Being called, the program may call back.
    place.known.miscounted.add((place.client, "inject_message"))
    behind = place.left[place.i + 1 :]
    start, end = ("%s| %s inject_message" % (place.client, word) for word in ("hook", "unhook"))
    inside = behind.index(end) + 1 if behind[:1] == [start] and end in behind else 0
    return 1 + inside, 0


def calls_back(place, callback):
    """Whether one log only calls back from a callback that the other has called
    more or less often: the program counts, and calls back once."""
    calls = "hook " + callback
    once = (place.client, callback) in place.known.miscounted
    return once and says(place.a, calls) != says(place.b, calls)


@rule("empty-inject")
def called_once_more(place):
    return STOP if calls_back(place, "inject_message") else None


@rule("null-text-not-freed")
def null_text(place):
    return (1, 0) if says(place.a, "cb otr_error_message_free ~") else None


@rule("error-without-blank")
def error_without_blank(place):
    if not re.match(r"text:\?OTR Error:[^ ]", place.incoming):
        return None
    if says(place.b, "cb handle_msg_event") and value("event", place.b) in ("12", "13"):
        place.known.miscounted.add((place.client, "handle_msg_event"))
        return 0, 1
    if says(place.b, "hook handle_msg_event"):
        return STOP
    return (1, 1) if place.pair(r"internal=\d") else None


@rule("error-without-blank")
def told_once_more(place):
    return STOP if calls_back(place, "handle_msg_event") else None


@rule("refused-changes-nothing")
def refused(place):
    key = place.client, place.context()
    refused_now = re.match(r"v\d commit|unreadable:\?OTR:AA[IM]C", place.incoming) and value("ms", place.b) in ("0", "2")
    if not (refused_now or key in place.known.versions):
        return None
    if place.pair(VERSION):
        place.known.versions.add(key)
        return 1, 1
    move = place.stale(VERSION)
    if move:
        place.known.versions.add(key)
    return move


@rule("refused-changes-nothing")
def refused_and_timed(place):
    """In the left log the commit that waits has the version of the refused one,
    and the timer does not look after it."""
    master = any(client == place.client and name.endswith("#0") for client, name in place.known.versions)
    return STOP if place.step[1:2] == ["poll"] and master and "timer" in place.a + place.b else None


@rule("refused-changes-nothing")
def refused_key(place):
    """In the left log an instance goes on waiting for a D-H Key after one that
    was refused, as if our commit had been its own."""
    key = place.client, place.context()
    waits = place.pair(WAITING, VERSION) and (value("as", place.a), value("as", place.b)) == ("1", "0")
    if waits and A_KEY.match(place.incoming):
        place.known.waiting.add(key)
        place.known.versions.add(key)
    if key not in place.known.waiting:
        return None
    if waits:
        return 1, 1
    answers = re.match(r"v3 (key|commit)", place.incoming) and says(place.a, "inject", "cb max_message_size")
    return STOP if answers else place.stale(WAITING)


@rule("no-key-no-exchange")
def no_key(place):
    """In the left log a D-H Key that nobody can sign an answer to has its effect."""
    made = [step for step in place.steps if step[0] == place.client and step[1:] in (["key", "forget_all"], ["set", "make_key", "0"])]
    waits = value("as", place.a) == "1" != value("as", place.b) and place.pair(WAITING)
    return STOP if made and waits and A_KEY.match(place.incoming) else None


@rule("exchange-version")
def answer_in_another_version(place):
    """The left log takes a D-H Key of version 3 for the answer to a commit of version 2."""
    waits = any(
        client == place.client and name.endswith("#0") and (state.get("as"), state.get("pv")) == ("1", "2")
        for (client, name), state in place.known.state.items())
    return STOP if waits and A_KEY.match(place.incoming) else None


@rule("session-version")
def session_version(place):
    private = value("ms", place.a) == "1"
    other = place.pair(VERSION, r"\bas=\d") and not place.pair(r"\bas=\d")
    return STOP if private and (other or place.stale(VERSION)) else None


@rule("child-without-keys")
def child_without_keys(place):
    new = (place.client, place.context()) not in place.known.state
    states = value("ms", place.a), value("ms", place.b)
    by_message = re.match(r"v3 |unreadable:\?OTR:AAM", place.incoming) and states == ("1", "2")
    by_piece = re.match(r"text:\?OTR\||piece v3", place.arrived) and states == ("0", "2")
    return STOP if new and (by_message or by_piece) and place.pair(STATE) else None


@rule("orphan-child")
def orphan(place):
    name = place.context()
    # The master is made as well: the application hears of both, and finds it.
    if place.step[1:2] in (["send"], ["find"]) and says(place.b, "cb add_app_data"):
        first = not any(client == place.client for client, _ in place.known.state)
        return STOP if first and not says(place.a, "cb add_app_data") else None
    if says(place.a, "found ") and says(place.b, "found ") and "#0 " in place.b:
        # Asked for the master, the other library finds nothing or the child.
        other, found = place.a.split(" ")[2], place.b.split(" ")[2]
        alike = other == "~" or other.startswith(found[:-1])
        return STOP if alike and (place.client, found) not in place.known.state else None
    return STOP if name and not name.endswith("#0") and value("m", place.a) == name and "#0 " in place.b else None


@rule("random-tag-copied", by_chance=True)
def random_tag(place):
    """The left log sends a message as if it came from nobody."""
    if place.client not in place.known.hosted:
        return None
    forgotten = any(step[1:3] == ["tags", "forget_all"] for step in place.steps)
    tagless = re.search(r" v3 (?:\w+ )?0>| 0>\S+ \d+/", place.a) and not re.search(r" 0>", place.b)
    return STOP if forgotten and tagless and place.pair(r" \S+>\S+") else None


@rule("dangling-recent")
def dangling(place):
    if place.pair(RECENT) and "DANGLING" in place.a:
        return STOP
    return None


@rule("forget-active-fingerprint", by_chance=True)
def used_after_forgetting(place):
    """The other library dies, or not, of a fingerprint that its program has forgotten."""
    forgotten = any(step[:2] == [place.client, "fp_forget"] for step in place.steps)
    theirs = place.client not in place.known.hosted
    dies = died(place) or says(place.b, "died signal=")
    # With the freed one it compares that of a new session.
    secure = ("cb gone_secure ", "cb still_secure ")
    known = says(place.a, *secure) and says(place.b, *secure) and place.pair(SECURE)
    return STOP if forgotten and theirs and (dies or known) else None


@rule("forget-active-fingerprint")
def active_fingerprint(place):
    return STOP if place.step[1:2] == ["fp_forget"] or "afp=DANGLING" in place.a else None


@rule("respond-unasked")
def respond_unasked(place):
    if place.step[1:2] != ["smp"] or place.step[4] not in ("respond", "answer"):
        return None
    told = says(place.b, "cb handle_smp_event") and value("event", place.b) == "1"
    return STOP if died(place) or told else None


@rule("abort-from-inside")
def abort_from_inside(place):
    """Only after the program has aborted while it was told of progress."""
    aborts = any(step[1:2] == ["hook"] and step[2] == "handle_smp_event" and "abort" in step for step in place.steps)
    inside = aborts and place.hooked("handle_smp_event")
    undone = value("ne", place.a) in ("2", "3") and value("ne", place.b) == "0"
    return STOP if inside and undone and place.pair(r"\bne=\d") else None


@rule("abort-without-context")
def abort_nothing(place):
    return STOP if died(place) and place.step[1:2] == ["smp"] and place.step[4] == "abort" else None


@rule("odd-tags")
def odd_tags(place):
    return STOP if died(place) and place.step[1:2] == ["send"] and place.step[3] in ("recent", "received", "sent") else None


def died(place):
    return says(place.a, "died signal=")


@rule("query-text")
def query_text(place):
    """A query is cut into fewer pieces, or its last has another end."""
    return STOP if cut_elsewhere(place, "query", "text:?OTR") else None


def cut_elsewhere(place, *kinds):
    """Whether two messages of such a kind are cut into pieces at other places."""
    pieces = [PIECE.search(line) for line in (place.a, place.b)]
    return all(found and found[2] in kinds for found in pieces)


def repeated(place):
    """What the left log sends again in answer to this message; None if nothing.

    The event tells.  Of a program without it only the length of the message is
    known, which must be that of an empty text behind its mark."""
    ahead = []
    for line in place.left[place.i :]:
        if line.startswith(place.client + "| received ") or not line.startswith(place.client + "| "):
            break
        ahead.append(line.partition("| ")[2])
    for line in ahead:
        if " event=6 " in line:
            return (value("text", line) or "").strip("%~")
    mark = "[once more] " if any(line.startswith("cb resent_msg_prefix ") for line in ahead) else "[resent] "
    empty = r"inject .* data .* enc=%d " % (len(mark) + 1)
    return "" if place.just_secured and any(re.match(empty, line) for line in ahead) else None


@rule("no-empty-resend")
def no_empty_resend(place):
    return STOP if repeated(place) == "" else None


@rule("resend-to-same-key")
def resend_to_same_key(place):
    return STOP if repeated(place) and place.known.secured[place.client] > 1 else None


@rule("resend-once")
def resend_once(place):
    """The left log resends what begins with the mark of a repetition."""
    return STOP if (repeated(place) or "").startswith("[") else None


@rule("all-texts-kept")
def all_texts_kept(place):
    sends = says(place.b, "cb max_message_size", "cb resent_msg_prefix", "inject")
    return STOP if place.known.required[place.client] > 1 and place.just_secured and sends else None


@rule("all-texts-kept")
def handed_on(place):
    """What the master keeps to send again goes to the first instance with a session."""
    move = (1, 1) if place.pair(AGAIN) else place.stale(AGAIN)
    line = place.a if move and move[0] else place.b
    of_master = says(line, "priv") and re.search(r"\| priv \S+#0 ", line)
    return move if of_master and place.known.secured[place.client] else None


@rule("both-sides-resend")
def both_sides_resend(place):
    sends = says(place.b, "cb max_message_size", "cb resent_msg_prefix", "inject")
    return STOP if place.just_secured and sends and says(place.a, "received") else None


@rule("fragmented-plaintext")
def fragmented_plaintext(place):
    joined = place.arrived.startswith("piece ") and place.pair(r"\bnew=\S+")
    return (1, 1) if joined and says(place.a, "received internal=0 new=~ ") else None


@rule("fragment-version")
def fragment_version(place):
    """Text is cut while no exchange is under way, after one of version 3 that came to nothing."""
    before = place.left[place.i - 1] if place.i else ""
    forms = " piece v2 0>0 " in place.a and re.search(r" piece v3 \w+>\w+ ", place.b)
    idle = says(before, "cb max_message_size ") and " ms=0 as=0 pv=3 " in before
    cut = says(place.a, "inject ") and place.pair(r" piece v\d \w+>\w+ ")
    return STOP if forms and idle and cut else None
