"""The form of a recording: a gzip file with one member a frame, so that a file cut short is readable up to there.

Each member unpacks to a kind (one byte), a length (four bytes, big-endian) and that many bytes: first a header (H),
then one OTLP ExportMetricsServiceRequest a scrape (S), last an end (E). Header and end are JSON. The end carries the
SHA-256 of all bytes of the file before it. Not here: files (`writer`, `reader`), and what the requests hold.
"""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.model import Value

FORMAT: Literal["phoenix-recording"] = "phoenix-recording"
VERSION: Literal[1] = 1
MAX_SCRAPE = 32 * 1024 * 1024
"""Bytes of one scrape, unpacked: 15 000 processes have about as many."""
MAX_FACTS = 64 * 1024
"""Bytes of header and end, unpacked."""
MAX_SCRAPES = 100_000
MAX_UNPACKED = 4 * 1024 * 1024 * 1024
"""Bytes of all scrapes, unpacked."""
MAX_PROCESSES = 20_000
"""Processes in one scrape."""
MAX_ATTRIBUTES = 64
MAX_TEXT = 64 * 1024
"""Characters of one attribute."""
MAX_NAME = 1024
"""Characters of an executable name; a kernel keeps 15."""
_HEAD = struct.Struct(">cI")
HEAD_BYTES = _HEAD.size
METRIC = r"^process\.[a-z_.]{1,100}$"
"""Optional metrics of the process scraper."""


class Kind(StrEnum):
    """What a frame is."""

    HEADER = "H"
    SCRAPE = "S"
    END = "E"


class Header(Value):
    """What is known before the first scrape."""

    format: Literal["phoenix-recording"] = FORMAT
    version: Literal[1] = VERSION
    host: str = Field(max_length=253)
    interval_s: float = Field(ge=0.5, le=3600)
    started_at: float = Field(ge=0, le=2**33)
    """Unix seconds."""
    collector_started_ns: int = Field(ge=0, lt=2**63)
    """When the collector that was recorded began (Unix ns): what processes did before is no part of its sums."""
    scraper_metrics: tuple[Annotated[str, Field(pattern=METRIC)], ...] = Field(default=(), max_length=50)
    """Optional metrics of the process scraper that the scrapes hold."""
    patterns: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=100)
    """Patterns of the user whose matches were replaced."""
    collector_version: str = Field(default="", max_length=64)
    cpu_count: int = Field(default=0, ge=0, le=2**20)


class End(Value):
    """What is known after the last scrape."""

    scrapes: int = Field(ge=0, le=MAX_SCRAPES)
    ended_at: float = Field(ge=0, le=2**33)
    why: Literal["duration", "size", "interrupted", "collector"]
    """duration: as asked for. size: the limit was reached. interrupted: by a person. collector: it stopped sending."""
    redacted: dict[str, int] = Field(default_factory=dict, max_length=MAX_ATTRIBUTES)
    """Attribute to the number of its different values in which something was replaced."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of all bytes of the file before this frame."""


@dataclass(frozen=True)
class Frame:
    """One frame as read. offset: of its first byte in the file; index: 0 for the header."""

    index: int
    offset: int
    kind: Kind
    body: bytes


def pack(kind: Kind, body: bytes) -> bytes:
    """A frame as it stands in the file."""
    return gzip.compress(_HEAD.pack(kind.value.encode(), len(body)) + body, compresslevel=6, mtime=0)


def unpack(plain: bytes) -> tuple[Kind, bytes]:
    """Kind and body of an unpacked member. ValueError says what is wrong."""
    if len(plain) < HEAD_BYTES:
        raise ValueError(f"it unpacks to {len(plain)} bytes; a frame has at least {HEAD_BYTES}")
    kind, length = _HEAD.unpack_from(plain)
    if kind.decode("latin-1") not in set(Kind):
        raise ValueError(f"its kind is {kind!r}, not H, S or E")
    if length != len(plain) - HEAD_BYTES:
        raise ValueError(f"it says {length} bytes and holds {len(plain) - HEAD_BYTES}")
    return Kind(kind.decode()), plain[HEAD_BYTES:]
