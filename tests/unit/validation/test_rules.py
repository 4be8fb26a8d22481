"""The rules' words and their page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.domain.validation.reference import rules_page
from chalicelib.domain.validation.rules import RULES, finding

ROOT = Path(__file__).parents[3]


def test_every_rule_says_what_why_and_fix_under_a_stable_form_of_id() -> None:
    for rule in RULES.values():
        assert re.fullmatch(r"PHX-V\d{3}", rule.id)
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
        assert all(len(text) > 10 and text.endswith(".") for text in (rule.title, rule.why, rule.fix)), rule.id
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


def test_a_finding_of_no_rule_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        finding("PHX-V999", "", "nothing")


def test_the_page_is_what_the_rules_say() -> None:
    page = ROOT / "docs/reference/validation-rules.md"
    assert page.read_text("utf-8").endswith(rules_page()), "run: python -m docs.generate"


def test_every_rule_is_tested_by_its_id() -> None:
    files = [*(ROOT / "tests").glob("*/validation/test_*.py"), *(ROOT / "tests").glob("*/validation/faults.py")]
    text = "\n".join(path.read_text("utf-8") for path in files if path.name != Path(__file__).name)
    assert [rule for rule in RULES if rule not in text] == []
