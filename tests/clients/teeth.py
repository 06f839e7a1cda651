#!/usr/bin/env python3
"""Shows that the drives notice a bad library:  teeth.py LIBOTR.A [LINKER OPTIONS FOR IT...]

From the static library it links shared ones in which one function is replaced by a wrong one, and runs drives with
them. Each has to FAIL, for the reason given here; the unspoilt library, linked in the same way, has to PASS.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

from pairings import run

PRELUDE = "#include <stdlib.h>\n#include <string.h>\n#define UNUSED __attribute__((unused))\n"

# name: (the function that takes the place of the library's, what the drive's FAIL line must say, the drives to run)
SPOILT = {
    "sends-cleartext": (
        """unsigned otrl_message_sending(UNUSED void *users, UNUSED void *ops, UNUSED void *data, UNUSED const char *account,
            UNUSED const char *protocol, UNUSED const char *recipient, UNUSED unsigned tag, const char *text,
            UNUSED void *tlvs, char **message, UNUSED int fragments, void **context)
        { *message = strdup(text); if (context) *context = NULL; return 0; }""",
        r"the wire carries '.+' in the clear", ["irssi", "profanity-prosody"]),
    "forgets-keys": (
        "unsigned otrl_privkey_read(UNUSED void *users, UNUSED const char *file) { return 0; }",
        r"Fingerprint for|Loaded OTR private key", ["irssi", "profanity-prosody"]),
    "never-answers-smp": (
        "void otrl_message_respond_smp(void) { }",
        r"Authentication", ["irssi", "profanity-prosody"]),
    "stores-no-fingerprints": (
        "unsigned otrl_privkey_write_fingerprints(UNUSED void *users, UNUSED const char *file) { return 0; }",
        r"FileNotFoundError", ["irssi"]),
    "never-says-goodbye": (
        "void otrl_message_disconnect(void) { }\nvoid otrl_message_disconnect_all_instances(void) { }",
        r"has finished the OTR session|OTR session ended", ["irssi", "profanity-prosody"]),
    "swallows-everything": (
        "int otrl_message_receiving(void) { return 1; }",
        r"said-before-otr", ["irssi"]),
}


def link(folder, name, source, archive, options):
    """A libotr.so.5 made of the archive, with the functions of source first in line."""
    target = os.path.join(folder, name)
    os.makedirs(target)
    with open(target + "/spoilt.c", "w", encoding="utf-8") as file:
        file.write(PRELUDE + source + "\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-Wl,-soname,libotr.so.5", "-Wl,--allow-multiple-definition",
                    "-o", target + "/libotr.so.5", target + "/spoilt.c", "-Wl,--whole-archive", archive,
                    "-Wl,--no-whole-archive", *options], check=True, timeout=300)
    return target


def main():
    archive, *options = sys.argv[1:]
    started, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="libotr-teeth.") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        good = link(folder, "unspoilt", "extern int nothing_replaced;", archive, options)
        jobs = [(drive, "unspoilt", None, pool.submit(run, drive, good, good, DRIVE_STEP="10"))
                for drive in ("irssi", "profanity-prosody")]
        for name, (source, reason, drives) in SPOILT.items():
            bad = link(folder, name, source, archive, options)
            jobs += [(drive, name, reason, pool.submit(run, drive, bad, bad, DRIVE_STEP="10")) for drive in drives]
        for drive, name, reason, job in jobs:
            output, passed = job.result()
            verdict = ([line for line in output.splitlines() if line.startswith(("PASS ", "FAIL "))] or ["no verdict"])[-1]
            if reason is None:
                as_wanted = passed
            else:
                used = re.search(r"^ok \d+ side A: .*/" + re.escape(name) + "/", output, re.M)
                as_wanted = not passed and used and verdict.startswith("FAIL ") and re.search(reason, verdict)
            wrong += not as_wanted
            print(f"{'ok' if as_wanted else 'NOT AS IT SHOULD BE'}: {name} with {drive}: {verdict[:160]}", flush=True)
            if not as_wanted:
                print(output[-3000:])
    print(f"{'FAIL' if wrong else 'PASS'} teeth: {len(jobs) - wrong} of {len(jobs)}, {time.monotonic() - started:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
