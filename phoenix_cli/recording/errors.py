"""The error of recordings. It belongs to the tree of chalicelib.domain.errors."""

from __future__ import annotations

from chalicelib.domain.errors import PhoenixError


class RecordingUnusable(PhoenixError):
    """A file is no recording, is damaged, or holds more than a recording may; frame and byte are named."""

    status = 400
    code = "PHX-RECORDING"
    title = "the recording cannot be used"
