"""The stock supervisor with the stock collector as a process of a test: started, killed, started again on its files."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType

import yaml


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Supervised:
    """Start with `with Supervised(...) as host`; ends the supervisor and whatever collector it leaves."""

    def __init__(self, supervisor: Path, collector: Path, folder: Path, url: str, apply_seconds: int = 15) -> None:
        self.supervisor = supervisor
        self.folder = folder
        self.log = folder / "supervisor.log"
        self.file = folder / "supervisor.yaml"
        reader = f"[{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {free_port()}}}}}}}}}]"
        self.file.write_text(
            yaml.safe_dump(
                {
                    "server": {"endpoint": url},
                    "capabilities": {"accepts_remote_config": True, "reports_remote_config": True},
                    "agent": {
                        "executable": str(collector),
                        "passthrough_logs": True,
                        "bootstrap_timeout": "30s",
                        "config_apply_timeout": f"{apply_seconds}s",
                        "args": [f"--set=service::telemetry::metrics::readers={reader}"],
                    },
                    "storage": {"directory": str(folder / "storage")},
                    "telemetry": {"logs": {"level": "info", "output_paths": ["stdout"]}},
                }
            )
        )
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Supervised:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """A session of its own, so that stopping reaches an orphaned collector too."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.supervisor), "--config", str(self.file)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PHOENIX_SECRET": "phx_expanded_by_the_collector"},
            )

    def kill(self) -> None:
        """kill -9 of the supervisor alone."""
        if self.process:
            self.process.kill()
            self.process.wait(10)

    def stop(self) -> None:
        """SIGINT as a service manager would, then the whole group without mercy."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
