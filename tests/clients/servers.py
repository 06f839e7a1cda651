"""The servers that the clients talk over, each with its own folder, on 127.0.0.1 only."""
import json
import os
import socket
import xml.sax.saxutils

from drive import STEP, Failed
from wire import free_port, wait_for_port

DOMAIN = "localhost"


def ngircd(drive):
    """An IRC server; returns its port."""
    port = free_port()
    os.chmod(drive.folder, 0o755)  # started as root, it drops its rights before it reads the file again
    drive.make_folder("ngircd", mode=0o755)
    drive.make_folder("ngircd", "more", mode=0o755)
    config = drive.write("ngircd/ngircd.conf", f"""
[Global]
    Name = irc.example.net
    Info = test
    Listen = 127.0.0.1
    Ports = {port}
    MotdPhrase = welcome-to-the-test
    ServerUID = 65534
    ServerGID = 65534
[Limits]
    MaxConnectionsIP = 0
    MaxPenaltyTime = 0
    PingTimeout = 600
[Options]
    DNS = no
    Ident = no
    PAM = no
    IncludeDir = {drive.path("ngircd", "more")}
""", 0o644)
    drive.spawn(["/usr/sbin/ngircd", "--nodaemon", "--config", config], {"PATH": "/usr/bin:/bin", "HOME": drive.folder}, "ngircd")
    wait_for_port(port)
    return port


def ejabberd(drive, users):
    """An XMPP server with these users (name to password); returns its port."""
    port, home = free_port(), drive.make_folder("ejabberd")
    config = drive.write("ejabberd/ejabberd.yml", json.dumps({
        "hosts": [DOMAIN],
        "loglevel": "info",
        "auth_method": "mnesia",
        "registration_timeout": "infinity",
        "listen": [{"port": port, "ip": "127.0.0.1", "module": "ejabberd_c2s", "starttls": False,
                    "access": "all", "shaper": "none"}],
        "acl": {"here": {"ip": ["127.0.0.0/8"]}},
        "access_rules": {"may_register": {"allow": "here"}},
        "modules": {"mod_roster": {}, "mod_disco": {}, "mod_ping": {},
                    "mod_register": {"access": "all", "ip_access": "may_register"}},
    }))
    database = drive.make_folder("ejabberd", "database")
    # Without a node name there is no distribution: no epmd, and no port but ours.
    drive.spawn(["erl", "-noinput", "-mnesia", "dir", f'"{database}"', "-s", "ejabberd"],
                {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
                 "EJABBERD_CONFIG_PATH": config, "EJABBERD_LOG_PATH": drive.path("ejabberd", "ejabberd.log"),
                 "SPOOL_DIR": database, "ERL_CRASH_DUMP_BYTES": "0"}, "erlang")
    wait_for_port(port, 6 * STEP)
    for name, password in users.items():
        register(port, name, password)
    return port


def prosody(drive, users):
    """Another XMPP server with these users; returns its port."""
    port, home = free_port(), drive.make_folder("prosody")
    config = drive.write("prosody/prosody.cfg.lua", f"""
run_as_root = true
data_path = "{drive.make_folder('prosody', 'data')}"
pidfile = "{home}/prosody.pid"
log = {{ info = "{home}/prosody.log" }}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "register_ibr" }}
modules_disabled = {{ "s2s", "tls" }}
authentication = "internal_hashed"
allow_registration = true
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
c2s_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
s2s_ports = {{}}
http_ports = {{}}
https_ports = {{}}
VirtualHost "{DOMAIN}"
""")
    drive.spawn(["/usr/bin/prosody", "-F", "--config", config], {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                "prosody")
    wait_for_port(port)
    for name, password in users.items():
        register(port, name, password)
    return port


def register(port, name, password):
    """In-band registration (XEP-0077) of one user."""
    with socket.create_connection(("127.0.0.1", port), STEP) as link:
        link.settimeout(STEP)

        def talk(text, until):
            link.sendall(text.encode())
            got = b""
            while not any(word in got for word in until):
                more = link.recv(65536)
                if not more:
                    raise Failed(f"the XMPP server hung up: {got!r}")
                got += more
            return got

        talk(f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' "
             "xmlns:stream='http://etherx.jabber.org/streams'>", [b"</stream:features>"])
        answer = talk("<iq type='set' id='reg'><query xmlns='jabber:iq:register'>"
                      f"<username>{xml.sax.saxutils.escape(name)}</username>"
                      f"<password>{xml.sax.saxutils.escape(password)}</password></query></iq>", [b"</iq>", b"/>"])
        if b"result" not in answer or b"error" in answer:
            raise Failed(f"registration of {name} was refused: {answer!r}")


XMPP = {"ejabberd": ejabberd, "prosody": prosody}
