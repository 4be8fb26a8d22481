"""A request body, decompressed when it is gzip, never longer than a limit. What is inside is the codecs' business."""

from __future__ import annotations

import zlib

from chalicelib.domain.errors import InvalidInput, TooLarge

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31


def plain(body: bytes, limit: int) -> bytes:
    """The body, decompressed if it begins like gzip whatever its headers say (a gateway may have changed them).

    limit: most bytes, before and after. Raises TooLarge (a bomb is stopped at the limit), InvalidInput for broken gzip.
    """
    if len(body) > limit:
        raise TooLarge(f"the body has {len(body)} bytes; at most {limit} are taken", hint="send smaller batches")
    if not body.startswith(_GZIP):
        return body
    inflate = zlib.decompressobj(_GZIP_WINDOW)
    try:
        out = inflate.decompress(body, limit + 1)
    except zlib.error as e:
        raise InvalidInput(
            f"the body begins like gzip and is none: {e}", hint="compress it again, or send it plain"
        ) from e
    if len(out) > limit:
        raise TooLarge(f"the body decompresses to more than {limit} bytes", hint="send smaller batches")
    if not inflate.eof or inflate.unused_data:
        raise InvalidInput("the gzip body ends too early or has bytes after its end", hint="send one whole gzip member")
    return out
