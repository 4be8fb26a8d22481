"""Secrets as files that their owner alone can read (0600, in folders of 0700): for a control plane on one machine."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from chalicelib.adapters.secrets.names import checked_name, checked_text
from chalicelib.domain.errors import Unavailable


class FileSecrets:
    """folder: made when the first secret is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, text: str) -> None:
        """See Secrets. The file is private from its first byte, and replaced in one rename."""
        path = self._path(name)
        data = checked_text(text).encode()
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            for folder in reversed([path.parent, *(p for p in path.parents if p.is_relative_to(self._folder))]):
                folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        except OSError as error:
            with suppress(OSError):  # also where the folder itself is what is wrong
                new.unlink(missing_ok=True)
            raise self._away(error) from error

    def get(self, name: str) -> str | None:
        """See Secrets."""
        try:
            return self._path(name).read_text("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._away(error) from error

    def delete(self, name: str) -> None:
        """See Secrets."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise self._away(error) from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{checked_name(name)}.secret"

    def _away(self, error: OSError) -> Unavailable:
        return Unavailable(f"the folder of secrets {self._folder} cannot be used: {error.strerror}")
