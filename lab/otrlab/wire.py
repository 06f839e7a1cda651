"""The messages of the protocol as a laboratory needs them: taken apart into
named fields, changed, put together again, and described in one line.

Only the outer structure is known here; nothing is decrypted.  See "Message
formats" in the protocol text.
"""

import base64
import re

COMMIT, DATA, KEY, V1_KEYEXCH, REVEAL, SIGNATURE = 0x02, 0x03, 0x0A, 0x0A, 0x11, 0x12
NAMES = {COMMIT: "commit", KEY: "key", REVEAL: "reveal", SIGNATURE: "signature", DATA: "data"}

TAG_BASE = " \t  \t\t\t\t \t \t \t  "
TAGS = {1: " \t \t  \t ", 2: "  \t\t  \t ", 3: "  \t\t  \t\t"}

PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF",
    16,
)


class Broken(Exception):
    """The bytes are not a message of this kind."""


class Fields:
    """Reads the data types of the protocol from front to back."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise Broken("too short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def counted(self):
        return self.take(self.number(4))

    def rest(self):
        return self.take(len(self.data) - self.at)


def counted(value):
    return len(value).to_bytes(4, "big") + value


def mpi(number):
    return counted(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class Message:
    """One encoded message: version, kind, tags and its fields in order."""

    LAYOUT = {
        COMMIT: [("enc_gx", "counted"), ("hash", "counted")],
        KEY: [("gy", "counted")],
        REVEAL: [("r", "counted"), ("enc_sig", "counted"), ("mac", 20)],
        SIGNATURE: [("enc_sig", "counted"), ("mac", 20)],
        DATA: [
            ("flags", 1), ("skid", 4), ("rkid", 4), ("next", "counted"),
            ("ctr", 8), ("enc", "counted"), ("mac", 20), ("revealed", "counted"),
        ],
    }
    V1_KEYEXCH_LAYOUT = [
        ("reply", 1), ("p", "counted"), ("q", "counted"), ("g", "counted"), ("y", "counted"),
        ("keyid", 4), ("dh", "counted"), ("signature", 40),
    ]

    def __init__(self, version, kind, sender=0, receiver=0, **fields):
        self.version, self.kind = version, kind
        self.sender, self.receiver = sender, receiver
        self.fields = fields
        self.tail = b""

    def layout(self):
        if self.version == 1 and self.kind == V1_KEYEXCH:
            return self.V1_KEYEXCH_LAYOUT
        layout = self.LAYOUT.get(self.kind)
        if layout is None:
            raise Broken("unknown type")
        if self.version == 1 and self.kind == DATA:
            return layout[1:]
        return layout

    @classmethod
    def parse(cls, data):
        reader = Fields(data)
        if reader.number(1) != 0:
            raise Broken("not the header of a message")
        message = cls(reader.number(1), reader.number(1))
        if message.version == 3:
            message.sender, message.receiver = reader.number(4), reader.number(4)
        for name, size in message.layout():
            message.fields[name] = reader.counted() if size == "counted" else reader.take(size)
        message.tail = reader.rest()
        return message

    def encode(self):
        out = bytes([0, self.version, self.kind])
        if self.version == 3:
            out += self.sender.to_bytes(4, "big") + self.receiver.to_bytes(4, "big")
        for name, size in self.layout():
            value = self.fields[name]
            out += counted(value) if size == "counted" else value
        return out + self.tail

    @property
    def name(self):
        if self.version == 1 and self.kind == V1_KEYEXCH:
            return "v1keyexch"
        return NAMES.get(self.kind, "type%02x" % self.kind)


def armour(data):
    return "?OTR:" + base64.b64encode(data).decode() + "."


def dearmour(text):
    found = re.search(r"\?OTR:([^.]*)", text, re.S)
    if not found:
        raise Broken("no prefix")
    body = re.sub(r"[^A-Za-z0-9+/]", "", found.group(1).split("=")[0])
    whole = len(body) - (1 if len(body) % 4 == 1 else 0)
    return base64.b64decode(body[:whole] + "=" * (-whole % 4))


PIECE = re.compile(r"\?OTR(?:,|\|([0-9a-fA-F]*)\|([0-9a-fA-F]*),)(\d+),(\d+),([^,]*),")


def piece(text):
    """(version, sender, receiver, k, n, content) of a fragment, or None."""
    found = PIECE.search(text)
    if not found:
        return None
    sender, receiver, k, n, content = found.groups()
    version = 2 if sender is None else 3
    return version, int(sender or "0", 16), int(receiver or "0", 16), int(k), int(n), content


def cut(text, limit, version, sender=0, receiver=0, last=0):
    """The text in pieces with at most `limit` characters of content; the last
    has in addition the `last` characters of the text."""
    parts = [text[i : i + limit] for i in range(0, len(text) - last, limit)] or [""]
    parts[-1] += text[len("".join(parts)) :]
    head = "?OTR|%08x|%08x," % (sender, receiver) if version == 3 else "?OTR,"
    return ["%s%05d,%05d,%s," % (head, i + 1, len(parts), part) for i, part in enumerate(parts)]


# What follows the versions in a default query, without the sentence that one
# distribution puts into it.
ADDED = "If you are using Pidgin in Debian or Ubuntu,install the pidgin-otr package.\n"
QUERY = re.compile(
    r"\n<b>([^\n]*)</b> has requested an "
    r'<a href="https://otr.cypherpunks.ca/">Off-the-Record private conversation</a>.  '
    r"However, you do not have a plugin to support that.\n"
    r'See <a href="https://otr.cypherpunks.ca/">https://otr.cypherpunks.ca/</a> for more information.'
)


def plain(text):
    """Text that is no encoded message, queries shortened, tags readable."""
    text = QUERY.sub(r"{query of \1}", text.replace(ADDED, "")).replace(TAG_BASE, "{base}")
    for version, tag in TAGS.items():
        text = text.replace(tag, "{v%d}" % version)
    return "".join(c if " " <= c <= "~" else "\\x%02x" % ord(c) for c in text)


# The lengths of values that may by chance begin with a zero byte are written
# as if they did not.
def usual(length):
    return 192 if 186 <= length < 192 else length


def describe(text, symbol):
    """One line on a message.  symbol(kind, bytes) names a random value."""
    if text is None:
        return "~"
    part = piece(text)
    if part:
        version, sender, receiver, k, n, _ = part
        return "piece v%d %x>%x %d/%d" % (version, sender, receiver, k, n)
    if "?OTR:" not in text:
        return "text:" + plain(text)
    before = text.split("?OTR:")[0]
    try:
        data = dearmour(text)
        message = Message.parse(data)
    except (Broken, ValueError):
        return "unreadable:" + text[:60]
    out = ["v%d" % message.version, message.name]
    if message.version == 3:
        out.append("%x>%x" % (message.sender, message.receiver))
    inside = message.tail and data_message_in(data)
    if inside:
        # Its type was changed on the way.
        out += ["of-data"] + fields(inside, symbol)[0]
    else:
        shown, shrunk = fields(message, symbol)
        out += shown
        if message.tail:
            out.append("tail=%d" % len(message.tail))
        if message.kind != DATA:
            out.append("length=%d" % (len(data) + shrunk))
    if before:
        out.append("after:" + before)
    return " ".join(out)


def data_message_in(data):
    """The data message that these bytes are but for the type; None if they are none."""
    try:
        message = Message.parse(data[:2] + bytes([DATA]) + data[3:])
        return None if message.tail else message
    except Broken:
        return None


def fields(message, symbol):
    """The fields in words, and by how much they are shorter than usual."""
    out, shrunk = [], 0
    for name, _ in message.layout():
        value = message.fields[name]
        if name in ("gy", "next", "dh"):
            shrunk += usual(len(value)) - len(value)
            out.append("%s=%s" % (name, symbol("Y", value)))
        elif name == "enc_gx":
            shrunk += usual(len(value) - 4) + 4 - len(value)
            out.append("enc_gx=%s" % symbol("E", value))
        elif name == "hash":
            out.append("hash=%s" % symbol("H", value))
        elif name == "r":
            out.append("r=%s" % symbol("R", value))
        elif name == "enc_sig":
            out.append("enc_sig=%d" % len(value))
        elif name == "enc":
            # The numbers of SMP make the length vary; its messages have this flag,
            # except in version 1, which has no flags.
            varies = len(value) > 200 and message.fields.get("flags", b"\1") == b"\1"
            out.append("enc=%s" % ("long" if varies else len(value)))
        elif name == "revealed":
            out.append("revealed=[%s]" % ",".join(symbol("M", value[i : i + 20]) for i in range(0, len(value), 20)))
        elif name in ("flags", "skid", "rkid", "ctr", "reply", "keyid"):
            out.append("%s=%d" % (name, int.from_bytes(value, "big")))
        elif name in ("p", "q", "g", "y"):
            out.append("%s=%d" % (name, len(value)))
    return out, shrunk


def describe_tlv(kind, value):
    """The value of a TLV: the records of SMP only by their structure."""
    if kind not in (2, 3, 4, 5, 7):
        return value.hex()
    question = b""
    if kind == 7 and b"\0" in value:
        question, value = value.split(b"\0", 1)
    try:
        reader = Fields(value)
        numbers = [len(reader.counted()) for _ in range(reader.number(4))]
        return "smp numbers=%d tail=%d question=%s" % (len(numbers), len(reader.rest()), question.hex())
    except Broken:
        return value.hex()
