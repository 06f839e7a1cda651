"""What every drive of a chat client is made of: a private folder, processes and their end, checks, and the proof of
which libotr.so.5 a process has mapped.

A drive starts two unmodified clients, Alice on side A and Bob on side B, and a server between them. The environment
says with what:

    LIB_A, LIB_B   folder of the libotr.so.5 for that side; empty or unset: the system's
    DRIVE_LIMIT    seconds that the whole drive may take (default 180)
    DRIVE_STEP     seconds that one step of a client may take (default 20)
    DRIVE_KEEP     if set, the folder with logs, homes and the recorded wire stays, and its name is printed

Everything listens on 127.0.0.1, on ports that were free. Every process is ended by its process id.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SONAME = "libotr.so.5"
STEP = int(os.environ.get("DRIVE_STEP", "20"))  # seconds that one step of a client may take, unless it says otherwise


class Failed(Exception):
    """Something that should hold does not."""


def system_library():
    """The libotr.so.5 that the dynamic linker finds without help, links followed."""
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^\s*{re.escape(SONAME)} .*=> (.+)$", listing, re.M)
    return os.path.realpath(found.group(1)) if found else None


def eventually(what, probe, limit=STEP):
    """Calls probe until it gives something true, and returns that."""
    deadline = time.monotonic() + limit
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {limit} s")
        time.sleep(0.1)


class Drive:
    """One run: `with Drive("title") as drive: ...` prints a line per check and PASS or FAIL at the end."""

    def __init__(self, title):
        self.title = title
        self.checks = 0
        self.started = time.monotonic()
        self.folder = tempfile.mkdtemp(prefix="libotr-drive.")
        self.processes = []   # subprocess.Popen of servers, in order of start
        self.pids = []        # processes that somebody else started for us (tmux)
        self.recordings = []  # wire.Tap
        self.before_end = []  # called once when the drive ends

    # ---- beginning and end

    def __enter__(self):
        for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._interrupted)
        signal.alarm(int(os.environ.get("DRIVE_LIMIT", "180")))
        self.library = {side: self._library_folder(side) for side in "AB"}
        for side, folder in self.library.items():
            print(f"# side {side}: {folder or 'the system: ' + str(system_library())}", flush=True)
        return self

    @staticmethod
    def _interrupted(number, _frame):
        raise Failed(f"ended by {signal.Signals(number).name} (time limit of the drive, or from outside)")

    @staticmethod
    def _library_folder(side):
        folder = os.environ.get("LIB_" + side, "").strip()
        if folder and not os.path.exists(os.path.join(folder, SONAME)):
            raise Failed(f"LIB_{side}: no {SONAME} in {folder}")
        return os.path.realpath(folder) if folder else ""

    def __exit__(self, kind, error, trace):
        signal.alarm(0)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for step in self.before_end:
            step()
        self._end_processes()
        self._clear_folder()
        seconds = time.monotonic() - self.started
        if kind is None:
            print(f"PASS {self.title}: {self.checks} checks, {seconds:.1f} s", flush=True)
            return False
        if not issubclass(kind, Failed):
            traceback.print_exception(kind, error, trace)
            error = repr(error)
        print(f"FAIL {self.title} after {self.checks} checks, {seconds:.1f} s: {error}", flush=True)
        sys.exit(1)

    def _clear_folder(self):
        if not os.environ.get("DRIVE_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for number, tap in enumerate(self.recordings):
            self.write(f"wire{number}.up", tap.sent_text())
            self.write(f"wire{number}.down", tap.received_text())
        print("# kept", self.folder)

    # ---- checks

    def check(self, holds, what):
        if not holds:
            raise Failed(what)
        self.checks += 1
        print(f"ok {self.checks} {what}", flush=True)

    def check_library(self, side, pid):
        """The process uses the library that its side was given, and no other libotr."""
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
            paths = {row.split(None, 5)[5].strip() for row in maps if len(row.split(None, 5)) == 6}
        mapped = {path for path in paths if os.path.basename(path).startswith("libotr.so")}
        folder = self.library[side]
        wanted = os.path.realpath(os.path.join(folder, SONAME)) if folder else system_library()
        self.check(mapped == {wanted}, f"side {side}: process {pid} has mapped {wanted} and no other libotr ({sorted(mapped)})")

    # ---- files

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make_folder(self, *names, mode=0o700):
        path = self.path(*names)
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chmod(path, mode)
        return path

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    # ---- processes

    def environment(self, side, home, **more):
        """What a client of that side starts with: nothing from outside but the library's folder."""
        env = {"HOME": home, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "TERM": "screen-256color",
               "XDG_RUNTIME_DIR": home, "TMPDIR": self.make_folder("tmp"), **more}
        if self.library[side]:
            env["LD_LIBRARY_PATH"] = self.library[side]
        return env

    def spawn(self, command, env, name):
        """Starts a server; what it prints goes to NAME.log in the drive's folder."""
        with open(self.path(name + ".log"), "ab") as log:
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.folder, start_new_session=True)
        self.processes.append(process)
        return process

    def _family(self):
        """The processes of this drive and their descendants, children after parents."""
        children = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry))
        found, todo = [], [process.pid for process in self.processes] + self.pids
        while todo:
            pid = todo.pop(0)
            found.append(pid)
            todo += children.get(pid, [])
        return found

    def _is_ours(self, pid):
        """Alive, and not a later process that got the same number: our folder is in its environment or arguments."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return False
            told = b""
            for name in ("environ", "cmdline"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    told += file.read()
            return self.folder.encode() in told
        except OSError:
            return False

    def _end_processes(self):
        family = self._family()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in reversed(family):
                if self._is_ours(pid):
                    try:
                        os.kill(pid, number)
                    except OSError:
                        pass
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline and any(self._is_ours(pid) for pid in family):
                for process in self.processes:
                    process.poll()
                time.sleep(0.05)
        for process in self.processes:
            process.poll()
