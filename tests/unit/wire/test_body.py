"""Bodies: plain, gzip, bombs, broken."""

from __future__ import annotations

import gzip

import pytest

from chalicelib.adapters.wire.body import plain
from chalicelib.domain.errors import InvalidInput, TooLarge


def test_gzip_is_recognised_by_its_bytes() -> None:
    assert plain(gzip.compress(b"abc"), 100) == plain(b"abc", 100) == b"abc"


@pytest.mark.parametrize(
    "body",
    [b"x" * 1001, gzip.compress(b"\0" * 1001), gzip.compress(b"\0" * 50_000_000)],
    ids=["plain", "a little too long", "bomb"],
)
def test_too_long_before_or_after_decompression_is_refused(body: bytes) -> None:
    with pytest.raises(TooLarge):
        plain(body, 1000 if len(body) < 2000 else 60_000)


def test_length_at_the_limit_is_taken() -> None:
    assert len(plain(gzip.compress(b"\0" * 1000), 1000)) == 1000


@pytest.mark.parametrize(
    "body",
    [b"\x1f\x8b", b"\x1f\x8bgarbage", gzip.compress(b"abc")[:-3], gzip.compress(b"a") + gzip.compress(b"b")],
    ids=["only its mark", "garbage", "cut", "two members"],
)
def test_broken_or_repeated_gzip_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        plain(body, 1000)
