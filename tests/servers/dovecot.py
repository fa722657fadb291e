"""A real Dovecot: any user signs in with the password `secret`, over TLS or not."""

import grp
import hashlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import end, free_port, missing, require

CEILING = 20.0

_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {top}/run
state_dir = {top}/state
log_path = {top}/dovecot.log
info_log_path = {top}/dovecot.log
ssl = yes
ssl_cert = <{top}/cert.pem
ssl_key = <{top}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0
auth_username_chars =
mail_location = maildir:{top}/mail/%u
mail_max_userip_connections = 100
first_valid_uid = {first}
first_valid_gid = 0
{identity}
service anvil {{
{unchrooted}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {port_tls}
  }}
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={top}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


@dataclass
class Dovecot:
    top: Path
    port: int
    port_tls: int
    uid: int
    gid: int
    process: subprocess.Popen[bytes]
    _dropped: int = field(default=0)

    @classmethod
    def start(cls, tmp: Path, extra: str = "") -> "Dovecot":
        """Start, as root or as an ordinary user; returns once it accepts connections.

        `extra` is added to the configuration.
        """
        program = require("dovecot")
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        if not version.stdout.startswith("2.3."):
            missing(f"Dovecot {version.stdout.split()[0]} needs another configuration than 2.3")
        top = _short_folder(tmp)
        for name in ("run", "state", "mail"):
            (top / name).mkdir(parents=True, exist_ok=True)
            (top / name).chmod(0o755)
        _certificate(top)
        root = os.getuid() == 0
        entry = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        user = entry.pw_name
        group = "nogroup" if root else grp.getgrgid(entry.pw_gid).gr_name
        port, port_tls = free_port(), free_port()
        config = top / "dovecot.conf"
        config.write_text(
            _CONFIG.format(
                top=top,
                port=port,
                port_tls=port_tls,
                user=user,
                group=group,
                first=1 if root else 0,
                unchrooted="" if root else "  chroot =",
                identity="" if root else _identity(user, group),
            )
            + extra
        )
        if root:
            os.chown(top / "mail", entry.pw_uid, grp.getgrnam(group).gr_gid)
        process = subprocess.Popen([program, "-F", "-c", str(config)], start_new_session=True)
        server = cls(top, port, port_tls, entry.pw_uid, grp.getgrnam(group).gr_gid, process)
        server._wait_until_it_listens()
        return server

    @property
    def ca(self) -> Path:
        return self.top / "cert.pem"

    def maildir(self, user: str) -> Path:
        """The folder of a user's INBOX, or of "user/.Sent"; made when it is not there yet."""
        path = self.top / "mail" / user
        if all((path / name).exists() for name in ("cur", "new", "tmp")):
            return path
        # Made aside: Dovecot may look at the same moment, and must not find what it cannot open.
        made = self.top / f"{user.replace('/', '')}.{os.getpid()}.{time.monotonic_ns()}"
        for folder in (made, *(made / name for name in ("cur", "new", "tmp"))):
            folder.mkdir(mode=0o700)
            os.chown(folder, self.uid, self.gid)
        try:
            made.rename(path)
        except OSError:  # Dovecot was faster, and makes the rest of it just now
            shutil.rmtree(made)
            return self.maildir(user)
        return path

    def drop(self, user: str, raw: bytes, arrived: float = 0) -> Path:
        """Deliver as a mail server does: whole, under a name never used before.

        `arrived` in seconds since 1970; not given, it is now.
        """
        self._dropped += 1
        maildir = self.maildir(user)
        name = f"{time.time_ns():020d}.{os.getpid()}_{self._dropped}.test"
        waiting = maildir / "tmp" / name
        waiting.write_bytes(raw)
        os.chown(waiting, self.uid, self.gid)
        if arrived:
            os.utime(waiting, (arrived, arrived))
        return waiting.rename(maildir / "new" / name)

    def marked(self, user: str) -> set[str]:
        """SHA-256 of every mail that is marked as seen."""
        found = set()
        for path in self.maildir(user).glob("cur/*"):
            if "S" in path.name.rpartition(":2,")[2]:
                with suppress(FileNotFoundError):  # renamed meanwhile, with another mark
                    found.add(hashlib.sha256(path.read_bytes()).hexdigest())
        return found

    def count_marked(self, user: str) -> int:
        """How many are marked, without a look at what they are."""
        names = (path.name for path in self.maildir(user).glob("cur/*"))
        return sum("S" in name.rpartition(":2,")[2] for name in names)

    def renumber(self, user: str) -> None:
        """Give all mails new numbers, as after a restore: UIDVALIDITY is another one."""
        for path in self.maildir(user).glob("dovecot*"):
            if path.name == "dovecot-uidlist":
                path.write_text(re.sub(r"\bV(\d+)", _next_validity, path.read_text(), count=1))
            else:
                path.unlink()

    def sessions(self) -> list[int]:
        """Process ids of the connections that are signed in."""
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _is_session_of(entry, self.process.pid)
        ]

    def stop(self) -> None:
        end(self.process, CEILING)
        self._tell()
        shutil.rmtree(self.top, ignore_errors=True)

    def _tell(self) -> None:
        """What went wrong in it, beside the test that noticed."""
        log = self.top / "dovecot.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        for line in lines:
            if re.search(r"\b(?:Error|Fatal|Panic)\b", line):
                sys.stderr.write(f"{line}\n")

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + CEILING
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as talk:
                if talk.recv(10).startswith(b"* OK"):
                    return
        log = self.top / "dovecot.log"
        words = log.read_text() if log.exists() else ""
        self.stop()
        raise AssertionError(f"Dovecot did not start: {words}")


def _next_validity(found: re.Match[str]) -> str:
    return f"V{int(found.group(1)) + 1000}"


def _identity(user: str, group: str) -> str:
    return (
        f"default_internal_user = {user}\ndefault_internal_group = {group}\n"
        f"default_login_user = {user}\nservice stats {{\n  chroot =\n}}"
    )


def _short_folder(tmp: Path) -> Path:
    # Unix sockets allow about a hundred letters, and pytest's folders are readable by us only.
    path = Path("/tmp") / f"dove{os.getpid()}{abs(hash(tmp)) % 10**6}{time.time_ns() % 10**6}"
    path.mkdir()
    path.chmod(0o755)  # whatever the umask of whoever runs the tests
    return path


def _certificate(top: Path) -> None:
    subprocess.run(
        [
            *(require("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(top / "key.pem"), "-out", str(top / "cert.pem")),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )


def _is_session_of(entry: Path, master: int) -> bool:
    try:
        stat = (entry / "stat").read_text()
        command = (entry / "cmdline").read_bytes()
    except OSError:
        return False
    parent = int(stat.rpartition(")")[2].split()[1])
    return parent == master and command.startswith(b"dovecot/imap\0")
