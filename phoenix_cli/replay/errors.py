"""The error of replays. It belongs to the tree of chalicelib.domain.errors."""

from __future__ import annotations

from chalicelib.domain.errors import PhoenixError


class ReplayFailed(PhoenixError):
    """The collector did not take a recording through these pipelines; its own words are in the text."""

    status = 503
    code = "PHX-REPLAY"
    title = "the replay failed"
