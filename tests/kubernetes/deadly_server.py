"""An API server that is fatal to its client: after so many writes have been carried out, and before the client hears of
the last one, the client is killed. So an operator dies at any step of a reconcile that a test names."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.acceptance.machine import free_port
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster

_WRITE = re.compile(rb"^(PATCH|POST|PUT|DELETE) /\S+ HTTP/1\.1\r\n", re.MULTILINE)
_CHUNK = 1 << 16
_KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""


class DeadlyServer:
    """Use as a context manager. after: the write at which `kill` is called. kubeconfig: how a client reaches it."""

    def __init__(self, cluster: Cluster, folder: Path, after: int) -> None:
        self.kubeconfig = folder / f"deadly-{after}.kubeconfig"
        self.kill: Callable[[], None] = lambda: None
        self._cluster, self._left = cluster, after
        self._lock = threading.Lock()
        self._proxy_port, self._port = free_port(), free_port()

    def __enter__(self) -> DeadlyServer:
        command = [str(self._cluster.folder / "k"), "proxy", f"--port={self._proxy_port}"]
        self._proxy = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until("kubectl proxy listens", lambda: _listens(self._proxy_port), 30)
        self._server = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._accept, daemon=True).start()
        self.kubeconfig.write_text(_KUBECONFIG.format(port=self._port), "utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._proxy.terminate()
        self._proxy.wait(30)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:  # closed: the test is over
                return
            there = socket.create_connection(("127.0.0.1", self._proxy_port), timeout=30)
            there.settimeout(None)
            fatal = threading.Event()
            threading.Thread(target=self._ask, args=(client, there, fatal), daemon=True).start()
            threading.Thread(target=self._answer, args=(there, client, fatal), daemon=True).start()

    def _ask(self, client: socket.socket, there: socket.socket, fatal: threading.Event) -> None:
        with suppress(OSError):
            while chunk := client.recv(_CHUNK):
                if _WRITE.search(chunk):
                    with self._lock:
                        self._left -= 1
                        if self._left == 0:
                            fatal.set()
                there.sendall(chunk)
        _close(there)

    def _answer(self, there: socket.socket, client: socket.socket, fatal: threading.Event) -> None:
        with suppress(OSError):
            while chunk := there.recv(_CHUNK):
                if fatal.is_set():  # carried out, and the client never hears of it
                    self.kill()
                    break
                client.sendall(chunk)
        _close(client)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
