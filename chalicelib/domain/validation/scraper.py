"""What a configured process scraper would leave out of a scrape, as conditions and attribute names.

Defaults are those of the host metrics receiver 0.149 (its process scraper's documentation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.pipeline import ottl

_METRICS = {
    "process.cpu.time": True,
    "process.cpu.utilization": False,
    "process.memory.usage": True,
    "process.memory.virtual": True,
    "process.disk.io": True,
}
ATTRIBUTES = (
    "process.pid",
    "process.parent_pid",
    "process.executable.name",
    "process.executable.path",
    "process.command",
    "process.command_line",
    "process.owner",
)
_NAME = 'resource.attributes["process.executable.name"]'


@dataclass(frozen=True)
class Scraper:
    """The process scraper of one receiver. alone: the receiver has no other scraper."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = True

    def dropped(self) -> list[str]:
        """OTTL conditions of metrics that this scraper would not have sent."""
        found = [
            f"metric.name == {ottl.text(name)}" for name, default in _METRICS.items() if not self._on(name, default)
        ]
        if self.alone:
            found.append(f"not IsMatch(metric.name, {ottl.text('^process')})")
        for name, form in (("include", "not ({}) and {} != nil"), ("exclude", "{} and {} != nil")):
            if tests := list(self._names(name)):
                found.append(form.format("(" + " or ".join(tests) + ")", _NAME))
        return found

    def attributes_off(self) -> list[str]:
        """Resource attributes that are switched off."""
        return [name for name in ATTRIBUTES if not _enabled(self.settings.get("resource_attributes"), name, True)]

    def _on(self, name: str, default: bool) -> bool:
        return _enabled(self.settings.get("metrics"), name, default)

    def _names(self, which: str) -> Iterator[str]:
        rule = self.settings.get(which)
        names = rule.get("names") if isinstance(rule, Mapping) else None
        if not isinstance(rule, Mapping) or not isinstance(names, list):
            return
        for name in names:
            if isinstance(name, str) and rule.get("match_type") == "regexp":
                yield f"IsMatch({_NAME}, {_verbatim(name)})"
            elif isinstance(name, str):
                yield f"{_NAME} == {_verbatim(name)}"


def _verbatim(value: str) -> str:
    """An OTTL literal of a text of the user's own configuration, whose `$$` already stands for one dollar sign."""
    return ottl.text(value.replace("$$", "$"))


def _enabled(group: Any, name: str, default: bool) -> bool:
    entry = group.get(name) if isinstance(group, Mapping) else None
    value = entry.get("enabled") if isinstance(entry, Mapping) else None
    return value if isinstance(value, bool) else default


def scraper_of(body: Any) -> Scraper | None:
    """The process scraper of a host metrics receiver's settings; None when it has none."""
    scrapers = body.get("scrapers") if isinstance(body, Mapping) else None
    if not isinstance(scrapers, Mapping) or "process" not in scrapers:
        return None
    settings = scrapers["process"]
    return Scraper(settings if isinstance(settings, Mapping) else {}, alone=len(scrapers) == 1)
