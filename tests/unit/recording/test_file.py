"""A recording's file: whole, cut short, damaged, foreign, hostile, and disks that are full."""

from __future__ import annotations

import gzip
import stat
import zlib
from pathlib import Path

import pytest

from chalicelib.domain.errors import Conflict, Unavailable
from phoenix_cli.recording.errors import RecordingUnusable
from phoenix_cli.recording.form import MAX_SCRAPE, Kind, pack
from phoenix_cli.recording.reader import Recording, open_recording
from phoenix_cli.recording.summary import summarise
from phoenix_cli.recording.writer import RecordingWriter
from tests.unit.recording.scrapes import HEADER, command_lines, scrape

MIB = 1024 * 1024


def whole(path: Path, scrapes: int = 3) -> Recording:
    writer = RecordingWriter(path, MIB)
    writer.begin(HEADER)
    for number in range(scrapes):
        assert writer.add(scrape(f"run {number}", "other").SerializeToString())
    writer.finish("duration", 1.1e9, {"process.command_line": 2})
    return open_recording(path)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.phxrec"
    recording = whole(path)
    assert (recording.header, recording.scrapes, recording.cut_at) == (HEADER, 3, None)
    assert recording.end is not None
    assert recording.end.redacted == {"process.command_line": 2}
    assert [command_lines(one)[0] for one in recording.requests()] == ["run 0", "run 1", "run 2"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert recording.size == path.stat().st_size
    assert gzip.decompress(path.read_bytes())[:1] == b"H", "any gzip tool can read it"


def test_every_prefix_is_read_up_to_its_last_whole_frame_and_says_so(tmp_path: Path) -> None:
    path, cut = tmp_path / "a.phxrec", tmp_path / "cut.phxrec"
    whole(path)
    content = path.read_bytes()
    header = len(pack(Kind.HEADER, HEADER.model_dump_json(by_alias=True).encode()))
    seen = set()
    for length in range(header, len(content)):
        cut.write_bytes(content[:length])
        found = open_recording(cut)
        assert found.end is None
        assert found.cut_at is not None
        assert found.cut_at <= length
        assert len(list(found.requests())) == found.scrapes
        seen.add(found.scrapes)
    assert seen == {0, 1, 2, 3}
    assert summarise(found)["complete"] is False


def test_a_changed_byte_is_found_wherever_it_is(tmp_path: Path) -> None:
    path, changed = tmp_path / "a.phxrec", tmp_path / "changed.phxrec"
    whole(path, 1)
    content = path.read_bytes()
    unharmed = []
    for position in range(len(content)):
        changed.write_bytes(content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :])
        try:
            if open_recording(changed).end is not None:
                unharmed.append(position)
        except RecordingUnusable as error:
            assert str(changed) in error.detail  # noqa: PT017 (most positions raise, some only cut the file short)
    # The last frame cannot be covered by its own checksum: bytes 3 to 9 of a member are facts about a tool and a time.
    assert all(position > content.rindex(b"\x1f\x8b\x08") for position in unharmed)


def test_damage_is_named_by_frame_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.phxrec"
    whole(path)
    content = bytearray(path.read_bytes())
    first = len(pack(Kind.HEADER, HEADER.model_dump_json(by_alias=True).encode()))
    content[first + 20] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(RecordingUnusable, match=rf"frame 1, byte {first}"):
        open_recording(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"not gzip at all", b"\x1f\x8b", b"\x1f\x8bgarbage", gzip.compress(b"some text"), pack(Kind.SCRAPE, b"")],
    ids=["empty", "text", "cut magic", "bad gzip", "another gzip", "no header"],
)
def test_a_foreign_file_is_no_recording(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(RecordingUnusable, match=r"no recording|damaged"):
        open_recording(path)


def test_a_folder_and_nothing_are_no_recordings(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RecordingUnusable):
            open_recording(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.phxrec"
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(MIB)
    member = b"".join(packer.compress(block) for _ in range(MAX_SCRAPE // MIB + 2)) + packer.flush()
    path.write_bytes(pack(Kind.HEADER, HEADER.model_dump_json(by_alias=True).encode()) + member)
    with pytest.raises(RecordingUnusable, match="unpacks to more than"):
        open_recording(path)


def test_what_is_no_scrape_or_has_too_much_of_something_is_refused(tmp_path: Path) -> None:
    wide = scrape("x")
    for number in range(100):
        pair = wide.resource_metrics[0].resource.attributes.add(key=f"k{number}")
        pair.value.string_value = "v"
    for number, (body, what) in enumerate(
        [
            (b"\xff\xff\xff", "no OTLP"),
            (wide.SerializeToString(), "attributes"),
            (scrape("x" * 70_000).SerializeToString(), "characters"),
        ]
    ):
        path = tmp_path / f"{number}.phxrec"
        writer = RecordingWriter(path, MIB)
        writer.begin(HEADER)
        assert writer.add(body)
        writer.finish("duration", 1.1e9, {})
        with pytest.raises(RecordingUnusable, match=what):
            list(open_recording(path).requests())


def test_it_ends_in_good_order_before_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.phxrec"
    writer = RecordingWriter(path, 8 * 1024)
    writer.begin(HEADER)
    number = 0
    while writer.add(scrape(*(f"run {number} {i * 7919 % 104729}" for i in range(40))).SerializeToString()):
        number += 1
        assert number < 100
    writer.finish("size", 1.1e9, {})
    assert path.stat().st_size <= 8 * 1024
    assert open_recording(path).scrapes == number > 0


def test_an_existing_file_or_one_in_the_making_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.phxrec"
    whole(path, 1)
    with pytest.raises(Conflict, match="exists"):
        RecordingWriter(path, MIB)
    writer = RecordingWriter(path, MIB, replace=True)
    with pytest.raises(Conflict, match="another recording"):
        RecordingWriter(path, MIB, replace=True)
    writer.abandon()
    assert open_recording(path).scrapes == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"):
        RecordingWriter(tmp_path / "none" / "a.phxrec", MIB)
