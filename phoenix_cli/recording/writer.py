"""Writing a recording: under a name of its own (`<file>.partial`) until it is whole, then renamed in one step.

Every frame is handed to the kernel before the next, so that a killed recorder leaves a readable file under the other
name. Not here: where scrapes come from.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from chalicelib.domain.errors import Conflict, TooLarge, Unavailable
from phoenix_cli.recording.form import HEAD_BYTES, MAX_SCRAPE, MAX_SCRAPES, MAX_UNPACKED, End, Header, Kind, pack

PARTIAL = ".partial"
Why = Literal["duration", "size", "interrupted", "collector"]
_END_BYTES = 4096
"""Kept free for the end: it has some hundred bytes."""


class RecordingWriter:
    """One file in the making. max_bytes: of the whole file; a scrape that does not fit is not written."""

    def __init__(self, path: Path, max_bytes: int, *, replace: bool = False) -> None:
        if path.exists() and not replace:
            raise Conflict(f"{path} exists", hint="choose another file, or replace it with --force")
        self.path, self._partial = path, path.with_name(path.name + PARTIAL)
        self._max, self.size, self.scrapes, self._unpacked = max_bytes, 0, 0, 0
        self._sha = hashlib.sha256()
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(self._partial, flags, 0o600)
        except FileExistsError as error:
            raise Conflict(
                f"{self._partial} exists: another recording writes it, or was killed",
                hint="what it holds can be shown and replayed; move or remove it to record again",
            ) from error
        except OSError as error:
            raise Unavailable(f"{self._partial} cannot be written: {error.strerror or error}") from error

    def begin(self, header: Header) -> None:
        """Write the header; once, before anything else."""
        self._write(pack(Kind.HEADER, header.model_dump_json(by_alias=True).encode()))

    def add(self, scrape: bytes) -> bool:
        """Write one scrape. False: the file would pass its limit, and nothing was written. Raises Unavailable when the
        disk takes no more: what was written before stays under the other name."""
        if len(scrape) > MAX_SCRAPE:
            raise TooLarge(f"one scrape has {len(scrape)} bytes; a recording takes {MAX_SCRAPE}")
        packed = pack(Kind.SCRAPE, scrape)
        self._unpacked += len(scrape) + HEAD_BYTES
        full = self.size + len(packed) + _END_BYTES > self._max or self._unpacked + _END_BYTES > MAX_UNPACKED
        if full or self.scrapes >= MAX_SCRAPES:
            return False
        self._write(packed)
        self.scrapes += 1
        return True

    def finish(self, why: Why, ended_at: float, redacted: Mapping[str, int]) -> Path:
        """Write the end, put the file on the disk and give it its name."""
        end = End(
            scrapes=self.scrapes, ended_at=ended_at, why=why, redacted=dict(redacted), sha256=self._sha.hexdigest()
        )
        self._write(pack(Kind.END, end.model_dump_json(by_alias=True).encode()))
        try:
            os.fsync(self._file)
            os.replace(self._partial, self.path)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._close()
        return self.path

    def abandon(self) -> None:
        """Close what is in the making. Without a single scrape it is removed; does nothing after `finish`."""
        if self._file >= 0:
            self._close()
            if not self.scrapes:
                self._partial.unlink(missing_ok=True)

    def _write(self, packed: bytes) -> None:
        try:
            rest = memoryview(packed)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            failure = self._failed(error)
            self._cut()
            raise failure from error
        self._sha.update(packed)
        self.size += len(packed)

    def _cut(self) -> None:
        """Back to the last whole frame."""
        try:
            os.ftruncate(self._file, self.size)
        finally:
            self.abandon()

    def _failed(self, error: OSError) -> Unavailable:
        kept = f"the {self.scrapes} scrapes before are in {self._partial}" if self.scrapes else "nothing is kept"
        return Unavailable(
            f"{self.path} cannot be written: {error.strerror or error}; {kept}",
            hint="make room, or record on another disk",
        )

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
