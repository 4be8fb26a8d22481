"""Pages that repeat what code says are generated and fresh; pages for people cover every error that can meet them."""

from __future__ import annotations

import re

import pytest

from chalicelib.settings import ROOT
from docs.generate import error_tree, pages

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_generated_page_is_fresh(path) -> None:  # type: ignore[no-untyped-def]
    assert path.exists(), f"run: python -m docs.generate ({path.name} is missing)"
    assert path.read_text("utf-8") == PAGES[path], f"run: python -m docs.generate ({path.name} is stale)"


def sections() -> dict[str, str]:
    """Code to the text of its section."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    parts = re.split(r"^## (PHX-[A-Z-]+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_error_code_has_its_section_with_a_remedy_and_no_section_is_left_over() -> None:
    found = sections()
    assert found.keys() == {kind.code for kind in error_tree()}
    for code, text in found.items():
        remedy = text.partition("**Remedy.**")[2].strip()
        assert len(remedy) > 5, f"{code} has no remedy"


def test_no_two_errors_share_a_code_by_accident() -> None:
    kinds = {kind.code: kind for kind in error_tree()}
    for kind in kinds.values():
        inherited = [other for other in kinds.values() if other is not kind and issubclass(kind, other)]
        assert all(other.code != kind.code for other in inherited)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page) -> None:  # type: ignore[no-untyped-def]
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor and linked.suffix == ".md":
            assert anchor in _anchors(linked.read_text("utf-8")), target


def _anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}
