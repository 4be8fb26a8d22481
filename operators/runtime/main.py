"""Process life by kopf: signals, /healthz, an orderly end. What the process does is `operator`'s business.

kopf watches nothing here (ADR 11): its start-up and clean-up activities hold the engine, its probe asks it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.adapters.collector.validator import CollectorValidator
from chalicelib.domain.errors import InvalidInput, PhoenixError
from operators.engine.credentials import Credentials, from_kubeconfig, in_cluster
from operators.runtime import logs
from operators.runtime.clock import SystemClock
from operators.runtime.operator import Operator
from operators.runtime.settings import Settings, read
from operators.runtime.validating import ThreadedValidator

log = logging.getLogger(__name__)
CATALOG = Path(__file__).resolve().parents[2] / "catalog"
NOT_NEEDED = ("kubernetes", "kubernetes_asyncio", "pykube")
"""Client libraries that kopf would import where they are installed: 40 MiB that nothing here uses."""


def main(arguments: Sequence[str]) -> int:
    """Runs until it is told to stop. 0: it was; 1: it could not go on; 2: its settings are wrong."""
    try:
        settings = read(arguments, os.environ, CATALOG, socket.gethostname())
        logs.begin(settings.log_level, settings.log_json)
        catalog = FileCatalog(*settings.catalogs)
        credentials = _credentials(settings)
    except PhoenixError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 2
    for name in NOT_NEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    return asyncio.run(_live(settings, credentials, catalog))


async def _live(settings: Settings, credentials: Credentials, catalog: FileCatalog) -> int:
    import kopf

    stop = asyncio.Event()
    validating = ThreadedValidator(CollectorValidator(settings.otelcol))
    operator = Operator(settings, credentials, SystemClock(), catalog, validating, stop.set)
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def begin(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.posting.enabled = False
        settings.scanning.disabled = True
        await operator.start()

    @kopf.on.cleanup(registry=registry)
    async def end(**_: Any) -> None:
        await operator.stop()

    @kopf.on.probe(registry=registry, id="engine")
    async def probe(**_: Any) -> dict[str, str]:
        return operator.health()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo | None:
        if settings.kubeconfig:
            os.environ["KUBECONFIG"] = settings.kubeconfig  # kopf knows no other way to be told
            return kopf.login_with_kubeconfig(**_)
        found = kopf.login_with_service_account(**_)
        # By address: the name that kopf takes cannot be resolved where egress is closed or there is no DNS.
        return dataclasses.replace(found, server=credentials.server) if found else None

    await kopf.operator(
        registry=registry,
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz" if settings.health_port else None,
        stop_flag=stop,
    )
    return 1 if operator.failure else 0


def _credentials(settings: Settings) -> Credentials:
    if settings.kubeconfig:
        return from_kubeconfig(Path(settings.kubeconfig))
    found = in_cluster(os.environ)
    if found is None:
        raise InvalidInput("no Kubernetes API: this is no pod with a service account, and --kubeconfig names no file")
    return found
