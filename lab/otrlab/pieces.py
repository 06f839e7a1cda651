"""Messages in pieces: what a piece was cut from, and the message once it is whole.

See "Fragmentation" in the protocol text.  Without this, a rule about a message
would not hold for the same message in pieces.
"""

import re

from . import wire

KINDS = {"C": "commit", "K": "key", "R": "reveal", "S": "signature", "D": "data"}
ENCODED = re.compile(r"\?OTR:AA[A-Z](.)")


def kind(beginning):
    """What begins like this, in one word."""
    encoded = ENCODED.match(beginning)
    if encoded:
        return KINDS.get(encoded[1], "message")
    return "query" if beginning.startswith("?OTR") else "text"


class Cuts:
    """Knows of every piece on the network what it was cut from."""

    def __init__(self):
        self.kinds = {}

    def note(self, texts):
        """Takes what was sent at one time; a first piece may come after the others."""
        parts = [(text, wire.piece(text)) for text in texts if text]
        parts = [(text, part[3], part[4], part[5]) for text, part in parts if part]
        begun = {n: kind(content) for _, k, n, content in reversed(parts) if k == 1}
        for text, k, n, content in parts:
            if k == 1:
                begun[n] = kind(content)
            if n in begun:
                self.kinds[text] = begun[n]

    def kind(self, text):
        return self.kinds.get(text)


class Joined:
    """What each receiver has of messages in pieces."""

    def __init__(self):
        self.stores = {}

    def add(self, receiver, sender, text):
        """The message that is complete with this piece; None if there is none."""
        part = wire.piece(text)
        if part is None:
            if "?OTR" in text:
                self.stores.pop((receiver, sender, 0), None)
            return None
        _, tag, _, k, n, content = part
        place = (receiver, sender, tag)
        if not content or not 1 <= k <= n:
            return None
        last, count, start = self.stores.pop(place, (0, n, ""))
        if k == 1:
            last, count, start = 0, n, ""
        if (k, n) != (last + 1, count):
            return None
        if k == n:
            return start + content
        self.stores[place] = (k, n, start + content)
        return None

    def forget(self, receiver):
        for place in [place for place in self.stores if place[0] == receiver]:
            del self.stores[place]
