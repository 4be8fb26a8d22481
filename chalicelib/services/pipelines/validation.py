"""Validating any collector configuration: the text, the form, the collector itself, what can be read, what a run shows.

Each layer has its own module in `domain.validation`; here is only their order, and what is not asked when an earlier
layer forbids it: nothing that refers outside, and nothing that the collector refuses, is ever run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.pipeline.instrument import too_deep
from chalicelib.domain.pipeline.masking import MAX_DEPTH
from chalicelib.domain.pipeline.references import environment_names
from chalicelib.domain.validation.findings import (
    Answer,
    Finding,
    Kept,
    Report,
    Retention,
    Severity,
    Source,
    located,
)
from chalicelib.domain.validation.judging import by_running
from chalicelib.domain.validation.marked import marked_by
from chalicelib.domain.validation.population import Population, population
from chalicelib.domain.validation.reading import by_reading, outside
from chalicelib.domain.validation.retention import (
    Critical,
    critical_seen,
    dropped_before,
    dropped_by,
    retention,
)
from chalicelib.domain.validation.rules import finding
from chalicelib.domain.validation.trial import Trial, trial
from chalicelib.domain.validation.view import View, shape
from chalicelib.domain.validation.words import refusals
from chalicelib.ports.clock import Clock
from chalicelib.ports.collector import ConfigReader, ConfigTrials, ConfigValidator

Found = tuple[list[Finding], Retention]


class Validation:
    """trials: None where no collector may be run; then what only a run can tell is reported as not known."""

    def __init__(
        self, reader: ConfigReader, validator: ConfigValidator, trials: ConfigTrials | None, clock: Clock
    ) -> None:
        self._reader, self._validator, self._trials, self._clock = reader, validator, trials, clock

    def of_text(self, text: str, critical: Sequence[CriticalPattern] = ()) -> Report:
        """Everything about a configuration as it is written; findings have lines and columns."""
        source = self._reader.read(text)
        if not source.faults:
            return self._report(source, critical)
        found = [
            finding(fault.rule, "", fault.message, line=fault.position[0]).model_copy(
                update={"column": fault.position[1]}
            )
            for fault in source.faults
        ]
        return _made(found, source, Answer.NOT_ASKED, _not_checked("the text could not be read"))

    def of_tree(self, config: Any, critical: Sequence[CriticalPattern] = ()) -> Report:
        """Everything about a configuration that was already read; findings have pointers only."""
        return self._report(Source(config), critical)

    def _report(self, source: Source, critical: Sequence[CriticalPattern]) -> Report:
        if too_deep(source.value):
            found = [finding("PHX-V003", "", f"nested deeper than {MAX_DEPTH} levels")]
            return _made(found, source, Answer.NOT_ASKED, _not_checked("nested too deeply"))
        view = View(source.value)
        found = [*shape(source.value), *outside(view.tree)]
        found += by_reading(view)
        answer, words = self._ask(view, found)
        found = _merged(found, words)
        if answer is not Answer.ACCEPTED:
            return _made(found, source, answer, _not_checked("the collector does not accept the configuration"))
        run, kept = self._run(view, critical)
        return _made([*found, *run], source, answer, kept)

    def _ask(self, view: View, found: Sequence[Finding]) -> tuple[Answer, list[Finding]]:
        if not view.tree or any(one.rule == "PHX-V004" for one in found):
            return Answer.NOT_ASKED, []
        try:
            refusal = self._validator.validate(view.tree)
        except Unavailable as error:
            return Answer.NOT_ASKED, [finding("PHX-V011", "", error.detail, fix=error.hint)]
        return (Answer.REFUSED, refusals(refusal, view.tree)) if refusal is not None else (Answer.ACCEPTED, [])

    def _run(self, view: View, critical: Sequence[CriticalPattern]) -> Found:
        patterns = tuple(critical) or marked_by(view.tree)
        build = _Try(view, _numbered(patterns))
        plan = build.plan("127.0.0.1:0", "http://127.0.0.1:0")
        if plan.idle:
            return [], _not_checked("no pipeline takes in metrics")
        if plan.refusal:
            return _not_run(plan.refusal)
        if self._trials is None:
            return _not_run("this control plane runs no collectors")
        people = population(build.patterns, int(self._clock.now() * 1e9))
        try:
            return _Tried(build, self._trials, people).found([pattern.id for pattern in patterns])
        except Unavailable as error:
            return _not_run(error.detail)


class _Try:
    """A configuration to be run, whole or stage by stage."""

    def __init__(self, view: View, patterns: tuple[CriticalPattern, ...]) -> None:
        self.view, self.patterns = view, patterns
        self.environment = frozenset(environment_names(view.tree))

    def plan(self, listen: str, sink: str, *, stages: bool = False) -> Trial:
        """The trial with these addresses."""
        return trial(self.view, self.patterns, listen, sink, stages=stages)

    def whole(self, listen: str, sink: str) -> Mapping[str, Any]:
        """Its configuration with a sink at every exporter."""
        return self.plan(listen, sink).config

    def staged(self, listen: str, sink: str) -> Mapping[str, Any]:
        """Its configuration with a sink behind every processor as well."""
        return self.plan(listen, sink, stages=True).config


class _Tried:
    """One or two runs of one configuration, and what they say."""

    def __init__(self, build: _Try, trials: ConfigTrials, people: Population) -> None:
        self._build, self._trials, self._people = build, trials, people

    def found(self, names: Sequence[str]) -> Found:
        """names: ids of the critical patterns as the user knows them. Raises Unavailable."""
        build, people = self._build, self._people
        outcome = self._trials.run(build.whole, people.scrapes, build.environment)
        if outcome.failure:
            return _not_run(outcome.failure)
        plan = build.plan("", "")
        found = by_running(build.view, plan.sinks, outcome)
        if outcome.refused:
            return found, _not_checked("the pipelines refuse an ordinary scrape")
        if not build.patterns:
            why = "no critical process is named: nothing was checked (name them with --critical)"
            return found, _not_checked(why)
        critical = critical_seen(build.patterns, people, outcome)
        losses, kept = retention(critical, plan.sinks, outcome, people)
        kept = _renamed(kept, dict(zip((one.id for one in build.patterns), names, strict=True)))
        if losses:
            found += self._blamed(critical) or dropped_before(losses)
        elif critical.unmatched:
            found.append(finding("PHX-V131", "", kept.explanation, fix="Name the critical process more plainly."))
        return found, kept

    def _blamed(self, critical: Critical) -> list[Finding]:
        """Who drops them, by a second run with a sink behind every processor; nobody when that run gives nothing."""
        build, people = self._build, self._people
        outcome = self._trials.run(build.staged, people.scrapes, build.environment)
        return dropped_by(critical, build.plan("", "", stages=True).stages, outcome, people)


def _numbered(patterns: Sequence[CriticalPattern]) -> tuple[CriticalPattern, ...]:
    """The patterns under ids that differ."""
    return tuple(one.model_copy(update={"id": f"critical-{number}"}) for number, one in enumerate(patterns))


def _renamed(kept: Retention, names: dict[str, str]) -> Retention:
    explanation = kept.explanation
    for own in sorted(names, key=len, reverse=True):
        explanation = explanation.replace(own, names[own])
    patterns = tuple(names.get(one, one) for one in kept.patterns)
    return kept.model_copy(update={"explanation": explanation, "patterns": patterns})


def _not_run(why: str) -> Found:
    return [finding("PHX-V131", "/service/pipelines", f"not run: {why}")], _not_checked(why)


def _not_checked(why: str) -> Retention:
    return Retention(state=Kept.NOT_CHECKED, explanation=why)


def _merged(found: Sequence[Finding], words: Sequence[Finding]) -> list[Finding]:
    """Both, but where the collector says of a place what a rule of ours says already: there ours, with its words."""
    said = {one.pointer: one.message for one in reversed(words) if one.pointer}
    out = []
    taken = set()
    for one in found:
        if one.rule in ("PHX-V003", "PHX-V005") and one.pointer in said:
            taken.add(one.pointer)
            one = one.model_copy(update={"message": f"{one.message} (the collector: {said[one.pointer]})"})
        out.append(one)
    return [*out, *(one for one in words if one.pointer not in taken)]


def _made(found: Sequence[Finding], source: Source, answer: Answer, kept: Retention) -> Report:
    unique = {(one.rule, one.pointer, one.message): one for one in found}
    accepted = not any(one.severity is Severity.ERROR for one in unique.values())
    return Report(
        accepted=accepted,
        findings=located(unique.values(), source.positions),
        collector=answer,
        retention=kept,
    )
