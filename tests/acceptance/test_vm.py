"""A plain machine: no root, no Kubernetes, the whole flow all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from phoenix_cli.binaries.resolve import resolve_collector, resolve_supervisor
from tests.acceptance.machine import ROOT, Machine
from tests.acceptance.waiting import until
from tests.catalog import brute
from tests.catalog.capture import Capture

NOBODY = 65534
HOST = "vm-a"


def binaries() -> dict[str, Path]:
    """The stock collector and supervisor, by the variable that names them."""
    return {
        "PHOENIX_OTELCOL": resolve_collector(os.environ, print),
        "PHOENIX_OPAMPSUPERVISOR": resolve_supervisor(os.environ, print),
    }


_AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
_AND_READ = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
"""The one right that is left where root's home holds the interpreter, so that nobody else may start it."""


def unprivileged() -> tuple[str, ...]:
    """What runs a command as a user without rights: nothing if we are one, else setpriv, in the first form in which
    such a user can start this interpreter and the binaries; () when there is none (the table then says uid 0)."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return ()
    probe = (
        "import os, subprocess, sys, phoenix_cli.main; subprocess.run([sys.executable, '-c', 'pass'], check=True); "
        "sys.exit(not all(os.access(path, os.X_OK) for path in sys.argv[1:]))"
    )
    for prefix in (_AS_NOBODY, (*_AS_NOBODY, *_AND_READ)):
        command = [*prefix, sys.executable, "-c", probe, *map(str, binaries().values())]
        if subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False).returncode == 0:
            return prefix
    return ()


@pytest.fixture
def vm() -> Iterator[Machine]:
    """A machine of its own, whose every process belongs to a user without rights where that can be had."""
    prefix = unprivileged()
    with tempfile.TemporaryDirectory(prefix="phoenix-vm-") as name:
        folder = Path(name)
        if prefix:
            os.chown(folder, NOBODY, NOBODY)
        with Machine(folder, HOST, prefix) as machine:
            machine.phoenix.env |= {key: str(path) for key, path in binaries().items()}
            machine.phoenix.env |= {"HOME": name, "KUBECONFIG": os.devnull}
            machine.phoenix.env.pop("KUBERNETES_SERVICE_HOST", None)
            yield machine


@pytest.mark.acceptance(
    "AT-P13",
    "host enrol and host run without root and without Kubernetes; deployment, metrics at the user's OTLP server, "
    "rollback; uids of all its processes read from /proc",
)
def test_the_same_on_a_plain_machine(vm: Machine, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    vm.up()
    vm.enrol()
    ready = time.monotonic() - began
    with Capture() as backend:
        words = ("pipeline", "deploy", "--name", "vm", "--host", HOST, "--interval", "2s", "--backend")
        vm.phoenix(*words, f"{backend.url}/vm", "process-baseline-v1", "--critical", "^phx-crit-")
        rows = until("metrics at the backend", lambda: brute.rows_of(backend.resources("/vm")), 30)
        vm.phoenix(*words, f"{backend.url}/vm-topk", "process-topk-v1", "--param", "k=5")
        vm.phoenix("pipeline", "rollback", "vm")
        (item,) = vm.phoenix.data("pipeline", "get-active-config", "vm")["items"]
        assert item["marker"] == item["expected"]
    pids = list(vm.left())
    uids = {uid for pid in pids for uid in psutil.Process(pid).uids()}
    assert vm.collector().pid in pids
    assert rows
    (uid,) = uids
    assert uid == (NOBODY if vm.phoenix.prefix else os.geteuid())
    kept = "" if uid else ", as no other user may start this interpreter"
    kept = ", with the right to read left to it" if vm.phoenix.prefix[4:] else kept
    figure(f"uid {uid}{kept}, for all {len(pids)} processes; ready {ready:.1f} s after phoenix up")
