"""What a deployment that came to rest tells: that hosts failed, or that all of them run it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.deployment import Deployment
from chalicelib.domain.fleet.status import HostConfigStatus, HostStatus
from chalicelib.domain.notification.event import EventType
from chalicelib.domain.notification.facts import FINE, Seen

_BROKEN = frozenset({HostStatus.FAILED, HostStatus.ROLLED_BACK})
_MOST_NAMED = 20


def of_deployment(deployment: Deployment, statuses: Mapping[str, HostConfigStatus]) -> Seen:
    """Each version that fails is a fact of its own; the first version that runs everywhere ends it."""
    broken = {host: one for host, one in sorted(statuses.items()) if one.without_absence in _BROKEN}
    version = deployment.version(deployment.current)
    data = {
        "deployment": deployment.name,
        "version": deployment.current,
        "pipeline": version.plan.label() if version else "",
        "hostCount": len(deployment.hosts),
    }
    if not broken:
        title = f"deployment {deployment.name}: version {deployment.current} runs on every host"
        return Seen(level=FINE, type=EventType.DEPLOYMENT_RESTORED, title=title, data=data)
    first, said = next(iter(broken.items()))
    title = (
        f"deployment {deployment.name}: version {deployment.current} failed on {len(broken)} of {len(statuses)} hosts"
    )
    failed = {host: one.error[:300] for host, one in list(broken.items())[:_MOST_NAMED]}
    return Seen(
        level=f"failed version {deployment.current}",
        type=EventType.DEPLOYMENT_FAILED,
        title=f"{title}; {first}: {said.error}",
        data={**data, "failed": failed, "failedCount": len(broken)},
    )
