"""The wire between a client and its server, recorded byte for byte."""
import html
import re
import select
import socket
import threading

from drive import Failed, eventually


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, limit=30):
    def answers():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False
    eventually(f"a server on 127.0.0.1:{port}", answers, limit)


class Tap:
    """Listens on a port of its own, forwards to the server, and keeps what passes in either direction."""

    def __init__(self, drive, server_port):
        self.server_port = server_port
        self.sent, self.received = bytearray(), bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        drive.recordings.append(self)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client):
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            routes = {client: (server, self.sent), server: (client, self.received)}
            while True:
                for source in select.select(list(routes), [], [])[0]:
                    try:
                        data = source.recv(65536)
                        target, record = routes[source]
                        record += data
                        target.sendall(data)
                    except OSError:
                        return
                    if not data:
                        return

    def sent_text(self):
        return bytes(self.sent).decode("utf-8", "replace")

    def received_text(self):
        return bytes(self.received).decode("utf-8", "replace")

    def text(self):
        """Both directions, with the escapes of XML undone."""
        return html.unescape(self.sent_text() + "\n" + self.received_text())


def check_wire(drive, secrets, clear):
    """What was said in the clear is on every wire, so the recording works; what was said in private is on none."""
    for tap in drive.recordings:
        text = tap.text()
        drive.check(clear in text, f"the recording shows {clear!r}, sent without OTR")
        encrypted = re.findall(r"\?OTR[:|]", text)
        drive.check(len(encrypted) >= 10, f"the recording shows {len(encrypted)} OTR messages or fragments")
        for secret in secrets:
            if secret in text or secret.encode().hex() in text.lower():
                raise Failed(f"the wire carries {secret!r} in the clear")
    drive.check(len(secrets) >= 5, f"none of {len(secrets)} private texts is on the wire")
