"""A real Postfix: takes mail on loopback, puts it into a Dovecot's folders, writes real bounces."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import end, free_port, require
from tests.servers.dovecot import CEILING, Dovecot

_MAIN = """
compatibility_level = 3.6
alternate_config_directories = {top}
queue_directory = {top}/queue
data_directory = {top}/data
maillog_file = {top}/log
maillog_file_prefixes = {top}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mta.example.net
mydestination =
local_recipient_maps =
local_transport = error:5.1.1 nobody lives here
default_transport = error:5.1.2 no route from this test
alias_maps =
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{top}/people
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
recipient_delimiter = +
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
smtputf8_enable = {utf8}
"""

_QUEUES = tuple(
    f"queue/{name}"
    for name in (
        *("incoming", "active", "deferred", "bounce", "defer", "trace", "corrupt", "hold"),
        *("saved", "flush", "maildrop", "private", "public"),
    )
)

# No column of its own is chrooted, and whatever would write to the network is left out.
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0   cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - -   trivial-rewrite
bounce    unix - - n - 0   bounce
defer     unix - - n - 0   bounce
trace     unix - - n - 0   bounce
verify    unix - - n - 1   verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - -   proxymap
error     unix - - n - -   error
retry     unix - - n - -   error
virtual   unix - n n - -   virtual
anvil     unix - - n - 1   anvil
postlog   unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    top: Path
    port: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, dovecot: Dovecot, people: Mapping[str, str], *, utf8: bool = True) -> "Postfix":
        """`people` is each address and the user whose folder its mail goes to.

        Mail to anybody else at their domains is taken, and comes back with a bounce.
        """
        require("postfix")
        if os.getuid() != 0:
            pytest.skip("Postfix has to be started by root, which these tests do not run as here")
        top = dovecot.top / f"postfix{time.time_ns() % 10**6}"  # its sockets' names must be short
        for name in ("data", *_QUEUES):
            (top / name).mkdir(parents=True, mode=0o755)
            shutil.chown(top / name, "postfix")
        (top / "queue" / "pid").mkdir()
        port = free_port()
        domains = sorted({address.partition("@")[2] for address in people})
        (top / "people").write_text(
            "".join(f"{address} {user}/\n" for address, user in people.items())
        )
        (top / "main.cf").write_text(
            _MAIN.format(
                top=top,
                mail=dovecot.top / "mail",
                domains=", ".join(domains),
                uid=dovecot.uid,
                gid=dovecot.gid,
                utf8="yes" if utf8 else "no",
            )
        )
        (top / "master.cf").write_text(_MASTER.format(port=port))
        for user in people.values():
            dovecot.maildir(user)
        # Not by its own script, which looks at a hundred files first and takes three seconds.
        process = subprocess.Popen(
            [_setting(top, "daemon_directory") + "/master", "-c", str(top), "-d"],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        server = cls(top, port, process)
        server._wait_until_it_listens()
        return server

    @property
    def log(self) -> str:
        return (self.top / "log").read_text(errors="replace")

    def stop(self) -> None:
        end(self.process, CEILING)
        shutil.rmtree(self.top, ignore_errors=True)

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + CEILING
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as talk:
                if talk.recv(10).startswith(b"220"):
                    return
        words = self.log if (self.top / "log").exists() else ""
        self.stop()
        raise AssertionError(f"Postfix did not start: {words}")


def _setting(top: Path, name: str) -> str:
    done = subprocess.run(
        [require("postconf"), "-c", str(top), "-h", name],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
