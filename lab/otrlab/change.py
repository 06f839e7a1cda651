"""Changing a message on its way, and forging messages without a key.

A change is a word: `mac`, `hash`, `enc`, `enc_sig`, `r`, `gy`, `next` and
`revealed` flip one bit of that field; `version=2`, `type=12`, `from=HEX`,
`to=HEX`, `flags=1`, `skid=N`, `rkid=N`, `ctr=N` set a number, `next=VALUE` and
`gy=VALUE` a group element (0, 1, 2, p-1, p, p+1); `truncate=N` cuts N bytes
off, `extend=N` appends N; `nodot` drops the final dot, `before=TEXT` and
`after=TEXT` surround the text, `char=N` replaces the N-th character.
"""

from . import wire

SIZES = {"flags": 1, "skid": 4, "rkid": 4, "ctr": 8, "keyid": 4, "reply": 1}


def element(word):
    named = {"p-1": wire.PRIME - 1, "p": wire.PRIME, "p+1": wire.PRIME + 1}
    number = named[word] if word in named else int(word)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def change(text, word):
    """The text after one change; unchanged if it has no such field."""
    name, _, value = word.partition("=")
    if name == "nodot":
        return text.rstrip(".")
    if name == "before":
        return value + text
    if name == "after":
        return text + value
    if name == "char":
        at = int(value) % max(1, len(text))
        return text[:at] + ("!" if text[at : at + 1] != "!" else "#") + text[at + 1 :]
    try:
        data = wire.dearmour(text)
        if name == "truncate":
            return wire.armour(data[: max(0, len(data) - int(value))])
        if name == "extend":
            return wire.armour(data + b"\x41" * int(value))
        message = wire.Message.parse(data)
    except (wire.Broken, ValueError):
        return text
    if name == "version":
        message.version = int(value)
        if message.version != 1:
            message.fields.setdefault("flags", b"\0")
    elif name == "type":
        return wire.armour(data[:2] + bytes([int(value, 16)]) + data[3:])
    elif name == "from":
        message.sender = int(value, 16)
    elif name == "to":
        message.receiver = int(value, 16)
    elif name in message.fields:
        if value and name in SIZES:
            message.fields[name] = int(value, 0).to_bytes(SIZES[name], "big")
        elif value:
            message.fields[name] = element(value)
        elif message.fields[name]:
            field = message.fields[name]
            message.fields[name] = field[:-1] + bytes([field[-1] ^ 1])
    try:
        return wire.armour(message.encode())
    except (wire.Broken, KeyError):  # it lacks a field of the other version
        return text


def forge(kind, version, sender, receiver):
    """A well-formed message with meaningless content."""
    y = element("4")
    fields = {
        "commit": (wire.COMMIT, {"enc_gx": b"\x42" * 196, "hash": b"\x43" * 32}),
        "key": (wire.KEY, {"gy": y}),
        "reveal": (wire.REVEAL, {"r": b"\x44" * 16, "enc_sig": b"\x45" * 460, "mac": b"\x46" * 20}),
        "signature": (wire.SIGNATURE, {"enc_sig": b"\x47" * 460, "mac": b"\x48" * 20}),
        "data": (wire.DATA, {
            "flags": b"\0", "skid": b"\0\0\0\1", "rkid": b"\0\0\0\1", "next": y, "ctr": b"\0" * 7 + b"\1",
            "enc": b"\x49" * 8, "mac": b"\x4a" * 20, "revealed": b"",
        }),
    }
    code, values = fields[kind]
    return wire.armour(wire.Message(version, code, sender, receiver, **values).encode())
