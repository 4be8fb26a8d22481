"""The configuration of a replay: for each pipeline the very assembly that a host would get, side by side in one
collector, with these differences and no others.

- An OTLP receiver stands for the process scraper. Optional metrics that the recording has and the scraper would not
  have been asked for are dropped first.
- Exporters send each scrape at once and once: no queue, no retry. So the answer to a scrape says that all is delivered.
- Counters are not forgotten by the wall clock, which runs apart from the recording's (`clock`).
- The memory limiter has more room: several pipelines share the collector.
- A pipeline's own batch processors are left out: they change when points are sent, not which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline import parts
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.rendering import Fragment
from chalicelib.domain.pipeline.request import TOKEN_VARIABLE, AssemblyArm, AssemblyRequest, Kpi
from phoenix_cli.recording.form import MAX_SCRAPE, Header
from phoenix_cli.replay.clock import reads_own_clock

RECORDED, MOVED = "otlp/recorded", "otlp/moved"
"""Receivers: of the scrapes as recorded, and with their times moved."""
OUTPUT, COUNTS = "out", "counts"
MEMORY_MIB = 4096
NEVER = "8760h"
ENVIRONMENT = {TOKEN_VARIABLE: "unused"}
"""The counts carry a host's token where they are sent; in a replay there is none."""
_HOST = "recorded"


@dataclass(frozen=True)
class Addresses:
    """Where the receivers listen (ports of the loopback interface), and the base URL of the sinks."""

    recorded: int
    moved: int
    sinks: str


def output_sink(number: int) -> str:
    """Where pipeline `number` sends its output."""
    return f"{OUTPUT}{number}"


def counts_sink(number: int) -> str:
    """Where the counts of pipeline `number` go; those of the first come with the counts of the raw stream."""
    return f"{COUNTS}{number}/v1/metrics"


def replay_config(
    fragments: Sequence[Fragment], critical: Sequence[CriticalPattern], header: Header, at: Addresses
) -> dict[str, Any]:
    """All pipelines in one collector. Raises InvalidInput for a pipeline that reads what the recording lacks."""
    config: dict[str, Any] = {"receivers": _receivers(fragments, at)}
    config |= {section: {} for section in ("processors", "connectors", "exporters")}
    pipelines: dict[str, Any] = {}
    for number, fragment in enumerate(fragments):
        own = _Own(number, _assembled(number, fragment, critical, header, at), raw=number == 0)
        own.adapt(_unasked(fragment, header), MOVED if reads_own_clock(fragment) else RECORDED)
        for section in ("processors", "connectors", "exporters"):
            config[section] |= own.components(section)
        pipelines |= own.pipelines()
    telemetry = {"metrics": {"level": "none", "readers": []}}
    return {**config, "service": {"telemetry": telemetry, "pipelines": pipelines}}


def _receivers(fragments: Sequence[Fragment], at: Addresses) -> dict[str, Any]:
    def listening(port: int) -> dict[str, Any]:
        return {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}", "max_request_body_size": MAX_SCRAPE * 2}}}

    moves = {reads_own_clock(fragment) for fragment in fragments}
    found = {RECORDED: listening(at.recorded)} if False in moves else {}
    return found | ({MOVED: listening(at.moved)} if True in moves else {})


def _assembled(
    number: int, fragment: Fragment, critical: Sequence[CriticalPattern], header: Header, at: Addresses
) -> dict[str, Any]:
    batches = [name for name in fragment.order if name.partition("/")[0] == "batch"]
    fragment = fragment.model_copy(update={"order": tuple(name for name in fragment.order if name not in batches)})
    backend = Backend(otlp=f"{at.sinks}/{output_sink(number)}")
    request = AssemblyRequest(
        interval_s=header.interval_s,
        critical=tuple(critical),
        arms=(AssemblyArm(variant=Variant.CANDIDATE, fragment=fragment, backend=backend),),
        kpi=Kpi(endpoint=f"{at.sinks}/{COUNTS}{number}", scope=f"replay-{number}", host=_HOST),
        memory_limit_mib=MEMORY_MIB,
    )
    return assemble(request)


def _unasked(fragment: Fragment, header: Header) -> tuple[str, ...]:
    """Optional metrics of the recording that the scraper would not have been asked for."""
    if lacking := sorted(set(fragment.scraper_metrics) - set(header.scraper_metrics)):
        options = " ".join(f"--metric {metric}" for metric in lacking)
        raise InvalidInput(
            f"{fragment.pipeline} reads {', '.join(lacking)}, which the recording does not have",
            hint=f"record again with: phoenix host record {options}",
        )
    return tuple(sorted(set(header.scraper_metrics) - set(fragment.scraper_metrics)))


class _Own:
    """One pipeline's assembly, its components under names of their own. raw: whether it counts the raw stream."""

    def __init__(self, number: int, assembled: Mapping[str, Any], *, raw: bool) -> None:
        self._prefix = f"p{number}"
        self._config = {section: dict(assembled[section]) for section in ("processors", "connectors", "exporters")}
        self._pipelines = {name: dict(one) for name, one in assembled["service"]["pipelines"].items()}
        if not raw:
            self._drop_raw()

    def adapt(self, unasked: Sequence[str], receiver: str) -> None:
        """Make the differences that the module names."""
        source = self._pipelines["metrics/source"]
        if unasked:
            self._config["processors"]["filter/recorded"] = parts.drop_metrics(unasked)
            source["processors"] = ["filter/recorded", *source["processors"]]
        source["receivers"] = [receiver]
        for body in self._config["exporters"].values():
            body |= {"sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}
        for name, body in self._config["processors"].items():
            kind = name.partition("/")[0]
            if kind == "cumulativetodelta":
                self._config["processors"][name] = {**body, "max_staleness": "0s"}
            elif kind == "deltatocumulative":
                self._config["processors"][name] = {**body, "max_stale": NEVER}

    def components(self, section: str) -> dict[str, Any]:
        """Processors, connectors or exporters, renamed."""
        return {self._named(name): body for name, body in self._config[section].items()}

    def pipelines(self) -> dict[str, Any]:
        """Pipelines, with all that they name renamed but the shared receivers."""
        return {
            self._named(name): {
                "receivers": [one if one in (RECORDED, MOVED) else self._named(one) for one in body["receivers"]],
                "processors": [self._named(one) for one in body["processors"]],
                "exporters": [self._named(one) for one in body["exporters"]],
            }
            for name, body in self._pipelines.items()
        }

    def _drop_raw(self) -> None:
        """Counting the raw stream once is enough."""
        gone = self._pipelines.pop("metrics/raw.kpi")
        for processor in gone["processors"]:
            if processor != "groupbyattrs/kpi":
                del self._config["processors"][processor]
        (forward,) = gone["receivers"]
        del self._config["connectors"][forward]
        source = self._pipelines["metrics/source"]
        source["exporters"] = [one for one in source["exporters"] if one != forward]

    def _named(self, name: str) -> str:
        kind, _, own = name.partition("/")
        return f"{kind}/{self._prefix}.{own}" if own else f"{kind}/{self._prefix}"
