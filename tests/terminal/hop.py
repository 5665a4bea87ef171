"""A real ssh hop: a server of our own on this machine, its keys, configuration and port as short-lived as a test."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

_CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AcceptEnv LANG LC_*
"""


def sshd() -> str | None:
    """Path of the server: distributions keep it where only root's PATH leads."""
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


def missing() -> str:
    """Why no hop can be made here; empty when it can."""
    for name, found in (("ssh", shutil.which("ssh")), ("ssh-keygen", shutil.which("ssh-keygen")), ("sshd", sshd())):
        if not found:
            return f"{name} is not installed"
    if os.getuid() == 0 and not Path("/run/sshd").is_dir():
        return "sshd of root needs the folder /run/sshd, which no test may make"
    return ""


class Hop:
    """An ssh server, and the command that reaches it."""

    def __init__(self, folder: Path) -> None:
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        configuration = folder / "configuration"
        configuration.write_text(_CONFIGURATION.format(port=port, folder=folder))
        server = sshd()
        assert server is not None
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._server = subprocess.Popen([server, "-D", "-e", "-f", str(configuration)], stderr=log)
        self._ssh = ["ssh", "-tt", "-q", "-F", "none", "-i", str(folder / "user"), "-p", str(port)]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes"):
            self._ssh += ["-o", option]
        self._ssh.append(f"{getpass.getuser()}@127.0.0.1")
        self._wait(port)

    def command(self, there: str) -> str:
        """For a shell here: run a shell command there, on a terminal."""
        return shlex.join([*self._ssh, there])

    def close(self) -> None:
        """End the server."""
        self._server.terminate()
        self._server.wait()

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                said = self._log.read_text()
                assert self._server.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.05)
