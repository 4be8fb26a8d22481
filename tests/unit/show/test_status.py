"""Status, verdict and watch lines: true marks only, nothing shown that was not measured."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from chalicelib.domain.experiment.state import State
from chalicelib.domain.experiment.transitions import Cause, move
from chalicelib.domain.load import LoadPhase, LoadSpec, LoadStatus
from chalicelib.domain.loadsim import LoadSim
from chalicelib.domain.measurement import CriticalProcess, Variant
from phoenix_cli.show.experiment.status import (
    Look,
    changed_line,
    status_lines,
    status_view,
    verdict_lines,
    verdict_view,
)
from tests.unit.evaluation.simulated import TEN, at, plan_of
from tests.unit.show.made import OPEN, SENT, counts_of, decided, evaluation_of, experiment_in, harm


def line(lines: list[str], label: str) -> str:
    """The line under a label; fails when there is not exactly one."""
    (found,) = [text.strip() for text in lines if text.strip().startswith(label)]
    return found


def test_a_running_experiment_in_plain_lines() -> None:
    lines = status_lines(experiment_in(), evaluation_of(9), OPEN + 140)
    assert lines[0] == "web-topk   running · 2m 20s of 5–60m · looks every 1m   evaluated 3s ago"
    assert line(lines, "series/scrape") == "series/scrape   raw 14,938   baseline 14,938   candidate 1,352"
    assert line(lines, "reduction") == "reduction       91.0 %, too early for an interval   target ≥ 50 %"
    assert line(lines, "critical").endswith("nginx 18/18   payments 2/2   ✓")
    assert line(lines, "overhead") == "overhead        both arms together at most 1.9 % of a core, 81 MiB"
    assert line(lines, "coverage").endswith("node-01 8/8   node-02 8/8   ✓")
    assert "16 complete scrapes: 8 so far" in line(lines, "waits for")
    assert line(lines, "left") == "left            at most 57m 40s until the deadline"


def test_marks_are_given_only_when_true() -> None:
    good = status_lines(experiment_in(), evaluation_of(), OPEN + 800)
    assert line(good, "reduction").endswith("target ≥ 50 %   ✓")
    assert line(good, "overhead").endswith("✓")
    unseen = evaluation_of(critical=("nginx", "cron"))
    assert (
        line(status_lines(experiment_in(), unseen, OPEN), "critical") == "critical        nginx 18/18   cron not seen"
    )
    above = evaluation_of(target=0.95)
    assert line(status_lines(experiment_in(), above, OPEN), "reduction").endswith("✗")
    near = evaluation_of(target=0.91)
    assert line(status_lines(experiment_in(), near, OPEN), "reduction").endswith("target ≥ 91 %")
    unlimited = evaluation_of(collector_cpu=None)
    assert line(status_lines(experiment_in(), unlimited, OPEN), "overhead").endswith("MiB")
    breach = status_lines(experiment_in(), harm(), OPEN + 200)
    assert line(breach, "critical").endswith("payments 1/2   ✗")


def test_a_gap_is_named_in_the_coverage() -> None:
    plan = plan_of(("node-01", "node-02"))
    gone = [c for c in counts_of(plan, 30) if not (c.host == "node-02" and at(150) < c.end_ns < at(165))]
    lines = status_lines(experiment_in(), evaluation_of(30, counts=gone), OPEN + 460)
    assert line(lines, "coverage") == "coverage        node-01 29/29   node-02 28/29 (1 missing 14:15:53)   ✓"
    silent = [c for c in counts_of(plan, 30) if not (c.host == "node-02" and c.end_ns > at(150))]
    lines = status_lines(experiment_in(), evaluation_of(30, counts=silent), OPEN + 460)
    assert line(lines, "coverage").endswith("✗")


def test_before_any_evaluation_nothing_is_claimed() -> None:
    lines = status_lines(experiment_in(State.DEPLOYING), None, SENT + 5)
    assert lines == [
        "web-topk   deploying · for 5s",
        "baseline  process-baseline-v1   candidate  process-topk-v1 (k=20)",
    ]


def test_an_evaluation_that_is_not_renewed_is_called_stale() -> None:
    lines = status_lines(experiment_in(), evaluation_of(9), OPEN + 137 + 200)
    assert lines[0].endswith("stale: evaluated 3m 20s ago")


def test_loads_are_shown_as_their_hosts_report_them() -> None:
    status = LoadStatus(phase=LoadPhase.RUNNING, running=297, reason="3 children\x1b[2J lost")
    load = LoadSim(name="web-topk", host="node-01", spec=LoadSpec(), created_at=OPEN, created_by="x", status=status)
    shown = line(status_lines(experiment_in(), None, OPEN + 5, [load]), "load")
    assert shown == "load            node-01 running 297/1000 processes (3 children [2J lost)"


def test_the_view_says_what_the_lines_say() -> None:
    found = evaluation_of()
    for experiment, evaluation in ((experiment_in(), evaluation_of(9)), (decided(experiment_in(), found), found)):
        out = StringIO()
        console = Console(file=out, width=200, no_color=True)
        console.print(status_view(experiment, evaluation, OPEN + 800))
        shown = [" ".join(text.split()) for text in out.getvalue().splitlines() if text.strip()]
        said = [" ".join(text.split()) for text in status_lines(experiment, evaluation, OPEN + 800)]
        assert shown == said


def test_a_promotion_in_words() -> None:
    found = evaluation_of()
    lines = verdict_lines(decided(experiment_in(), found), found)
    assert lines[0] == "PROMOTE  web-topk · candidate process-topk-v1 (k=20)"
    assert lines[1].startswith("  why      Series reduction 91.0 % [90.5, 91.5] reaches the target")
    assert lines[2] == "           Every critical process was present in every scrape (1,040 of 1,040)."
    assert "about $815 a month at 0.06 USD a series (price book example-2026, an example price" in line(lines, "saves")
    assert line(lines, "undo") == "undo     phoenix pipeline rollback web-topk"


def test_a_promotion_that_waits_names_the_command() -> None:
    found = evaluation_of()
    when = found.evidence.window.end_ns / 1e9
    waiting = move(experiment_in(), Cause.EVIDENCE, State.DECIDING, when)
    waiting = move(waiting, Cause.EVIDENCE, State.AWAITING_PROMOTION, when, "the candidate won: promote it")
    outcome = decided(experiment_in(), found).outcome
    waiting = waiting.model_copy(update={"outcome": outcome})
    assert line(verdict_lines(waiting, found), "next") == "next     phoenix experiment promote web-topk"


def test_a_breach_in_words() -> None:
    found = harm()
    lines = verdict_lines(decided(experiment_in(), found, seconds=6), found)
    assert lines[0] == "REJECT  web-topk · The candidate loses a critical process."
    assert "payments-worker (pid 4312, node-02, critical pattern payments)" in line(lines, "what")
    assert line(lines, "done") == (
        "done     Previous configuration restored on 2 hosts, in 6s, read back from both collectors."
    )
    assert not [text for text in lines if "saves" in text]


def test_what_is_not_read_back_is_not_claimed() -> None:
    found = harm()
    ended = decided(experiment_in(), found, seconds=6)
    ended = ended.model_copy(update={"proofs": ended.proofs[:1]})
    assert line(verdict_lines(ended, found), "done").endswith("read back from 1 of 2 collectors.")


def test_terminal_codes_in_names_do_not_reach_the_terminal() -> None:
    evil = CriticalProcess(pattern="nginx", name="\x1b[2J[bold]x", pid=5)
    plan = plan_of(("node-01",))
    found = evaluation_of(12, plan.hosts, counts=counts_of(plan, 12, critical=(*TEN, evil), lost=(evil,)))
    experiment = decided(experiment_in(hosts=plan.hosts), found)
    out = StringIO()
    console = Console(file=out, width=300, no_color=True)
    console.print(status_view(experiment, found, OPEN))
    console.print(verdict_view(experiment, found))
    text = out.getvalue() + "\n".join([*status_lines(experiment, found, OPEN), *verdict_lines(experiment, found)])
    assert "\x1b" not in text
    assert "?[2J[bold]x" in text


def test_a_piped_watch_says_each_change_once() -> None:
    experiment = experiment_in()
    first, same = Look(experiment, evaluation_of(9), OPEN + 140), Look(experiment, evaluation_of(9), OPEN + 145)
    later = Look(experiment, evaluation_of(10), OPEN + 155)
    found = evaluation_of()
    ended = Look(decided(experiment, found), found, OPEN + 820)
    assert changed_line(None, first) == (
        "14:15:40  web-topk running · series 14,938/14,938/1,352 · reduction 91.0 %, too early for an interval "
        "target ≥ 50 % · critical nginx 18/18, payments 2/2 ✓ · 8 scrapes"
    )
    assert changed_line(first, same) is None
    assert "9 scrapes" in (changed_line(same, later) or "")
    assert "web-topk completed · verdict PROMOTE (target reached)" in (changed_line(later, ended) or "")
    assert changed_line(ended, ended) is None


def test_a_missing_stream_ends_as_error_and_not_as_a_miss() -> None:
    plan = plan_of(("node-01",))
    counts = [c for c in counts_of(plan, 30) if c.variant is not Variant.CANDIDATE or c.end_ns < at(200)]
    found = evaluation_of(30, plan.hosts, counts=counts)
    lines = verdict_lines(decided(experiment_in(hosts=plan.hosts), found), found)
    assert lines[0].startswith("ERROR  web-topk")
    assert line(lines, "what").startswith("what     Could not measure: node-01 does not report the candidate stream")
