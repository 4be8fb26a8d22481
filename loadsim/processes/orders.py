"""What passes between the generator and its spawner, and how it is framed. Standard library only (see kernel.py).

Each message is a tuple of plain values in Python's own `marshal` form behind its length (4 bytes, little-endian): that
is built in, where `json` would cost each simulated process the memory of half a dozen modules. The pipes are private to
two processes of the same interpreter, of which one has just started the other; nothing else ever writes into them.

To the spawner: ("start", slot, name, argv, seed, memory, cpu) with memory (kind, highest in bytes, period in s) and cpu
(kind, share of a core, period in s); ("end", slot). The end of its input ends everything.
From it: ("up", slot, pid), ("down", slot, pid), ("failed", slot, why).
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False  # as in typing, see kernel.py
if TYPE_CHECKING:
    from typing import Any

    StartOrder = tuple[str, int, str, tuple[str, ...], int, tuple[str, int, float], tuple[str, float, float]]

_HEAD = 4


def framed(*message: Any) -> bytes:
    """One message as bytes."""
    body = marshal.dumps(message)
    return len(body).to_bytes(_HEAD, "little") + body


class Incoming:
    """Bytes in, whole messages out."""

    def __init__(self) -> None:
        self._data = b""

    def messages(self, chunk: bytes) -> list[Any]:
        """The messages that are complete with this chunk, in order."""
        data, at, found = self._data + chunk, 0, []
        while len(data) - at >= _HEAD:
            end = at + _HEAD + int.from_bytes(data[at : at + _HEAD], "little")
            if end > len(data):
                break
            found.append(marshal.loads(data[at + _HEAD : end]))  # noqa: S302 - our own, see above
            at = end
        self._data = data[at:]
        return found
