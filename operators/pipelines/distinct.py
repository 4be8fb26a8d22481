"""What follows from a configuration alone: its hash, its canonical form and its YAML with what the operator adds.

A thousand resources hold few distinct configurations, so it is kept for the last ones. Not here: pods, resources.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from chalicelib.domain.kubernetes.exchange import config_hash
from chalicelib.domain.pipeline.document import to_yaml
from operators.pipelines.additions import with_additions

REMEMBERED = 64
"""Configurations: some 30 kB each."""


@dataclass(frozen=True)
class Finished:
    """config_hash: of what was asked for. canonical, text: all of it, additions included, as JSON and as YAML."""

    config_hash: str
    canonical: str
    text: str


def finished(config: Mapping[str, Any]) -> Finished:
    """The configuration as a collector gets it. Raises InvalidInput when nothing can be added to it, TypeError or
    ValueError for a value that has no place in one."""
    digest = config_hash(config)
    whole = with_additions(config, digest)
    return Finished(digest, canonical(whole), to_yaml(whole))


def canonical(tree: Any) -> str:
    """What the hashes of forms are of. Another text for the same tree would be another form, and roll out anew."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def identity(config: Mapping[str, Any]) -> bytes:
    """The same for the same configuration with the same order of keys, sooner than any of its hashes. Raises TypeError
    or ValueError for what is none: NaN, which orjson would take for null, is found by the slower writer."""
    text = orjson.dumps(config, option=orjson.OPT_NON_STR_KEYS)
    if b"null" in text:
        json.dumps(config, allow_nan=False)
    return hashlib.sha256(text).digest()


class Distinct:
    """`finished`, once for each of the last configurations."""

    def __init__(self) -> None:
        self._made: OrderedDict[bytes, Finished] = OrderedDict()

    def __call__(self, config: Mapping[str, Any]) -> Finished:
        """See `finished`. The order of keys matters: the YAML keeps it."""
        key = identity(config)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = finished(config)
            while len(self._made) > REMEMBERED:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return made
