"""The KpiSources port: servers that specifications name, with the credentials that the control plane was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.adapters.prometheus.arms import PrometheusArms
from chalicelib.adapters.prometheus.client import PrometheusApi
from chalicelib.adapters.prometheus.credentials import Credential, signer
from chalicelib.domain.experiment.source import Prometheus
from chalicelib.ports.kpis import KpiSource


class PrometheusServers:
    """known: credentials by name. private: whether servers may lie in private networks. session: makes a botocore
    session; None: the real one."""

    def __init__(
        self, known: Mapping[str, Credential], *, private: bool, session: Callable[[], Any] | None = None
    ) -> None:
        self._known, self._private, self._session = known, private, session or _session

    def of(self, tenant: str, prometheus: Prometheus) -> KpiSource:
        """See the port."""
        sign = signer(tenant, prometheus, self._known, self._session)
        return PrometheusArms(PrometheusApi(prometheus.url, sign, private=self._private), prometheus)


def _session() -> Any:
    import botocore.session

    return botocore.session.get_session()
