"""A full-screen program in a terminal of its own (tmux): typing into it, reading its screen."""
import os
import re
import shlex
import subprocess
import time

from drive import STEP, Failed

WIDTH, HEIGHT, SCROLLBACK = 180, 50, 4000


class Terminal:
    """One program under one tmux server, which the drive ends with everything else."""

    def __init__(self, drive, name, command, env, home):
        self.drive, self.name = drive, name
        self.socket = drive.path(f"tmux.{name}")
        self.config = drive.write("tmux.conf", f"set -g remain-on-exit on\nset -g history-limit {SCROLLBACK}\n")
        assignments = [f"{key}={value}" for key, value in env.items()]
        self._tmux("new-session", "-d", "-s", "it", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", home,
                   "exec " + shlex.join(["env", "-i", *assignments, *command]))
        self.pid = int(self._tmux("display-message", "-p", "-t", "it", "#{pane_pid}"))
        drive.pids.append(self.pid)
        drive.before_end.append(self.close)

    def _tmux(self, *arguments, may_fail=False):
        done = subprocess.run(["tmux", "-S", self.socket, "-f", self.config, *arguments], capture_output=True, text=True,
                              errors="replace", timeout=STEP, check=False)
        if done.returncode and not may_fail:
            raise Failed(f"{self.name}: tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def screen(self):
        return self._tmux("capture-pane", "-p", "-J", "-S", f"-{SCROLLBACK}", "-t", "it", may_fail=True)

    def unwrapped(self):
        """The screen without blanks and line breaks, for texts that the client has wrapped."""
        return re.sub(r"\s+", "", self.screen())

    def running(self):
        return self._tmux("display-message", "-p", "-t", "it", "#{pane_dead}", may_fail=True).strip() == "0"

    def type(self, text):
        self._tmux("send-keys", "-t", "it", "-l", "--", text)
        time.sleep(0.05)
        self._tmux("send-keys", "-t", "it", "Enter")

    def wait(self, pattern, times=1, limit=STEP):
        """Waits until pattern has been on the screen so many times; returns the first match."""
        wanted, deadline = re.compile(pattern), time.monotonic() + limit
        while True:
            screen = self.screen()
            if len(wanted.findall(screen)) >= times:
                return wanted.search(screen)
            if not self.running():
                raise Failed(f"{self.name} has ended; waited for /{pattern}/\n{self._last_lines(screen)}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.name}: /{pattern}/ not seen {times} times within {limit} s\n{self._last_lines(screen)}")
            time.sleep(0.15)

    @staticmethod
    def _last_lines(screen):
        return "\n".join("    | " + row for row in screen.splitlines() if row.strip())[-1600:]

    def quit(self, command="/quit"):
        """Tells the program to end, and sees that it does."""
        self.type(command)
        deadline = time.monotonic() + STEP
        while self.running():
            if time.monotonic() > deadline:
                raise Failed(f"{self.name}: still running {STEP} s after {command}")
            time.sleep(0.1)
        self.close()

    def close(self):
        if os.path.exists(self.socket):
            self._tmux("kill-server", may_fail=True)
