"""An exported comparison checked against itself, offline: is the verdict what the evidence gives? In words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.evaluation.result.result import Evaluation
from chalicelib.domain.evaluation.verdict.verification import Difference, differences
from phoenix_cli.show.experiment.compare import evaluation_in
from phoenix_cli.show.figures import clean, plural

MAX_SHOWN = 20
MADE_BY = "phoenix experiment compare NAME --output json > FILE"


@dataclass(frozen=True)
class Checked:
    """What was found in a document."""

    name: str
    evaluation: Evaluation
    found: tuple[Difference, ...]

    @property
    def identical(self) -> bool:
        return not self.found


def check(document: Any, name: str) -> Checked:
    """Compute everything again that the document states. Raises InvalidInput for one that is no comparison."""
    if not isinstance(document, Mapping) or not {"evidence", "latest", "verdict"} <= set(document):
        raise InvalidInput(f"{name} is not an exported comparison", hint=f"make one: {MADE_BY}")
    try:
        evaluation = evaluation_in(document)
    except (ValidationError, KeyError, TypeError, AttributeError) as error:
        raise _refused(name, error) from error
    if evaluation is None:
        raise InvalidInput(f"{name} has no evaluation, so there is nothing to compute again")
    return Checked(str(document.get("name")), evaluation, (*differences(evaluation), *_record(document, evaluation)))


def _record(document: Mapping[str, Any], evaluation: Evaluation) -> list[Difference]:
    """The verdict at the top, and the experiment's outcome, against the evaluation that they rest on."""
    experiment = document.get("experiment")
    outcome = experiment.get("outcome") if isinstance(experiment, Mapping) else None
    stated = {"verdict": document.get("verdict"), "reason": document.get("reason")}
    own = {"verdict": evaluation.verdict, "reason": evaluation.reason if evaluation.verdict else stated["reason"]}
    wanted: Mapping[str, Any] = outcome if isinstance(outcome, Mapping) else own
    found = [Difference(f"/{k}", stated[k], wanted.get(k)) for k in stated if stated[k] != wanted.get(k)]
    kept = wanted.get("evidence")
    if kept:
        if kept != evaluation.digest:
            found.append(Difference("/experiment/outcome/evidence", kept, evaluation.digest))
        found += [Difference(f"/experiment/outcome/{k}", wanted.get(k), own[k]) for k in own if wanted.get(k) != own[k]]
    return found


def checked_lines(checked: Checked) -> list[str]:
    """The answer in words."""
    evaluation = checked.evaluation
    verdict = (evaluation.verdict or "none yet").replace("_", " ")
    evidence = evaluation.evidence
    basis = f"{plural(evidence.scrapes, 'scrape')} of {plural(len(evidence.hosts), 'host')}"
    if checked.identical:
        lines = [f"identical: {clean(checked.name)}, verdict {verdict} ({evaluation.reason}), from {basis}"]
        return [*lines, f"digest {evaluation.digest or 'none was kept'}"]
    lines = [f"different: {clean(checked.name)} is not what its evidence gives"]
    for one in checked.found[:MAX_SHOWN]:
        lines.append(f"  {one.pointer}: says {_value(one.stated)}, computed {_value(one.computed)}")
    more = len(checked.found) - MAX_SHOWN
    return [*lines, f"  and {more} more"] if more > 0 else lines


def checked_document(checked: Checked) -> dict[str, Any]:
    """The answer for scripts."""
    return {
        "name": checked.name,
        "identical": checked.identical,
        "verdict": checked.evaluation.verdict,
        "reason": checked.evaluation.reason.value,
        "digest": checked.evaluation.digest,
        "differences": [
            {"pointer": one.pointer, "stated": one.stated, "computed": one.computed} for one in checked.found
        ],
    }


def _value(value: Any) -> str:
    return clean(str(value), 200)


def _refused(name: str, error: Exception) -> InvalidInput:
    problems: tuple[Problem, ...] = ()
    if isinstance(error, ValidationError):
        problems = tuple(
            Problem("/" + "/".join(map(str, one["loc"])), one["msg"], "export it again") for one in error.errors()[:10]
        )
    return InvalidInput(f"{name} is not an exported comparison: {type(error).__name__}", problems=problems)
