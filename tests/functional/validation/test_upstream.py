"""The faults of the public Collector repositories' invalid samples: rule and line of each, and the guide's table."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.domain.validation.findings import Severity
from chalicelib.services.pipelines.validation import Validation
from tests.functional.validation.faults import FAULTS, Fault

GUIDE = Path(__file__).parents[3] / "docs/guides/validation.md"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.path.rpartition("/")[2])
def test_each_fault_is_reported_with_rule_and_line(validation: Validation, fault: Fault) -> None:
    report = validation.of_text(fault.text)
    errors = [one for one in report.findings if one.severity is Severity.ERROR]
    assert tuple((one.rule, one.line) for one in errors) == fault.found
    assert all(one.message and one.why and one.fix for one in errors)


def test_the_guide_says_what_is_reported() -> None:
    guide = GUIDE.read_text("utf-8")
    for fault in FAULTS:
        rules = ", ".join(rule for rule, _ in fault.found) or "nothing"
        assert f"| {fault.repository} `{fault.path}` | {fault.what} | {rules} |" in guide, fault.path
