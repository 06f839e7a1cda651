#!/usr/bin/env python3
"""Unmodified irssi with its OTR module, Alice and Bob over a local ngircd.

Keys, a conversation, fragments, key rotation, SMP both ways, the end of the conversation, and all of it again after a
restart from the stored files. See drive.py for LIB_A and LIB_B.
"""
import os
import re

import servers
from drive import Drive, eventually
from terminal import Terminal
from wire import Tap, check_wire

CLEAR = "said-before-otr"
OPTIONS = """
servers = ( {{ address = "127.0.0.1"; port = "{port}"; chatnet = "{name}net"; autoconnect = "yes"; }} );
chatnets = {{ {name}net = {{ type = "IRC"; }}; }};
settings = {{
  core = {{ nick = "{name}"; user_name = "{name}"; real_name = "{name}"; resolve_prefer_ipv6 = "no"; server_reconnect_time = "-1"; }};
  "irc/core" = {{ cmd_queue_speed = "10msec"; cmds_max_at_once = "500"; }};
  "fe-text" = {{ term_force_colors = "no"; }};
  "fe-common/core" = {{ autolog = "no"; }};
}};
"""


class Irssi(Terminal):
    """One irssi, connected and with the OTR module loaded."""

    def __init__(self, drive, side, name, port):
        self.home = drive.make_folder(name)
        if not os.path.exists(self.home + "/config"):
            drive.write(name + "/config", OPTIONS.format(name=name, port=port))
            drive.write(name + "/startup", "LOAD otr\n")
        super().__init__(drive, name, ["irssi", "--home=" + self.home], drive.environment(side, self.home), self.home)
        self.wait(r"Loaded module otr/core")
        self.wait(r"welcome-to-the-test")
        drive.check_library(side, self.pid)

    def stored(self, name):
        # A key file may hold raw bytes: libgcrypt writes a number as a quoted string when it looks like one.
        with open(f"{self.home}/otr/otr.{name}", encoding="utf-8", errors="surrogateescape") as file:
            return file.read()


def make_keys(drive, people):
    prints = {}
    for who in people:
        who.type(f"/otr genkey {who.name}net")
    for who in people:
        who.wait(rf"OTR key generation for {who.name}net completed", limit=60)
        key = who.stored("key")
        drive.check(key.startswith("(privkeys") and f"{who.name}net" in key and key.count("#") == 10,
                    f"{who.name}: the key file has one DSA key")
        who.type("/otr info")
        prints[who.name] = who.wait(r"Fingerprint for \S+ ((?:[0-9A-F]{8} ){4}[0-9A-F]{8})").group(1)
    drive.check(len(set(prints.values())) == 2, "two different fingerprints are shown")
    return prints


def talk(drive, alice, bob):
    """Texts in both directions; returns those that must not be on the wire."""
    texts = ["alice-says-sesame-41", "bob-says-sesame-42", "a-long-one-" + "0123456789abcdef" * 20]
    alice.type(texts[0])
    bob.wait(texts[0])
    bob.type(texts[1])
    alice.wait(texts[1])
    alice.type(texts[2])
    eventually("a long text at Bob's", lambda: texts[2] in bob.unwrapped())
    drive.check(True, f"short texts both ways and one of {len(texts[2])} characters (in fragments) arrive")
    for turn in range(6):
        texts.append(f"turn-number-{turn}")
        (alice, bob)[turn % 2].type(texts[-1])
        (bob, alice)[turn % 2].wait(texts[-1])
    drive.check(True, "six texts in turn arrive, over as many changes of keys")
    return texts


def authenticate(drive, alice, bob):
    def question(answer, result, times):
        alice.type('/otr authq "which bird" kingfisher')
        bob.wait(r"Question: which bird", times=times)
        bob.type("/otr auth " + answer)
        for who in (alice, bob):
            who.wait(rf"Authentication with \S+ {result}")

    question("heron", "failed", 1)
    drive.check(True, "SMP: the wrong answer fails on both sides")
    question("kingfisher", "successful", 2)
    drive.check(True, "SMP: the right answer succeeds on both sides")
    bob.type("/otr auth a-shared-secret")
    alice.wait(r"wants to authenticate\. Use /otr auth")
    alice.type("/otr auth a-shared-secret")
    for who in (alice, bob):
        who.wait(r"Authentication with \S+ successful", times=2)
    drive.check(True, "SMP without a question, begun by Bob, succeeds on both sides")
    return ["kingfisher", "heron", "a-shared-secret", "which bird"]


def check_files(drive, alice, bob, prints):
    for who, other in ((alice, "bob"), (bob, "alice")):
        hexadecimal = prints[other].replace(" ", "").lower()
        drive.check(re.search(rf"^{other}\S*\t\S+\tIRC\t{hexadecimal}\tsmp$", who.stored("fp"), re.M),
                    f"{who.name}: the fingerprint of {other} is stored as verified by SMP")
        drive.check(re.search(r"\tIRC\t[0-9a-f]{8}$", who.stored("instag"), re.M), f"{who.name}: the instance tag is stored")


def again(drive, ports):
    """A second start from the same folders: keys and trust are still there."""
    alice, bob = Irssi(drive, "A", "alice", ports["A"]), Irssi(drive, "B", "bob", ports["B"])
    alice.type("/query bob")
    bob.type("/query alice")
    bob.type("/otr init")
    for who in (alice, bob):
        who.wait(r"Session secured")
        drive.check("not authenticated" not in who.screen(), f"{who.name}: the peer is still trusted")
    texts = ["after-the-restart-7", "after-the-restart-8"]
    bob.type(texts[0])
    alice.wait(texts[0])
    alice.type(texts[1])
    bob.wait(texts[1])
    drive.check(True, "texts both ways after the restart")
    return alice, bob, texts


def check_tag(drive, alice, tap, already_sent):
    """irssi makes a new instance tag at every start: what it sends now carries the one that is now stored."""
    sent = bytes(tap.sent[already_sent:]).decode("utf-8", "replace")
    on_wire = {int(tag, 16) for tag in re.findall(r"\?OTR\|([0-9a-f]{1,8})\|", sent)}
    stored = {int(tag, 16) for tag in re.findall(r"\t([0-9a-f]{8})$", alice.stored("instag"), re.M)}
    drive.check(on_wire == stored and min(stored) >= 0x100, "fragments carry the instance tag that is stored")


def main():
    with Drive("irssi over ngircd") as drive:
        server = servers.ngircd(drive)
        taps = {side: Tap(drive, server) for side in "AB"}
        ports = {side: tap.port for side, tap in taps.items()}
        alice, bob = Irssi(drive, "A", "alice", ports["A"]), Irssi(drive, "B", "bob", ports["B"])
        prints = make_keys(drive, (alice, bob))
        alice.type("/query bob")
        bob.type("/query alice")
        for who, other in ((alice, bob), (bob, alice)):
            who.type(CLEAR)
            other.wait(CLEAR)
        alice.type("/otr init")
        for who in (alice, bob):
            who.wait(r"Session secured")
        drive.check(True, "a private session on both sides")
        secrets = talk(drive, alice, bob) + authenticate(drive, alice, bob)
        alice.type("/otr finish")
        alice.wait(r"Finished conversation with")
        bob.wait(r"has finished the OTR session")
        drive.check(True, "the end is seen on both sides")
        check_files(drive, alice, bob, prints)
        keys = [who.stored("key") for who in (alice, bob)]
        for who in (alice, bob):
            who.quit()
        already_sent = len(taps["A"].sent)
        alice, bob, more = again(drive, ports)
        drive.check(keys == [who.stored("key") for who in (alice, bob)], "the restart left the key files as they were")
        check_tag(drive, alice, taps["A"], already_sent)
        check_wire(drive, secrets + more, CLEAR)
        for who in (alice, bob):
            who.quit()


if __name__ == "__main__":
    main()
