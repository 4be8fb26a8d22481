"""Own pipelines as a service: quotas, two writers at once, and a catalog that later brings a name a tenant has."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.catalog.files import FileCatalog
from chalicelib.adapters.collector.reader import YamlReader
from chalicelib.api.furniture.route import PageQuery, Request
from chalicelib.bootstrap import Outside, build
from chalicelib.domain.access import Principal, Role
from chalicelib.domain.errors import Conflict, InvalidInput
from chalicelib.ports.catalog import Catalog
from chalicelib.repositories.records import Records
from chalicelib.services.context import Context
from chalicelib.services.pipelines.drafts import Draft, Drafts
from chalicelib.services.pipelines.library import TenantLibrary
from chalicelib.services.pipelines.own_pipelines import Made, OwnPipelines, Quotas
from chalicelib.services.pipelines.validation import Validation
from chalicelib.settings import ROOT, Settings
from tests.fakes.clock import CountedEntropy, SettableClock
from tests.fakes.items import MemoryItemStore
from tests.fakes.validator import FakeValidator
from tests.functional.control_plane.pipelines.own import document
from tests.functional.control_plane.world import catalog

T = "default"


class Shop:
    """The service on a store in memory."""

    def __init__(self, quotas: Quotas | None = None) -> None:
        self.clock, self.validator = SettableClock(), FakeValidator()
        self.store = MemoryItemStore(self.clock.now)
        self.records = Records(self.store)
        self.context = Context(self.records, self.clock, CountedEntropy())
        self.quotas = quotas
        self.own, self.library = self.over(catalog())

    def over(self, release: Catalog, validator: FakeValidator | None = None) -> tuple[OwnPipelines, TenantLibrary]:
        """The same records under another release's catalog."""
        library = TenantLibrary(release, self.records)
        reader = YamlReader()
        drafts = Drafts(reader, Validation(reader, validator or self.validator, None, self.clock))
        return OwnPipelines(self.context, library, drafts, self.quotas), library

    def create(self, name: str, limit: int = 5) -> Made:
        return self.own.create(T, name, Draft(document(None, limit)), "someone")

    def update(self, name: str, limit: int) -> Made:
        return self.own.update(T, name, Draft(document(None, limit)), "someone")


class Meanwhile(FakeValidator):
    """While it is asked for the first time, something else happens."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._acts = [act]

    def validate(self, config: Mapping[str, Any]) -> str | None:
        while self._acts:
            self._acts.pop()()
        return super().validate(config)


@pytest.fixture
def later(tmp_path: Path) -> FileCatalog:
    """A catalog with one more pipeline, lean 1.0.0."""
    shutil.copytree(ROOT / "catalog" / "process-baseline-v1", tmp_path / "lean")
    described = tmp_path / "lean" / "metadata.yaml"
    text = described.read_text().replace("name: process-baseline-v1", "name: lean")
    described.write_text(text)
    return FileCatalog(ROOT / "catalog", tmp_path)


def test_pipelines_names_and_versions_are_bounded() -> None:
    shop = Shop(Quotas(pipelines=2, names=3, versions=2))
    shop.create("a")
    shop.create("b")
    with pytest.raises(Conflict, match="2 pipelines of your own"):
        shop.create("c")
    shop.update("a", 6)
    with pytest.raises(Conflict, match="had 2 versions"):
        shop.update("a", 7)
    shop.own.delete(T, "a", "someone")
    shop.create("c")
    shop.own.delete(T, "b", "someone")
    with pytest.raises(Conflict, match="3 names were used"):
        shop.create("d")
    assert shop.create("b", 9).version is not None


def test_of_two_creations_at_once_one_wins_and_the_other_is_told() -> None:
    shop = Shop()

    racing, _ = shop.over(catalog(), Meanwhile(lambda: shop.create("lean", 9)))
    with pytest.raises(Conflict, match="its content is another"):
        racing.create(T, "lean", Draft(document(None, 5)), "someone")
    assert [one.number for one in shop.own.versions(T, "lean", 10, None)[0]] == [1]


def test_a_name_that_a_later_catalog_brings_means_neither_until_its_user_says_which(later: FileCatalog) -> None:
    shop = Shop()
    shop.create("lean")
    own, library = shop.over(later)
    with pytest.raises(InvalidInput, match="one of your own") as caught:
        library.get(T, "lean")
    assert "version 1 is yours, version 1.0.0 the catalog's" in caught.value.hint.replace(
        later.get("lean").metadata.version, "1.0.0"
    )
    assert library.get(T, "lean", "1").order == ("filter/high",)
    assert library.pin(T, "lean", "1") == "1"
    release = later.get("lean").metadata.version
    assert library.get(T, "lean", release) == later.get("lean")
    assert library.get("somebody-else", "lean") == later.get("lean")
    with pytest.raises(InvalidInput, match="is a pipeline of the catalog"):
        own.create("somebody-else", "lean", Draft(document(None)), "someone")
    own.delete(T, "lean", "someone")
    assert library.get(T, "lean") == later.get("lean")
    assert library.get(T, "lean", "1").order == ("filter/high",)


def test_a_list_says_which_names_the_catalog_has_as_well(later: FileCatalog, tmp_path: Path) -> None:
    shop = Shop()
    shop.create("lean")
    shop.create("mine")
    outside = Outside(shop.clock, CountedEntropy(), shop.store, later, shop.validator)
    plane = build(Settings(data_dir=tmp_path), outside)
    (listing,) = (one for one in plane.routes if (one.method, one.path) == ("GET", "/api/v1/pipelines"))
    viewer = Principal(T, Role.VIEWER, "viewer", "t")
    page = listing.handler(Request(principal=viewer, params={}, query=PageQuery(), body=None, headers={}))
    found = {(one.source, one.name): one.ambiguous for one in page.items}
    assert (found["own", "lean"], found["own", "mine"], found["catalog", "lean"]) == (True, False, False)
