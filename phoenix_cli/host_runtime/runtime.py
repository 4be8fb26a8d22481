"""The host runtime: the host's own agent, a second one while it is asked for, and the load agent, kept running.

`run_host` is what `phoenix host run` calls. Not here: an agent and what it says (agent.py), when there is a second one
(second.py), how a child is kept (supervised.py).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from phoenix_cli.host_runtime.agent import SupervisedAgent
from phoenix_cli.host_runtime.config import TOKEN_VARIABLE, HostConfig
from phoenix_cli.host_runtime.facts import host_facts
from phoenix_cli.host_runtime.private_files import only_runner, private_folder
from phoenix_cli.host_runtime.rotating_log import RotatingLog
from phoenix_cli.host_runtime.second import SecondAgent
from phoenix_cli.host_runtime.secrets_in_text import redact
from phoenix_cli.host_runtime.start_errors import supervisor_is_up
from phoenix_cli.host_runtime.status_board import StatusBoard
from phoenix_cli.host_runtime.status_report import StatusReport
from phoenix_cli.host_runtime.supervised import Child, Supervised

TICK_SECONDS = 0.2
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
        self._second = SecondAgent(config, self._board, note=note)
        self._own = SupervisedAgent(
            config, self._board, note=note, on_line=self._supervisor_line, on_collector_line=self._second.hear
        )
        self._agent_log = RotatingLog(config.files.load_agent_log, clean=lambda text: redact(text, config.token))
        self._load_agent = self._make_load_agent()
        self._report: StatusReport | None = None

    def start(self) -> None:
        """Write the files, start readers, reports and children. Raises DataFolderUnusable."""
        private_folder(self._config.files.load_agent_data)
        self._second.clear()
        self._own.start()
        self._report = StatusReport(self._config, host_facts(self._config.collector), self._board, note=self._note)
        self._report.start()
        self.tick()

    def tick(self) -> None:
        """Start what should run and does not, and stop what should not."""
        self._own.tick()
        if self._load_agent:
            self._load_agent.tick()
        self._second.tick()

    def stop(self) -> None:
        """End all children, each under its own deadline and all at once, then the threads."""
        stopping = [one for one in (self._own, self._second, self._load_agent) if one is not None]
        for one in stopping:
            one.request_stop()
        for one in stopping:
            one.finish()
        if self._report:
            self._report.stop()
        self._agent_log.close()

    def _make_load_agent(self) -> Supervised | None:
        config = self._config
        if not config.load_agent:
            return None
        environment = {**config.environment, TOKEN_VARIABLE: config.token}
        data = str(config.files.load_agent_data)
        where = ("--endpoint", config.endpoint, "--host", config.host, "--data-dir", data)
        agent = Child("load agent", (*config.load_agent, *where), environment, LOAD_AGENT_GRACE_SECONDS)
        return Supervised(agent, on_line=self._agent_log.write, note=self._note)

    def _supervisor_line(self, line: str) -> None:
        if supervisor_is_up(line) and not self._ready_said:
            self._ready_said = True
            self._on_ready()
