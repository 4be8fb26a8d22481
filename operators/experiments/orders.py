"""What is asked of the control plane about experiments, and what its answers mean. Nothing is decided here."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import ValidationError

from chalicelib.domain.errors import Conflict, NotAllowed, NotAuthenticated, NotFound, PhoenixError, Unavailable
from operators.experiments.resource import Resource
from operators.experiments.seen import Absent, Away, Found, Refused, Seen, Shown

PATH = "/api/v1/experiments"


class ControlPlane(Protocol):
    """Requests to the control plane, see `operators.control_plane.client`."""

    async def ask(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        """The JSON of an answer. Raises errors of the tree."""


NOT_CONFIGURED = Refused(
    "NotConfigured",
    "this operator was given no control plane: start it with --experiments-secret (Helm: experimentsSecretName)",
)


class Orders:
    """Each call asks once and says what came of it; none raises an error of the tree. Without a control plane, each
    says that there is none."""

    def __init__(self, control_plane: ControlPlane | None) -> None:
        self._control_plane = control_plane

    async def look(self, cr: Resource) -> Seen:
        """The experiment of this name, whoever manages it."""
        return await self._seen("GET", f"{PATH}/{cr.name}")

    async def create(self, cr: Resource) -> Seen:
        """Create and start it; once more is the same as once."""
        query = {"start": "true", "managedBy": cr.manager}
        return await self._seen("POST", PATH, cr.manifest, query, inside="experiment")

    async def start(self, cr: Resource) -> Seen:
        """Start the draft, if it is ours."""
        return await self._seen("POST", f"{PATH}/{cr.name}/start", query={"managedBy": cr.manager})

    async def stop(self, cr: Resource) -> Seen:
        """Stop it, if it is ours. A refusal may only say that it has moved on meanwhile: what it is now counts."""
        seen = await self._seen("POST", f"{PATH}/{cr.name}/stop", query={"managedBy": cr.manager})
        if isinstance(seen, Refused):
            seen = await self.look(cr)
        return Found(seen.experiment, stop_asked=True) if isinstance(seen, Found) else seen

    async def adopt(self, cr: Resource, expected: str) -> Seen:
        """Take it over, if it does what the resource asks for."""
        body = {"managedBy": cr.manager, "expected": expected, "spec": cr.manifest["spec"]}
        seen = await self._seen("POST", f"{PATH}/{cr.name}/adopt", body)
        if isinstance(seen, Refused) and seen.reason == "Conflict":
            return Refused("NotManaged", f"it cannot be taken over: {seen.message}")
        return seen

    async def _seen(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None, inside: str = ""
    ) -> Seen:
        if self._control_plane is None:
            return NOT_CONFIGURED
        try:
            answer = await self._control_plane.ask(method, path, body, query)
            return Found(Shown.model_validate(answer[inside] if inside else answer))
        except NotFound:
            return Absent()
        except Unavailable as error:
            return Away(error.detail)
        except PhoenixError as error:
            return Refused(_reason(error), _words(error))
        except (ValidationError, KeyError, TypeError):
            return Away("the control plane answers something that is no experiment to this version of the operator")


def _reason(error: PhoenixError) -> str:
    if isinstance(error, NotAuthenticated | NotAllowed):
        return "NotAllowed"
    return "Conflict" if isinstance(error, Conflict) else "Rejected"


def _words(error: PhoenixError) -> str:
    """The problems with their places, or else what it says as a whole, and the fix."""
    if error.problems:
        found = [f"{one.pointer}: {one.rule}" + (f" ({one.fix})" if one.fix else "") for one in error.problems]
        return "; ".join(found)
    return error.detail + (f" ({error.hint})" if error.hint else "")
