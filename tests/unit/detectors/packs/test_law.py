"""The law's figures are data, and wrong ones are refused by their name."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest
import yaml

from detectors.packs.law import load_law_figures
from detectors.packs.source import pack_version
from detectors.packs.taxonomy import PACKS, PackError, load_taxonomy

SHIPPED = yaml.safe_load((PACKS / "law.yaml").read_text("utf-8"))


def written(folder: Path, changed: object) -> Path:
    path = folder / "law.yaml"
    path.write_text(yaml.safe_dump(changed), "utf-8")
    return path


def test_the_pack_that_ships_has_the_hours_of_both_laws() -> None:
    figures = load_law_figures(load_taxonomy())
    assert (figures.night["CN"].begins, figures.night["CN"].ends) == (time(22), time(8))
    assert (figures.night["US"].begins, figures.night["US"].ends) == (time(21), time(8))
    assert figures.sequence["sequence.stop_ignored"].turns == 2


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("night", "CN"), None),
        (("night", "CN", "begins"), "25:00"),
        (("night", "US", "ends"), "23:00"),
        (("sequence", "sequence.stop_ignored", "score"), 1.5),
        (("sequence", "sequence.stop_ignored", "category"), "no_such_category"),
    ],
)
def test_wrong_figures_are_refused(tmp_path: Path, place: tuple[str, ...], value: object) -> None:
    changed = yaml.safe_load(yaml.safe_dump(SHIPPED))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(PackError, match=r"law\.yaml"):
        load_law_figures(load_taxonomy(), written(tmp_path, changed))


def test_a_pack_is_told_by_its_contents(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1", "utf-8")
    before = pack_version(tmp_path).sha256
    (tmp_path / "a.yaml").write_text("x: 2", "utf-8")
    pack_version.cache_clear()
    after = pack_version(tmp_path)
    assert (len(before), before != after.sha256, after.name) == (64, True, tmp_path.name)
