"""The second agent of a host: there while the configuration that the host's own collector runs asks for it.

The wish is read where the own collector is started (supervisor_files.py says it on the error output), so that it needs
no request of its own, outlives every restart with the configuration itself, and ends with it. A start without a
configuration of ours (the supervisor's bootstrap) says nothing about it. Its folder lives as long as it does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from phoenix_cli.host_runtime.agent import SupervisedAgent
from phoenix_cli.host_runtime.config import HostConfig
from phoenix_cli.host_runtime.start_errors import collectors_asked
from phoenix_cli.host_runtime.status_board import StatusBoard


class SecondAgent:
    """`hear` may be called from any thread; the rest from the one that ticks."""

    def __init__(self, config: HostConfig, board: StatusBoard, *, note: Callable[[str], None]) -> None:
        self._config, self._board, self._note = config.as_second(), board, note
        self._wanted = False
        self._agent: SupervisedAgent | None = None
        self._stopping = False

    def hear(self, line: str) -> None:
        """Take a line of the own collector's error output."""
        if (asked := collectors_asked(line)) is not None:
            self._wanted = asked > 1

    def clear(self) -> None:
        """Remove what a host that was killed has left; nothing of it is running."""
        shutil.rmtree(self._config.files.root, ignore_errors=True)

    def tick(self) -> None:
        """Start, keep or stop it, as the configuration says. Never waits."""
        if self._agent is None:
            if self._wanted:
                self._start()
        elif self._stopping:
            if self._agent.ended():
                self._gone()
        elif self._wanted:
            self._agent.tick()
        else:
            self.request_stop()

    def request_stop(self) -> None:
        """Ask it to end; returns at once."""
        if self._agent is not None and not self._stopping:
            self._agent.request_stop()
            self._stopping = True

    def finish(self) -> None:
        """Wait until it is gone, under the supervisor's own deadline."""
        if self._agent is not None:
            self._agent.finish()
            self._gone()

    def _start(self) -> None:
        self.clear()
        self._agent, self._stopping = SupervisedAgent(self._config, self._board, note=self._note), False
        self._agent.start()
        self._note("the configuration asks for a second collector; starting it")
        self._agent.tick()

    def _gone(self) -> None:
        self._agent = None
        self.clear()
        self._note("the second collector has ended")
