"""A load as the main process of a pod: it says how it stands on a port, and leaves its last word where Kubernetes keeps
it (the termination message). The load itself is a Generator like any other; the pod's makeup is operators/loads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.kubernetes.load_job import MAX_LAST_WORDS
from chalicelib.domain.load import LoadPhase, LoadSpec, LoadStatus
from loadsim.generator import Generator
from loadsim.pod.status_server import Saying, StatusServer
from loadsim.processes.headroom import Room, room
from loadsim.signals import EndWatch

FIRST_TO_GO = 1000
"""oom_score_adj of a pod's main process: over its memory limit the kernel ends it, and with it all of the pod. Were a
simulated process taken instead, it would be started again and taken again."""


@dataclass(frozen=True)
class PodLoad:
    """One load in one pod. port: where it says how it stands. last_words: the termination message's file."""

    spec: LoadSpec
    run_id: str
    port: int
    last_words: Path
    room: Callable[[], Room] = room

    def run(self, watch: EndWatch) -> LoadStatus:
        """Run to the end, however it comes; returns, and leaves behind, how that was.

        Raises Unavailable when the port is taken: nothing has been started then.
        """
        saying = Saying()
        with StatusServer(saying, self.port):
            status = LoadStatus(phase=LoadPhase.FAILED, reason="the generator broke; its log says why")
            try:
                status = Generator(self.spec, self.run_id, saying.tell, self.spec.duration_s, room=self.room).run(watch)
            finally:
                leave_last_words(self.last_words, status)
            return status


def leave_last_words(path: Path, status: LoadStatus) -> None:
    """Write the last status where Kubernetes finds it. That it could not is said and changes nothing: the load has
    ended, and its end is in the exit code as well."""
    try:
        # Not by a file beside it: the kubelet mounts this one file.
        path.write_bytes(last_words(status))
    except OSError as error:
        print(f"loadsim: termination message {path}: {error.strerror}", file=sys.stderr)


def last_words(status: LoadStatus) -> bytes:
    """The status as JSON in at most MAX_LAST_WORDS bytes: the sample of names goes first, then the reason's end."""
    for smaller in (status, status.model_copy(update={"names": ()})):
        if len(data := smaller.model_dump_json(by_alias=True).encode()) <= MAX_LAST_WORDS:
            return data
    short = status.model_copy(update={"names": (), "reason": status.reason[:200]})
    return short.model_dump_json(by_alias=True).encode()


def go_first() -> None:
    """See FIRST_TO_GO. Anybody may ask for more of it, so that failing is odd, said, and no reason to end."""
    try:
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_GO), encoding="ascii")
    except OSError as error:
        print(f"loadsim: oom_score_adj not set: {error.strerror}", file=sys.stderr)
