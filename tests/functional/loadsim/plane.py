"""A control plane on a loopback port that speaks just the two calls of the load agent, and an agent to talk to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chalicelib.domain.load import LoadPhase, LoadStatus
from loadsim.agent.runs import mark_prefix
from loadsim.processes.marker import marked
from tests.functional.loadsim.started import PATIENCE_S, ROOT, children, end_all

TOKEN = "phx_test-host-token"
HOST = "node-01"


class FakePlane:
    """`items` is what it wants; `reports` what it was told. `answer` replaces the whole answer by (status, bytes)."""

    def __init__(self, port: int = 0) -> None:
        self.items: list[dict[str, Any]] = []
        self.answer: tuple[int, bytes] | None = None
        self.polls = 0
        self.reports: list[tuple[str, LoadStatus]] = []
        plane = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                plane.polls += 1
                status, body = plane.answer or (200, json.dumps({"items": plane.items}).encode())
                self._send(status if self._known() else 401, body)

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self._known():
                    plane.reports.append((self.path.split("/")[-2], LoadStatus.model_validate_json(body)))
                self._send(204 if self._known() else 401, b"")

            def _known(self) -> bool:
                mine = self.path.startswith(f"/api/v1/hosts/{HOST}/loadsims")
                return mine and self.headers["Authorization"] == f"Bearer {TOKEN}"

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def want(self, name: str, desired: str = "running", generation: int = 1, **spec: object) -> None:
        self.items = [item for item in self.items if item["name"] != name]
        self.items.append({"name": name, "spec": spec, "desired": desired, "generation": generation})

    def told(self, name: str, phase: LoadPhase, generation: int = 1) -> LoadStatus | None:
        """The last status of that load, when it has this phase and generation."""
        last = [status for its_name, status in self.reports if its_name == name][-1:]
        return last[0] if last and (last[0].phase, last[0].generation) == (phase, generation) else None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE_S)


class StartedAgent:
    """One `python -m loadsim agent`; `left` counts what carries the mark of its data folder, generators included."""

    def __init__(self, folder: Path, port: int, token: str = TOKEN) -> None:
        self.log = folder / "agent.log"
        command = [sys.executable, "-m", "loadsim", "agent", "--host", HOST, "--data-dir", str(folder / "data")]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--endpoint", f"http://127.0.0.1:{port}"],
                cwd=ROOT,
                env={**os.environ, "PHOENIX_TOKEN": token},
                stderr=log,
            )
        self._folder = folder

    def generators(self) -> list[int]:
        """Pids of its generators: its only children."""
        return children(self.process.pid)

    def left(self) -> list[int]:
        """Every process with the mark of this folder's runs, generators included; the agent itself carries none."""
        return sorted(marked(mark_prefix(self._folder / "data")))

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        end_all(self.left())
