#!/usr/bin/env python3
"""Unmodified Pidgin with its OTR plugin as Alice, irssi with its OTR module as Bob, over a local ngircd.

Pidgin runs on a screen that nobody sees (Xvfb) and is told what to do over D-Bus. It makes its key when the handshake asks
for it; then texts both ways and the end of the conversation. See drive.py for LIB_A (Pidgin) and LIB_B (irssi).
"""
import os
import re
import subprocess

import servers
from drive import STEP, Drive, Failed, eventually
from irssi import CLEAR, Irssi
from wire import Tap, check_wire

PLUGIN = "/usr/lib/pidgin/pidgin-otr.so"
ACCOUNTS = """<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account>
  <protocol>prpl-irc</protocol>
  <name>alice@127.0.0.1</name>
  <settings><setting name='port' type='int'>{port}</setting><setting name='ssl' type='bool'>0</setting></settings>
  <settings ui='gtk-gaim'><setting name='auto-login' type='bool'>1</setting></settings>
</account></account>
"""
# OTR is used when somebody asks for it, and private conversations may be read back.
PREFERENCES = f"""<?xml version='1.0' encoding='UTF-8' ?>
<pref version='1' name='/'>
  <pref name='pidgin'><pref name='plugins'>
    <pref name='loaded' type='pathlist'><item value='{PLUGIN}'/></pref>
  </pref></pref>
  <pref name='OTR'>
    <pref name='enabled' type='bool' value='1'/><pref name='automatic' type='bool' value='0'/>
    <pref name='onlyprivate' type='bool' value='0'/><pref name='avoidloggingotr' type='bool' value='0'/>
    <pref name='showotrbutton' type='bool' value='1'/>
  </pref>
</pref>
"""
INSTANT_MESSAGES = 1


class Pidgin:
    """One Pidgin, connected and with the OTR plugin loaded."""

    def __init__(self, drive, side, name, port):
        self.drive, self.name = drive, name
        self.home = drive.make_folder(name)
        drive.write(name + "/purple/accounts.xml", ACCOUNTS.format(port=port))
        drive.write(name + "/purple/prefs.xml", PREFERENCES)
        bus = f"unix:path={self.home}/bus"
        env = drive.environment(side, self.home, DBUS_SESSION_BUS_ADDRESS=bus, NO_AT_BRIDGE="1")
        plain = {key: value for key, value in env.items() if key != "LD_LIBRARY_PATH"}
        drive.spawn(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=" + bus], plain, "dbus")
        eventually("a D-Bus", lambda: os.path.exists(self.home + "/bus"))
        drive.spawn(["Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "800x600x24"], plain, "xvfb")
        env["DISPLAY"] = ":" + eventually("a screen", lambda: self._log("xvfb", r"^(\d+)\n"))
        self.bus_env = plain
        self.process = drive.spawn(["pidgin", "--config", self.home + "/purple"], env, "pidgin")
        self.account = int(eventually("Pidgin's account", self._connected, 3 * STEP))
        drive.check_library(side, self.process.pid)
        self.conversation = None

    def _log(self, process, pattern):
        with open(self.drive.path(process + ".log"), encoding="utf-8", errors="replace") as log:
            found = re.search(pattern, log.read(), re.M)
        return found and found.group(1)

    def ask(self, function, *arguments):
        """Calls a function of libpurple over D-Bus; what gdbus has done."""
        command = ["gdbus", "call", "--session", "--dest", "im.pidgin.purple.PurpleService", "--object-path",
                   "/im/pidgin/purple/PurpleObject", "--method", "im.pidgin.purple.PurpleInterface." + function, "--"]
        return subprocess.run(command + [str(argument) for argument in arguments], env=self.bus_env, capture_output=True,
                              text=True, timeout=3 * STEP, check=False)

    def call(self, function, *arguments):
        """What gdbus prints of such a call, or None if Pidgin does not answer."""
        done = self.ask(function, *arguments)
        if self.process.poll() is not None:
            raise Failed(f"Pidgin has ended with status {self.process.returncode}")
        return done.stdout if done.returncode == 0 else None

    def number(self, function, *arguments):
        found = re.search(r"-?\d+(?=[,)])", self.call(function, *arguments) or "")
        if not found:
            raise Failed(f"{self.name}: {function} gives no number")
        return int(found.group())

    def _connected(self):
        accounts = re.findall(r"\d+(?=[],])", (self.call("PurpleAccountsGetAllActive") or "").replace("int32", ""))
        return accounts and self.number("PurpleAccountIsConnected", accounts[0]) and accounts[0]

    def open(self, peer):
        self.conversation = self.number("PurpleConversationNew", INSTANT_MESSAGES, self.account, peer)

    def type(self, text):
        self.call("PurpleConvImSend", self.number("PurpleConversationGetImData", self.conversation), text)

    def shown(self):
        """What the conversation's window has shown, the latest first."""
        history = self.call("PurpleConversationGetMessageHistory", self.conversation) or ""
        messages = re.findall(r"\d+(?=[],])", history.replace("int32", ""))
        return "\n".join(self.call("PurpleConversationMessageGetMessage", message) or "" for message in messages)

    def wait(self, pattern, limit=STEP):
        eventually(f"{self.name}: /{pattern}/ in Pidgin", lambda: re.search(pattern, self.shown()), limit)

    def quit(self):
        self.ask("PurpleCoreQuit")  # it may have ended before it answers
        status = self.process.wait(STEP)
        if status != 0:
            raise Failed(f"Pidgin has ended with status {status}")


def main():
    with Drive("pidgin and irssi over ngircd") as drive:
        server = servers.ngircd(drive)
        taps = {side: Tap(drive, server) for side in "AB"}
        bob = Irssi(drive, "B", "bob", taps["B"].port)
        bob.type("/otr genkey bobnet")
        bob.wait(r"OTR key generation for bobnet completed", limit=60)
        alice = Pidgin(drive, "A", "alice", taps["A"].port)
        alice.open("bob")
        bob.type("/query alice")
        alice.type(CLEAR)
        bob.wait(CLEAR)
        bob.type(CLEAR)
        alice.wait(CLEAR)
        drive.check(True, "texts in the clear both ways")

        bob.type("/otr init")
        bob.wait(r"Session secured", limit=3 * STEP)
        alice.wait(r"(?i)private conversation with bob started|unverified.*conversation")
        with open(alice.home + "/purple/otr.private_key", encoding="utf-8", errors="surrogateescape") as keys:
            drive.check("prpl-irc" in keys.read(), "Pidgin has made a key during the handshake; a private session on both sides")
        texts = [f"pidgin-says-{number}" for number in range(3)] + [f"irssi-says-{number}" for number in range(3)]
        for number in range(3):
            alice.type(texts[number])
            bob.wait(texts[number])
            bob.type(texts[3 + number])
            alice.wait(texts[3 + number])
        drive.check(True, f"{len(texts)} texts in turn arrive, over as many changes of keys")
        bob.type("/otr finish")
        bob.wait(r"Finished conversation with")
        alice.wait(r"has ended (his|her|their).*private conversation")
        drive.check(True, "the end is seen on both sides")
        check_wire(drive, texts, CLEAR)
        bob.quit()
        alice.quit()


if __name__ == "__main__":
    main()
