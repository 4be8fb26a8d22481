"""What a host says of itself is what the control plane's domain reads."""

from __future__ import annotations

from pathlib import Path

from chalicelib.domain.host import HostFacts as KnownFacts
from phoenix_cli.host_runtime.config import HostConfig
from phoenix_cli.host_runtime.facts import HostFacts, host_facts
from phoenix_cli.host_runtime.start_errors import LONGEST_MARKER, LONGEST_TEXT
from phoenix_cli.host_runtime.status_board import CollectorError
from phoenix_cli.host_runtime.status_report import status_body

CONFIG = HostConfig(
    endpoint="http://h",
    host="vm-a",
    token="phx_1",
    data_dir=Path("/d"),
    collector=Path("/c"),
    supervisor=Path("/s"),
    load_agent=(),
    environment={},
)
FACTS = HostFacts(agent_version="0.1.0", collector_version="0.155.0", cpu_count=2, memory_bytes=2**30, boot_id="b")


def test_the_longest_error_still_fits_after_its_secrets_were_taken_out() -> None:
    error = CollectorError("Error: " + "Bearer x " * LONGEST_TEXT, 12.5, "m" * LONGEST_MARKER)
    known = KnownFacts.model_validate(status_body(CONFIG, FACTS, error))
    assert known.collector_error is not None
    assert len(known.collector_error.text) == LONGEST_TEXT
    assert known.collector_error.at == 12.5


def test_without_an_error_the_field_is_null() -> None:
    body = status_body(CONFIG, FACTS, None)
    assert body["collectorError"] is None
    assert KnownFacts.model_validate(body).cpu_count == 2


def test_facts_of_this_machine_are_told_even_without_a_collector(tmp_path: Path) -> None:
    facts = host_facts(tmp_path / "none")
    assert facts.collector_version == ""
    assert facts.cpu_count >= 1
    assert KnownFacts.model_validate(status_body(CONFIG, facts, None)).boot_id == facts.boot_id
