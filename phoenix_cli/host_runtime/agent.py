"""One supervised agent of a host: its files, its supervisor with the collector below it, and what both say.

A host has one for as long as it runs, and a second one while a configuration asks for it (second.py). Not here: how a
child is kept (supervised.py), what lines mean (start_errors.py), what the files say (supervisor_files.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from phoenix_cli.host_runtime.config import TOKEN_VARIABLE, HostConfig
from phoenix_cli.host_runtime.line_reader import LineReader
from phoenix_cli.host_runtime.private_files import private_fifo, private_folder, write_private
from phoenix_cli.host_runtime.rotating_log import RotatingLog
from phoenix_cli.host_runtime.secrets_in_text import redact
from phoenix_cli.host_runtime.start_errors import StartError, StartErrors, collector_runs, supervisor_failure
from phoenix_cli.host_runtime.status_board import StatusBoard
from phoenix_cli.host_runtime.supervised import Child, Supervised
from phoenix_cli.host_runtime.supervisor_files import collector_defaults, collector_start, supervisor_yaml

SUPERVISOR_GRACE_SECONDS = 13.0  # The supervisor gives its collector 10 s.


class SupervisedAgent:
    """`start`, then `tick` often, then `request_stop` and `finish` (or `ended` until it is), all from one thread.

    on_line: every line of the supervisor. on_collector_line: every line of the collector's error output.
    """

    def __init__(
        self,
        config: HostConfig,
        board: StatusBoard,
        *,
        note: Callable[[str], None],
        on_line: Callable[[str], None] = lambda line: None,
        on_collector_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._config, self._board, self._note = config, board, note
        self._on_line, self._on_collector_line = on_line, on_collector_line
        self._errors = StartErrors()
        self._log = RotatingLog(config.files.supervisor_log, clean=lambda text: redact(text, config.token))
        environment = {**config.environment, TOKEN_VARIABLE: config.token}
        command = (str(config.supervisor), "--config", str(config.files.supervisor_yaml))
        name = "second supervisor" if config.second else "supervisor"
        child = Child(name, command, environment, SUPERVISOR_GRACE_SECONDS)
        self._supervisor = Supervised(child, on_line=self._line, note=note)
        self._pipe: int | None = None
        self._reader: LineReader | None = None

    def start(self) -> None:
        """Write the files and start reading. Raises DataFolderUnusable."""
        files = self._config.files
        for folder in (files.root, files.storage, files.supervisor_log.parent):
            private_folder(folder)
        write_private(files.supervisor_yaml, supervisor_yaml(self._config))
        write_private(files.collector_defaults, collector_defaults())
        write_private(files.collector_start, collector_start(self._config), executable=True)
        private_fifo(files.collector_errors)
        # Opened for writing too: the collector's end then never finds the pipe without a reader, nor do we see its end.
        self._pipe = os.open(files.collector_errors, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._reader = LineReader(self._pipe, self._collector_line, self._collector_idle)
        self._reader.start()

    def tick(self) -> None:
        """Start the supervisor when it does not run."""
        self._supervisor.tick()

    def request_stop(self) -> None:
        """Ask the supervisor to end; returns at once."""
        self._supervisor.request_stop()

    def ended(self) -> bool:
        """Whether everything is gone after `request_stop`; past its deadline it is killed. Never waits for long."""
        if not self._supervisor.ended():
            return False
        self._close()
        return True

    def finish(self) -> None:
        """Wait until everything is gone, under the supervisor's own deadline."""
        self._supervisor.finish()
        self._close()

    def _close(self) -> None:
        if self._reader:
            self._reader.stop()
            self._reader = None
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        self._log.close()

    def _line(self, line: str) -> None:
        self._log.write(line)
        if collector_runs(line):
            if not self._config.second:  # The board tells how the host's own collector is.
                self._board.runs()
        elif failure := supervisor_failure(line):
            self._failed(failure)
        self._on_line(line)

    def _collector_line(self, line: str) -> None:
        self._log.write(line)
        self._failed(self._errors.line(line))
        self._on_collector_line(line)

    def _collector_idle(self) -> None:
        self._failed(self._errors.idle())

    def _failed(self, error: StartError | None) -> None:
        if error:
            self._board.failed(error, time.time(), second=self._config.second)
            whose = "the second collector" if self._config.second else "the collector"
            with suppress(OSError):  # A closed terminal must not end the thread that reads.
                self._note(f"{whose} did not start: {error.text}")
