"""The host runtime: supervisor and load agent kept running, their output logged, start errors reported.

`run_host` is what `phoenix host run` calls. Not here: how a child is kept (supervised.py), what lines mean
(start_errors.py), what the files say (supervisor_files.py).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from phoenix_cli.host_runtime.config import TOKEN_VARIABLE, HostConfig
from phoenix_cli.host_runtime.facts import host_facts
from phoenix_cli.host_runtime.line_reader import LineReader
from phoenix_cli.host_runtime.private_files import only_runner, private_fifo, private_folder, write_private
from phoenix_cli.host_runtime.rotating_log import RotatingLog
from phoenix_cli.host_runtime.secrets_in_text import redact
from phoenix_cli.host_runtime.start_errors import (
    StartError,
    StartErrors,
    collector_runs,
    supervisor_failure,
    supervisor_is_up,
)
from phoenix_cli.host_runtime.status_board import StatusBoard
from phoenix_cli.host_runtime.status_report import StatusReport
from phoenix_cli.host_runtime.supervised import Child, Supervised
from phoenix_cli.host_runtime.supervisor_files import collector_defaults, collector_start, supervisor_yaml

TICK_SECONDS = 0.2
SUPERVISOR_GRACE_SECONDS = 13.0  # The supervisor gives its collector 10 s.
LOAD_AGENT_GRACE_SECONDS = 8.0
LOAD_AGENT = (sys.executable, "-m", "loadsim", "agent")


def print_note(text: str) -> None:
    """A note for the person who started the host, on the error output."""
    print(text, file=sys.stderr, flush=True)


def run_host(
    config: HostConfig,
    *,
    on_ready: Callable[[], None],
    stop_event: threading.Event,
    note: Callable[[str], None] = print_note,
) -> int:
    """Run this host until `stop_event` is set; 0 then. Call it from a thread that lives as long as the host.

    `on_ready` is called once, from another thread, when the supervisor has started its collector for the first time;
    `note` gets sentences for people (child ended, token refused, control plane away), each state once.
    Raises HostAlreadyRuns, DataFolderUnusable.
    """
    private_folder(config.data_dir)
    with only_runner(config.files.lock):
        runtime = HostRuntime(config, on_ready=on_ready, note=lambda text: note(redact(text, config.token)))
        try:
            runtime.start()
            while not stop_event.wait(TICK_SECONDS):
                runtime.tick()
        finally:
            runtime.stop()
    return 0


class HostRuntime:
    """One host's processes and threads. `start`, then `tick` often, then `stop`, all from one thread."""

    def __init__(self, config: HostConfig, *, on_ready: Callable[[], None], note: Callable[[str], None]) -> None:
        self._config = config
        self._on_ready = on_ready
        self._note = note
        self._ready_said = False
        self._board = StatusBoard()
        self._errors = StartErrors()
        self._supervisor_log = self._log("supervisor_log")
        self._agent_log = self._log("load_agent_log")
        self._children = self._make_children()
        self._pipe: int | None = None
        self._pipe_reader: LineReader | None = None
        self._report: StatusReport | None = None

    def start(self) -> None:
        """Write the files, start readers, reports and children. Raises DataFolderUnusable."""
        files = self._config.files
        for folder in (files.storage, files.supervisor_log.parent, files.load_agent_data):
            private_folder(folder)
        write_private(files.supervisor_yaml, supervisor_yaml(self._config))
        write_private(files.collector_defaults, collector_defaults())
        write_private(files.collector_start, collector_start(self._config), executable=True)
        private_fifo(files.collector_errors)
        # Opened for writing too: the collector's end then never finds the pipe without a reader, nor do we see its end.
        self._pipe = os.open(files.collector_errors, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._pipe_reader = LineReader(self._pipe, self._collector_line, self._collector_idle)
        self._pipe_reader.start()
        self._report = StatusReport(self._config, host_facts(self._config.collector), self._board, note=self._note)
        self._report.start()
        self.tick()

    def tick(self) -> None:
        """Start what should run and does not."""
        for child in self._children:
            child.tick()

    def stop(self) -> None:
        """End all children, each under its own deadline and all at once, then the threads."""
        for child in self._children:
            child.request_stop()
        for child in self._children:
            child.finish()
        if self._report:
            self._report.stop()
        if self._pipe_reader:
            self._pipe_reader.stop()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        self._supervisor_log.close()
        self._agent_log.close()

    def _log(self, name: str) -> RotatingLog:
        return RotatingLog(getattr(self._config.files, name), clean=lambda text: redact(text, self._config.token))

    def _make_children(self) -> tuple[Supervised, ...]:
        config, files = self._config, self._config.files
        environment = {**config.environment, TOKEN_VARIABLE: config.token}
        supervisor = Child(
            "supervisor",
            (str(config.supervisor), "--config", str(files.supervisor_yaml)),
            environment,
            SUPERVISOR_GRACE_SECONDS,
        )
        children = [Supervised(supervisor, on_line=self._supervisor_line, note=self._note)]
        if config.load_agent:
            where = ("--endpoint", config.endpoint, "--host", config.host, "--data-dir", str(files.load_agent_data))
            agent = Child("load agent", (*config.load_agent, *where), environment, LOAD_AGENT_GRACE_SECONDS)
            children.append(Supervised(agent, on_line=self._agent_log.write, note=self._note))
        return tuple(children)

    def _supervisor_line(self, line: str) -> None:
        self._supervisor_log.write(line)
        if collector_runs(line):
            self._board.runs()
        elif failure := supervisor_failure(line):
            self._failed(failure)
        elif supervisor_is_up(line) and not self._ready_said:
            self._ready_said = True
            self._on_ready()

    def _collector_line(self, line: str) -> None:
        self._supervisor_log.write(line)
        self._failed(self._errors.line(line))

    def _collector_idle(self) -> None:
        self._failed(self._errors.idle())

    def _failed(self, error: StartError | None) -> None:
        if error:
            self._board.failed(error, time.time())
            with suppress(OSError):  # A closed terminal must not end the thread that reads.
                self._note(f"the collector did not start: {error.text}")
