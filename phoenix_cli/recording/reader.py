"""Reading a recording frame by frame, with bounds on everything, and an error that names frame and byte.

A file that merely stops (its recorder was killed) is read up to there and says so; one whose bytes were changed is
refused. Scrapes are read anew with each pass, so that no recording has to fit into memory.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from pydantic import ValidationError

from phoenix_cli.recording.errors import RecordingUnusable
from phoenix_cli.recording.form import (
    HEAD_BYTES,
    MAX_ATTRIBUTES,
    MAX_NAME,
    MAX_PROCESSES,
    MAX_SCRAPE,
    MAX_SCRAPES,
    MAX_TEXT,
    MAX_UNPACKED,
    End,
    Frame,
    Header,
    Kind,
    unpack,
)

_CHUNK = 256 * 1024
_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Recording:
    """A file that was read through once. end: None when the file stops early; `cut_at` is the byte then."""

    path: Path
    header: Header
    end: End | None
    scrapes: int
    size: int
    """Bytes of the file that belong to whole frames."""
    digest: str
    """SHA-256 of the header and the scrapes, as they stand in the file."""
    cut_at: int | None = None

    def requests(self) -> Iterator[ExportMetricsServiceRequest]:
        """Every scrape, decoded and checked, in order. Raises RecordingUnusable."""
        for frame in self.frames():
            yield _checked(self.path, frame)

    def frames(self) -> Iterator[Frame]:
        """The scrapes as they were sent."""
        with _opened(self.path) as file:
            for frame in _Frames(self.path, file):
                if frame.kind is Kind.SCRAPE:
                    yield frame


def open_recording(path: Path) -> Recording:
    """Read the whole file once: every frame, its checksums, the end. Raises RecordingUnusable."""
    with _opened(path) as file:
        frames = _Frames(path, file)
        first = next(frames, None)
        if first is None or first.kind is not Kind.HEADER:
            raise RecordingUnusable(f"{path} is no recording: its first frame is no header", hint=_MAKE)
        header = _header(path, first)
        scrapes, end = 0, None
        digest = frames.sha256()
        for frame in frames:
            if end is not None:
                raise _broken(path, frame.index, frame.offset, "it stands behind the end")
            if frame.kind is Kind.END:
                end = _end(path, frame, digest, scrapes)
            elif frame.kind is Kind.SCRAPE:
                scrapes, digest = scrapes + 1, frames.sha256()
            else:
                raise _broken(path, frame.index, frame.offset, "a second header")
            if scrapes > MAX_SCRAPES:
                raise _broken(path, frame.index, frame.offset, f"more than {MAX_SCRAPES} scrapes")
        return Recording(path, header, end, scrapes, frames.offset, digest, None if end else frames.offset)


_MAKE = "make one with: phoenix host record"


class _Frames:
    """Iterates over the frames of an open file. offset: first byte behind the last whole frame."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._pending, self._unpacked = b"", 0
        self._sha = hashlib.sha256()
        self.offset, self._index = 0, -1

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        self._index += 1
        start = self.offset
        member = self._member()
        if member is None:
            raise StopIteration
        packed, plain = member
        try:
            kind, body = unpack(plain)
        except ValueError as error:
            raise _broken(self._path, self._index, start, str(error)) from error
        self._unpacked += len(plain)
        if self._unpacked > MAX_UNPACKED:
            raise _broken(self._path, self._index, start, f"the file unpacks to more than {MAX_UNPACKED} bytes")
        self._sha.update(packed)
        self.offset += len(packed)
        return Frame(self._index, start, kind, body)

    def sha256(self) -> str:
        """Of all frames so far."""
        return self._sha.hexdigest()

    def _member(self) -> tuple[bytes, bytes] | None:
        """One gzip member, packed and unpacked; None at the end of the file, also when it ends inside a member."""
        unpacker = zlib.decompressobj(wbits=31)
        packed, plain = bytearray(), bytearray()
        while not unpacker.eof:
            data = self._pending or self._file.read(_CHUNK)
            self._pending = b""
            if not data:
                return None
            packed += data
            while True:
                room = MAX_SCRAPE + HEAD_BYTES + 1 - len(plain)
                plain += self._unpack(unpacker, data, room)
                if len(plain) > MAX_SCRAPE + HEAD_BYTES:
                    what = f"it unpacks to more than {MAX_SCRAPE} bytes"
                    raise _broken(self._path, self._index, self.offset, what)
                data = unpacker.unconsumed_tail
                if not data:
                    break
        self._pending = unpacker.unused_data
        return bytes(packed[: len(packed) - len(self._pending)]), bytes(plain)

    def _unpack(self, unpacker: zlib._Decompress, data: bytes, room: int) -> bytes:
        try:
            return unpacker.decompress(data, room)
        except zlib.error as error:
            if self._index == 0:
                raise RecordingUnusable(f"{self._path} is no recording: {error}", hint=_MAKE) from error
            raise _broken(self._path, self._index, self.offset, str(error)) from error


def _opened(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise RecordingUnusable(f"{path} cannot be read: {error.strerror or error}", hint=_MAKE) from error
    if not path.is_file() or file.peek(2)[:2] != _MAGIC:
        file.close()
        raise RecordingUnusable(f"{path} is no recording: it is no gzip file", hint=_MAKE)
    return file


def _header(path: Path, frame: Frame) -> Header:
    try:
        return Header.model_validate_json(frame.body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise RecordingUnusable(f"{path} is no recording of a known form: {where}: {first['msg']}") from error


def _end(path: Path, frame: Frame, digest: str, scrapes: int) -> End:
    try:
        end = End.model_validate_json(frame.body)
    except ValidationError as error:
        raise _broken(path, frame.index, frame.offset, f"its end: {error.errors()[0]['msg']}") from error
    if end.sha256 != digest or end.scrapes != scrapes:
        raise RecordingUnusable(
            f"{path} was changed after it was made: its {scrapes} scrapes have another checksum than its end says",
            hint="copy it again from where it was recorded",
        )
    return end


def _checked(path: Path, frame: Frame) -> ExportMetricsServiceRequest:
    """The scrape, within what any host has. Raises RecordingUnusable."""
    try:
        request = ExportMetricsServiceRequest.FromString(frame.body)
    except DecodeError as error:
        raise _broken(path, frame.index, frame.offset, "it is no OTLP metrics request") from error
    if len(request.resource_metrics) > MAX_PROCESSES:
        raise _broken(path, frame.index, frame.offset, f"more than {MAX_PROCESSES} processes")
    for resource in request.resource_metrics:
        attributes = resource.resource.attributes
        if len(attributes) > MAX_ATTRIBUTES:
            raise _broken(path, frame.index, frame.offset, f"a process with over {MAX_ATTRIBUTES} attributes")
        for pair in attributes:
            most = MAX_NAME if pair.key == "process.executable.name" else MAX_TEXT
            if len(pair.value.string_value) > most or len(pair.key) > MAX_NAME:
                raise _broken(path, frame.index, frame.offset, f"an attribute of over {most} characters")
    return request


def _broken(path: Path, index: int, offset: int, what: str) -> RecordingUnusable:
    return RecordingUnusable(
        f"{path} is damaged: frame {index}, byte {offset}: {what}", hint="copy it again from where it was recorded"
    )
