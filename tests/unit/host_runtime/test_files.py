"""The files of a host: what is in them, what never is, and how they are kept."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from chalicelib.domain.errors import InvalidInput
from phoenix_cli.host_runtime.config import HostConfig
from phoenix_cli.host_runtime.private_files import (
    DataFolderUnusable,
    HostAlreadyRuns,
    only_runner,
    private_folder,
    write_private,
)
from phoenix_cli.host_runtime.rotating_log import RotatingLog
from phoenix_cli.host_runtime.secrets_in_text import redact
from phoenix_cli.host_runtime.start_errors import collectors_asked
from phoenix_cli.host_runtime.supervisor_files import collector_defaults, collector_start, supervisor_yaml


def config(data_dir: Path = Path("/var/lib/phoenix"), **changed: object) -> HostConfig:
    settings: dict[str, object] = {
        "endpoint": "https://phoenix.example/",
        "host": "vm-a",
        "token": "phx_secret",
        "data_dir": data_dir,
        "collector": Path("/opt/otelcol"),
        "supervisor": Path("/opt/opampsupervisor"),
        "load_agent": (),
        "environment": {},
        **changed,
    }
    return HostConfig(**settings)  # type: ignore[arg-type]


def test_the_supervisors_file_holds_a_reference_instead_of_the_token() -> None:
    text = supervisor_yaml(config(labels={"zone": "a", "env": "prod"}))
    document = yaml.safe_load(text)
    assert "phx_secret" not in text
    assert document["server"]["endpoint"] == "https://phoenix.example/v1/opamp"
    assert document["server"]["headers"] == {"Authorization": "Bearer ${env:PHOENIX_TOKEN}"}
    assert document["agent"]["description"]["non_identifying_attributes"]["phoenix.labels"] == "env=prod,zone=a"
    assert "phx_secret" not in repr(config())


def test_a_dollar_in_a_path_is_not_a_reference() -> None:
    document = yaml.safe_load(supervisor_yaml(config(Path("/data/${env:HOME}"))))
    assert document["storage"]["directory"] == "/data/$${env:HOME}/supervisor"


def test_the_default_reader_takes_any_free_loopback_port() -> None:
    (reader,) = yaml.safe_load(collector_defaults())["service"]["telemetry"]["metrics"]["readers"]
    assert reader["pull"]["exporter"]["prometheus"] == {"host": "127.0.0.1", "port": 0}


def test_the_start_script_survives_odd_paths_and_tells_the_marker_first(tmp_path: Path) -> None:
    folder = tmp_path / "a b'c$(touch x)"
    folder.mkdir()
    collector = folder / "otelcol"
    collector.write_text('#!/bin/sh\necho "$@"\necho "Error: no" >&2\n')
    collector.chmod(0o755)
    settings = config(folder, collector=collector)
    write_private(settings.files.collector_start, collector_start(settings), executable=True)
    effective = folder / "effective.yaml"
    effective.write_text(
        "service:\n  telemetry:\n    resource:\n      phoenix.config: 1a2b\n      phoenix.configs: no\n"
    )
    script = str(settings.files.collector_start)
    out = subprocess.run([script, "--config", str(effective), "--flag"], capture_output=True, text=True, check=True)
    assert out.stdout == f"--config {settings.files.collector_defaults} --config {effective} --flag\n"
    said = settings.files.collector_errors
    assert said.read_text() == "phoenix-start 1a2b\nphoenix-collectors \nError: no\n"
    effective.write_text('a:\n  phoenix.config: 1a2b\n  phoenix.collectors: "2"\n')
    subprocess.run([script, "--config", str(effective)], check=True)
    assert [collectors_asked(line) for line in said.read_text().splitlines()] == [None, 2, None]
    effective.write_text("receivers:\n")
    subprocess.run([script, "--config", str(effective)], check=True)
    assert said.read_text() == "phoenix-start \nError: no\n", "a start in bootstrap asks for nothing"
    assert subprocess.run([script, "featuregate"], capture_output=True, text=True, check=True).stdout == "featuregate\n"
    assert not (folder / "x").exists()


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"endpoint": "phoenix.example"}, "/endpoint"),
        ({"endpoint": "ftp://phoenix.example"}, "/endpoint"),
        ({"endpoint": "http://u:p@phoenix.example"}, "/endpoint"),
        ({"endpoint": "http://[::1"}, "/endpoint"),
        ({"endpoint": "http://h:99999"}, "/endpoint"),
        ({"host": "../x"}, "/host"),
        ({"host": "a\n"}, "/host"),
        ({"host": "Web.1"}, "/host"),
        ({"labels": {f"k{n}": "v" for n in range(33)}}, "/labels"),
        ({"labels": {"a": "b,c=d"}}, "/labels/a"),
        ({"token": "two words"}, "/token"),
        ({"token": ""}, "/token"),
        ({"data_dir": Path("relative")}, "/dataDir"),
        ({"poll_seconds": 0}, "/pollSeconds"),
    ],
)
def test_bad_settings_are_named(changed: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidInput) as error:
        config(**changed)
    assert [problem.pointer for problem in error.value.problems] == [pointer]


def test_files_are_for_their_owner_alone_and_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    private_folder(folder)
    write_private(folder / "f", "one")
    write_private(folder / "f", "two")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "f").stat().st_mode) == 0o600
    assert [path.read_text() for path in folder.iterdir()] == ["two"]


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderUnusable, match="file/data"):
        private_folder(tmp_path / "file" / "data")


def test_one_runner_at_a_time(tmp_path: Path) -> None:
    with (
        only_runner(tmp_path / "lock"),
        pytest.raises(HostAlreadyRuns, match="already"),
        only_runner(tmp_path / "lock"),
    ):
        pass
    with only_runner(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text().strip().isdigit()


def test_a_log_is_bounded_clean_and_private(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "log", clean=lambda text: redact(text, "phx_secret"), max_bytes=1000, keep=2)
    for number in range(200):
        log.write(f"{number} phx_secret")
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2"]
    text = "".join((tmp_path / name).read_text() for name in files)
    assert "phx_secret" not in text
    assert "199 [REDACTED]" in (tmp_path / "log").read_text()
    for name in files:
        assert (tmp_path / name).stat().st_size <= 1000
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_loses_lines_only(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "missing" / "log", clean=str)
    log.write("one")
    assert log.lost_lines == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("token is s3cret!", "token is [REDACTED]"),
        ('Authorization: "Bearer abc.def"', 'Authorization: "Bearer [REDACTED]"'),
        ("authorization: bearer abc", "authorization: bearer [REDACTED]"),
        ("Basic dXNlcjpwYXNz", "Basic [REDACTED]"),
        ("phx_ABC-1_2", "[REDACTED]"),
        ("post https://user:pw@host/x failed", "post https://[REDACTED]@host/x failed"),
        ("nothing here: http://host:80/x", "nothing here: http://host:80/x"),
    ],
)
def test_secrets_are_taken_out(text: str, expected: str) -> None:
    assert redact(text, "s3cret!") == expected
