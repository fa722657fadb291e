"""Every sabotage can still be tried: what it changes stands there, and so do its tests."""

from pathlib import Path

import pytest

from tests.sabotage.patches import PATCHES, Patch

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_sabotage_changes_one_place_and_names_tests_that_are_there(patch: Patch) -> None:
    assert (ROOT / patch.file).read_text("utf-8").count(patch.old) == 1
    assert patch.new != patch.old
    for test in patch.tests:
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text("utf-8")
        assert not name or f"def {name.partition('[')[0]}(" in source
