"""Addresses that the control plane is asked to call, checked as text; where they lead is seen when they are called."""

from __future__ import annotations

from urllib.parse import urlsplit


def checked_address(value: str, *, form: str, instead: str, query: bool) -> str:
    """An http or https URL of printable ASCII, without credentials or a fragment.

    form: how to write one. instead: what stands in place of credentials. query: whether it may have one. Raises
    ValueError saying what is right.
    """
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"not an address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"write {form}")
    if parts.username or parts.password:
        raise ValueError(f"no credentials in the address: {instead}")
    if parts.query and not query:
        raise ValueError("an address has no query here")
    if port == 0 or parts.fragment or not value.isascii() or any(c <= " " or c == "\x7f" for c in value):
        raise ValueError("an address has no fragment, no blank, printable ASCII only, and a port above 0")
    return value
