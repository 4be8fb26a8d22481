"""The report page: what it says in each situation, and that nothing in it can act or reach out."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from chalicelib.domain.audit import AuditRecord
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.experiment.state import Experiment, State
from chalicelib.domain.experiment.transitions import Cause, move
from chalicelib.domain.measurement import CriticalProcess, Variant
from phoenix_cli.show.report.report import html_report
from tests.unit.evaluation.simulated import TEN, at, plan_of
from tests.unit.show.made import (
    CONFIGS,
    OPEN,
    SENT,
    chain,
    counts_of,
    decided,
    evaluation_of,
    experiment_in,
    harm,
    noisy,
)

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """The page as a browser takes it: elements, attributes, text; and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.style = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data
        else:
            self.text += data.replace("\xa0", " ")


def page(experiment: Experiment, evaluation: Evaluation | None, configs: Any = CONFIGS, **more: Any) -> Page:
    audit: list[AuditRecord] = more.pop("audit", chain(experiment))
    return Page(html_report(experiment, evaluation, configs, audit, now=OPEN + 900, **more))


def test_a_promotion_says_what_was_found_and_done() -> None:
    found = evaluation_of()
    text = page(decided(experiment_in(), found), found, phases={"measure": 96.5}).text
    assert found.verdict == "promote"
    for said in (
        "PROMOTE",
        found.explanation,
        "Rolled out to 2 hosts as deployment web-topk, automatically, in 6.2s, read back from both collectors.",
        "phoenix pipeline rollback web-topk",
        "20 of 20",
        "interval 90.5 … 91.5 %; target at least 50 %",
        "at an example price, not an offer",
        "both arms together",
        "marker-9-node-02",
        "the promoted pipeline",
        "7 records, chain is whole",
        "96.5 s",
        "Compute it again from these sums",
        "collection_interval: 15s",
    ):
        assert said in text


def test_a_breach_names_process_host_and_time() -> None:
    found = harm()
    text = page(decided(experiment_in(), found, seconds=4), found).text
    for said in (
        "REJECT",
        "The candidate loses a critical process.",
        "payments-worker (pid 4312, node-02, critical pattern payments) missing from candidate at 14:15:23 UTC",
        "14:15:23, 14:15:38, 14:15:53",
        "confirmed",
        "86.3 %",
        "Previous configuration restored on 2 hosts, in 4s",
        "too early for an interval",
        "Would save a month",
    ):
        assert said in text


def test_without_an_evaluation_nothing_measured_is_shown() -> None:
    shown = page(experiment_in(State.DEPLOYING), None, None)
    assert "No evaluation was made yet: it is deploying" in shown.text
    assert "No collector has confirmed a configuration of this experiment yet." in shown.text
    assert "svg" in shown.tags  # the icon
    assert "Series over time" not in shown.text
    assert "%" not in shown.text


def test_an_end_without_a_verdict_claims_none() -> None:
    stopped = move(experiment_in(State.PENDING), Cause.STOP, State.STOPPED, SENT, "stop by admin")
    text = page(stopped, None, None).text
    assert "It ended without a verdict." in text
    assert "No host was changed." in text
    assert "Nothing was sent to a host." in text
    assert "PROMOTE" not in text


def test_an_early_evaluation_shows_an_estimate_without_interval() -> None:
    text = page(experiment_in(), evaluation_of(9)).text
    assert "Not decided yet." in text
    assert "too early for an interval" in text
    assert "Still waiting for: 16 complete scrapes: 8 so far" in text
    assert "Compute it again" not in text


def test_a_stream_that_stops_is_an_error_with_its_gaps() -> None:
    plan = plan_of(("node-01", "node-02"))
    lost = [
        count
        for count in counts_of(plan, 30)
        if count.host == "node-01" or count.variant is not Variant.CANDIDATE or count.end_ns < at(200)
    ]
    found = evaluation_of(30, counts=lost)
    text = page(decided(experiment_in(), found), found).text
    assert "ERROR" in text
    assert "It could not be measured; the baseline stays." in text
    assert "(no candidate)" in text
    assert "candidate on node-02 since 14:16:53, 15 scrapes" in text


def test_a_pattern_that_was_never_seen_is_not_a_whole_one() -> None:
    found = evaluation_of(critical=("nginx", "payments", "cron"))
    text = page(experiment_in(), found).text
    assert "never seen, so not measured" in text
    assert "1 of 3 patterns not seen" in text


def test_much_data_stays_a_readable_size() -> None:
    many = tuple(CriticalProcess(pattern="nginx", name=f"worker-{i:03d}", pid=4000 + i) for i in range(70))
    plan = plan_of(("n1", "n2", "n3"), interval_s=5, max_minutes=200)
    counts = counts_of(plan, 1100, critical=many, series=noisy(5, share=0.02))
    found = evaluation_of(1100, plan.hosts, interval_s=5, max_minutes=200, counts=counts)
    html = html_report(experiment_in(hosts=plan.hosts), found, CONFIGS, [], now=OPEN + 9000)
    assert found.critical.processes_total == 210
    assert len(html) < 400_000
    text = Page(html).text
    assert "By process (200 of 210, those with misses first)" in text
    assert "Each point is the mean of 2 scrapes." in text
    assert "logarithmic scale" in text


@pytest.fixture(scope="module")
def hostile() -> Page:
    name = CriticalProcess(pattern="nginx", name=EVIL, pid=5)
    plan = plan_of(("node-01",))
    lost = counts_of(plan, 12, critical=(*TEN, name), lost=(name,))
    found = evaluation_of(12, plan.hosts, counts=lost, problems={"node-01": EVIL + "\x1b[31m\u202e"})
    experiment = decided(experiment_in(hosts=plan.hosts), found)
    proof = experiment.proofs[0].model_copy(update={"marker": EVIL})
    experiment = experiment.model_copy(update={"message": EVIL, "created_by": EVIL, "proofs": (proof,)})
    return page(experiment, found, {"baseline": {EVIL: EVIL}, "candidate": {"a": "</pre>" + EVIL}}, phases={EVIL: 1.0})


def test_hostile_strings_are_text(hostile: Page) -> None:
    assert "<script>alert(1)</script>" in hostile.text
    assert "\x1b" not in hostile.text
    assert "\u202e" not in hostile.text
    assert not {"script", "img"} & set(hostile.tags)


@pytest.mark.parametrize("which", ["hostile", "promoted"])
def test_the_page_reaches_out_for_nothing(which: str, hostile: Page) -> None:
    found = evaluation_of()
    shown = hostile if which == "hostile" else page(decided(experiment_in(), found), found)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(shown.tags)
    names = {name for name, _ in shown.attributes}
    assert not {"src", "href", "srcset", "data", "action", "xlink:href"} & names
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in shown.style
    assert "@import" not in shown.style
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in shown.attributes


def test_figures_of_a_later_look_do_not_pass_for_the_verdicts() -> None:
    found, later = evaluation_of(), evaluation_of(9)
    experiment = decided(experiment_in(), found)
    note = "The figures on this page are of a later look than the verdict"
    text = page(experiment, later).text
    assert "PROMOTE" in text
    assert note in text
    assert note not in page(experiment, found).text


def test_a_broken_audit_chain_shows() -> None:
    experiment = experiment_in()
    records = chain(experiment)
    records[1] = records[1].model_copy(update={"actor": "mallory"})
    assert "chain is broken at record 2" in page(experiment, None, None, audit=records).text


def test_the_same_values_give_the_same_page() -> None:
    found = evaluation_of()
    experiment = decided(experiment_in(), found)
    one, two = (html_report(experiment, found, CONFIGS, chain(experiment), now=OPEN) for _ in range(2))
    assert one == two
