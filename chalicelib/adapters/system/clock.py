"""Wall clock, and identifiers from the system's randomness."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class SystemClock:
    """Unix seconds of this machine."""

    def now(self) -> float:
        return time.time()


class SystemEntropy:
    """Identifiers in the manner of ULID (48 bits of milliseconds, 80 random bits, base 32), lower case."""

    def uid(self) -> str:
        number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
        return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))

    def secret(self) -> str:
        return secrets.token_urlsafe(32)
