"""Errors of finding and building binaries. They belong to the tree of chalicelib.domain.errors."""

from __future__ import annotations

from chalicelib.domain.errors import PhoenixError


class BinaryMissing(PhoenixError):
    """No way to get a binary led to one; the text says which ways were tried, why each failed and how to fix it."""

    status = 503
    code = "PHX-BINARY-MISSING"
    title = "a needed binary is missing"


class CollectorMissing(BinaryMissing):
    """No usable OpenTelemetry Collector."""

    code = "PHX-COLLECTOR-MISSING"
    title = "no usable collector"


class SupervisorMissing(BinaryMissing):
    """No usable OpAMP supervisor."""

    code = "PHX-SUPERVISOR-MISSING"
    title = "no usable OpAMP supervisor"


class BuildFailed(PhoenixError):
    """A build from `collector/` did not end well; nothing half-made is left behind."""

    status = 503
    code = "PHX-BUILD-FAILED"
    title = "the build failed"
