"""The one error tree. Adapters translate into it with `raise ... from e`; edges map it to HTTP, exit code or log.

Every error names the field or thing, the rule that was broken, and the fix. `code` is stable, for scripts.
"No data" and "could not measure" are values elsewhere, never exceptions here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input.

    pointer: JSON pointer into the input ("/spec/candidate/parameters/k"), "" for the whole input.
    rule: what is wrong, in words. fix: what would be right, or where to look.
    """

    pointer: str
    rule: str
    fix: str = ""


class PhoenixError(Exception):
    """Root of the tree. `status` is the HTTP status, `code` the stable code of docs/troubleshooting.md."""

    status = 500
    code = "PHX-INTERNAL"
    title = "internal error"

    def __init__(self, detail: str, *, problems: tuple[Problem, ...] = (), hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = problems
        self.hint = hint


class InvalidInput(PhoenixError):
    """The request cannot be right as it is; `problems` name the fields."""

    status = 400
    code = "PHX-INVALID"
    title = "invalid input"


class NotAuthenticated(PhoenixError):
    """No credential, or one that is unknown, expired or revoked."""

    status = 401
    code = "PHX-UNAUTHENTICATED"
    title = "not authenticated"


class NotAllowed(PhoenixError):
    """A good credential that may not do this."""

    status = 403
    code = "PHX-FORBIDDEN"
    title = "not allowed"


class NotFound(PhoenixError):
    """The thing does not exist in this tenant."""

    status = 404
    code = "PHX-NOT-FOUND"
    title = "not found"


class Conflict(PhoenixError):
    """The thing exists already, changed meanwhile, or is in a state that does not allow this."""

    status = 409
    code = "PHX-CONFLICT"
    title = "conflict"


class TooLarge(PhoenixError):
    """A body, item or transaction over its limit."""

    status = 413
    code = "PHX-TOO-LARGE"
    title = "too large"


class WrongMediaType(PhoenixError):
    """A body in a format that the route does not read."""

    status = 415
    code = "PHX-MEDIA-TYPE"
    title = "unsupported media type"


class Rejected(PhoenixError):
    """Well-formed, but refused by a rule or by the collector itself; `problems` carry its own text."""

    status = 422
    code = "PHX-REJECTED"
    title = "rejected"


class Unavailable(PhoenixError):
    """A part that is needed cannot be reached now; trying again later may help."""

    status = 503
    code = "PHX-UNAVAILABLE"
    title = "unavailable"
