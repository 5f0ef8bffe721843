"""The page of the binary records says what the code does."""

from pathlib import Path

from tests.core.wire_page import page

PAGE = Path(__file__).parents[2] / "docs" / "engine" / "wire.md"


def test_page_is_made_from_the_code() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.core.wire_page > docs/engine/wire.md"
