#!/usr/bin/env python3
"""Unmodified profanity, Alice and Bob over a local XMPP server:  profanity.py [ejabberd|prosody]

Keys, fingerprints, a conversation, SMP with and without a question, the end, and all of it again after a restart from
the stored files. See drive.py for LIB_A and LIB_B.
"""
import re
import sys
import time

import servers
from drive import Drive, eventually
from terminal import Terminal
from wire import Tap, check_wire

CLEAR = "said-before-otr"
PASSWORDS = {"alice": "password-of-alice", "bob": "password-of-bob"}
FINGERPRINT = r"((?:[0-9A-F]{8} ?){5})"
OPTIONS = """
[ui]
splash=false
wrap=true
flash=false
[connection]
reconnect=0
autoping=0
[logging]
chlog=false
history=false
[notifications]
message=off
[otr]
policy=manual
"""


class Profanity(Terminal):
    """One profanity, logged in. The first start makes the account."""

    def __init__(self, drive, side, name, port, first):
        self.home = drive.make_folder(name)
        drive.write(name + "/.config/profanity/profrc", OPTIONS)
        env = drive.environment(side, self.home, XDG_CONFIG_HOME=self.home + "/.config",
                                XDG_DATA_HOME=self.home + "/.local/share")
        super().__init__(drive, name, ["profanity"], env, self.home)
        self.wait(r"Type /help for help")
        time.sleep(0.5)
        if first:
            self._make_account(port)
        self.type("/connect " + name)
        self.wait(r"logged in successfully")
        drive.check_library(side, self.pid)

    def _make_account(self, port):
        self.type("/account add " + self.name)
        self.wait(r"Account created")
        settings = {"jid": f"{self.name}@{servers.DOMAIN}/here", "server": "127.0.0.1", "port": str(port), "tls": "disable",
                    "password": PASSWORDS[self.name]}
        for key, value in settings.items():
            self.type(f"/account set {self.name} {key} {value}")
            time.sleep(0.2)

    def stored(self, name):
        folder = f"{self.home}/.local/share/profanity/otr/{self.name}_at_{servers.DOMAIN}"
        # A key file may hold raw bytes: libgcrypt writes a number as a quoted string when it looks like one.
        with open(f"{folder}/{name}", encoding="utf-8", errors="surrogateescape") as file:
            return file.read()


def jid(name):
    return f"{name}@{servers.DOMAIN}"


def make_keys(drive, people):
    for who in people:
        who.type("/otr gen")
    for who in people:
        who.wait(r"Private key generation complete", limit=60)
        drive.check(who.stored("keys.txt").startswith("(privkeys"), f"{who.name}: the key file is there")


def start(drive, alice, bob):
    """A private session; returns the fingerprints, as each side shows its own and the other's."""
    alice.type("/otr start")
    for who in (alice, bob):
        who.wait(r"OTR session started")
    prints = {}
    for who in (alice, bob):
        who.type("/otr myfp")
        prints[who.name] = who.wait(r"Your OTR fingerprint: " + FINGERPRINT).group(1).strip()
    for who, other in ((alice, "bob"), (bob, "alice")):
        who.type("/otr theirfp")
        shown = who.wait(r"'s OTR fingerprint: " + FINGERPRINT).group(1).strip()
        drive.check(shown == prints[other], f"{who.name} sees the fingerprint of {other}: {shown}")
    return prints


def talk(drive, alice, bob):
    """Texts in both directions; returns those that must not be on the wire."""
    texts = ["alice-says-sesame-41", "bob-says-sesame-42", "a-long-one-" + "0123456789abcdef" * 200]
    alice.type(texts[0])
    bob.wait(texts[0])
    bob.type(texts[1])
    alice.wait(texts[1])
    alice.type(texts[2])
    eventually("a long text at Bob's", lambda: texts[2] in bob.unwrapped())
    drive.check(True, f"short texts both ways and one of {len(texts[2])} characters arrive")
    for turn in range(6):
        texts.append(f"turn-number-{turn}")
        (alice, bob)[turn % 2].type(texts[-1])
        (bob, alice)[turn % 2].wait(texts[-1])
    drive.check(True, "six texts in turn arrive, over as many changes of keys")
    return texts


def authenticate(drive, alice, bob):
    def secret(answer, result, times):
        alice.type("/otr secret correct-horse")
        bob.wait(r"wants to authenticate your identity, use '/otr secret", times=times)
        bob.type("/otr secret " + answer)
        for who in (alice, bob):
            who.wait(result)

    secret("wrong-horse", r"Authentication failed", 1)
    drive.check(True, "SMP: different secrets fail on both sides")
    secret("correct-horse", r"Authentication successful", 2)
    drive.check(True, "SMP: equal secrets succeed on both sides")
    bob.type('/otr question "which bird" kingfisher')
    alice.wait(r"following question:")
    alice.wait(r"which bird")
    alice.type("/otr answer kingfisher")
    alice.wait(r"successfully authenticated you")
    bob.wait(r"Authentication successful", times=2)
    drive.check(True, "SMP with a question, begun by Bob, succeeds on both sides")
    return ["correct-horse", "wrong-horse", "which bird", "kingfisher"]


def check_files(drive, alice, bob, prints):
    for who, other in ((alice, "bob"), (bob, "alice")):
        hexadecimal = prints[other].replace(" ", "").lower()
        drive.check(re.search(rf"^{jid(other)}\t{jid(who.name)}\txmpp\t{hexadecimal}\t\S+$", who.stored("fingerprints.txt"), re.M),
                    f"{who.name}: the fingerprint of {other} is stored as trusted")


def again(drive, ports):
    """A second start from the same folders: keys and trust are still there."""
    alice = Profanity(drive, "A", "alice", ports["A"], first=False)
    bob = Profanity(drive, "B", "bob", ports["B"], first=False)
    for who in (alice, bob):
        who.wait(rf"Loaded OTR private key for {jid(who.name)}")
    bob.type(f"/msg {jid('alice')} in-the-clear-again")
    alice.wait(rf"chat message: {jid('bob')}")
    alice.type(f"/msg {jid('bob')} in-the-clear-back")
    bob.wait(r"in-the-clear-back")
    bob.type("/otr start")
    for who in (alice, bob):
        who.wait(r"OTR session started \(trusted\)")
    drive.check(True, "after the restart both sides still trust each other")
    texts = ["after-the-restart-7", "after-the-restart-8"]
    bob.type(texts[0])
    alice.wait(texts[0])
    alice.type(texts[1])
    bob.wait(texts[1])
    drive.check(True, "texts both ways after the restart")
    return alice, bob, texts


def main():
    server_name = sys.argv[1] if len(sys.argv) > 1 else "ejabberd"
    with Drive(f"profanity over {server_name}") as drive:
        server = servers.XMPP[server_name](drive, PASSWORDS)
        taps = {side: Tap(drive, server) for side in "AB"}
        ports = {side: tap.port for side, tap in taps.items()}
        alice = Profanity(drive, "A", "alice", ports["A"], first=True)
        bob = Profanity(drive, "B", "bob", ports["B"], first=True)
        make_keys(drive, (alice, bob))
        alice.type(f"/msg {jid('bob')} {CLEAR}")
        bob.type(f"/msg {jid('alice')} {CLEAR}")
        for who in (alice, bob):
            who.wait(CLEAR, times=2)
        prints = start(drive, alice, bob)
        secrets = talk(drive, alice, bob) + authenticate(drive, alice, bob)
        alice.type("/otr end")
        alice.wait(r"OTR session ended")
        bob.wait(r"ended the OTR session|OTR session ended")
        drive.check(True, "the end is seen on both sides")
        check_files(drive, alice, bob, prints)
        keys = [who.stored("keys.txt") for who in (alice, bob)]
        for who in (alice, bob):
            who.quit()
        alice, bob, more = again(drive, ports)
        drive.check(keys == [who.stored("keys.txt") for who in (alice, bob)], "the restart left the key files as they were")
        check_wire(drive, secrets + more, CLEAR)
        for who in (alice, bob):
            who.quit()


if __name__ == "__main__":
    main()
