"""Every template gives a legal experiment, whatever names go in; what cannot be one is refused with its way out."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound
from chalicelib.domain.experiment.spec import ExperimentManifest
from phoenix_cli.commands.experiment_init import filled, init, names
from phoenix_cli.main import app

TOPK = ("process-baseline-v1", "process-topk-v1")


@pytest.mark.parametrize("template", names())
def test_a_template_is_a_legal_experiment_and_says_what_it_is_for(template: str) -> None:
    hosts = [f"h{number}" for number in range(6)]
    text = filled(template, "web", hosts, [], ["^nginx$", 'a"b: {c} # d'], *TOPK)
    made = ExperimentManifest.model_validate(yaml.safe_load(text))
    assert made.spec.targets.hosts == tuple(hosts)
    assert [pattern.name for pattern in made.spec.critical] == ["^nginx$", 'a"b: {c} # d']
    assert text.startswith("# ")
    labelled = ExperimentManifest.model_validate(
        yaml.safe_load(filled(template, "web", [], ["env=prod"], ["^nginx$"], *TOPK))
    )
    assert labelled.spec.targets.selector == {"matchLabels": {"env": "prod"}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("web", [], [], ["^a$"]), "--host"),
        (("web", ["h1"], ["a=b"], ["^a$"]), "not both"),
        (("web", ["h1"], [], []), "--critical"),
        (("web", [], ["nothing"], ["^a$"]), "key=value"),
        (("Bad Name", ["h1"], [], ["^a$"]), "/metadata/name"),
        (("web", ["h1\nx: y"], [], ["^a$"]), "/spec/targets/hosts/0"),
        (("web", ["h1"], [], ["("]), "/spec/critical/0"),
    ],
)
def test_what_cannot_be_an_experiment_is_refused(given: tuple[str, list[str], list[str], list[str]], said: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        filled("standard", *given, *TOPK)
    assert said in raised.value.detail
    assert raised.value.problems


def test_an_unknown_template_names_those_there_are() -> None:
    with pytest.raises(NotFound) as raised:
        filled("../x", "web", ["h1"], [], ["^a$"], *TOPK)
    assert "standard" in raised.value.hint


def test_a_file_is_written_once_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    init("web", "quick", ["h1"], None, ["^a$"], *TOPK, path)
    before = path.read_text()
    with pytest.raises(Conflict):
        init("other", "quick", ["h1"], None, ["^a$"], *TOPK, path)
    assert path.read_text() == before


def test_the_list_shows_every_template() -> None:
    shown = CliRunner().invoke(app, ["experiment", "templates"])
    assert shown.exit_code == 0
    assert all(name in shown.output for name in names())
