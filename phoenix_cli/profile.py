"""Which control plane the CLI talks to, and with which token: a small file readable by its owner alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.domain.errors import InvalidInput, NotAuthenticated


@dataclass(frozen=True)
class Profile:
    """url: without a trailing slash. The token is kept out of repr."""

    url: str
    token: str = field(repr=False)


def profile_path(env: Mapping[str, str]) -> Path:
    """PHOENIX_PROFILE, or phoenix/profile.json in the user's configuration folder."""
    if named := env.get("PHOENIX_PROFILE"):
        return Path(named)
    base = Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "phoenix" / "profile.json"


def data_home(env: Mapping[str, str]) -> Path:
    """Default folder for the data of a local stack and of a host."""
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "phoenix"


def load_profile(env: Mapping[str, str]) -> Profile:
    """PHOENIX_URL and PHOENIX_TOKEN, or the profile file. Raises NotAuthenticated with the way to get one."""
    if env.get("PHOENIX_URL") and env.get("PHOENIX_TOKEN"):
        return Profile(env["PHOENIX_URL"].rstrip("/"), env["PHOENIX_TOKEN"])
    path = profile_path(env)
    try:
        document = json.loads(path.read_text("utf-8"))
        return Profile(str(document["url"]).rstrip("/"), str(document["token"]))
    except FileNotFoundError as error:
        raise NotAuthenticated(
            f"no control plane is known: {path} does not exist",
            hint="start one here with phoenix up, or set PHOENIX_URL and PHOENIX_TOKEN",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} is damaged: {error}", hint="remove it, then run phoenix up again") from error


def save_profile(env: Mapping[str, str], profile: Profile) -> Path:
    """Write the profile file, mode 0600 from its first byte, replacing it in one rename."""
    path = profile_path(env)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": profile.url, "token": profile.token}, file, indent=2)
        file.write("\n")
    os.replace(new, path)
    return path
