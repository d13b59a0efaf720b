"""The law's figures are data, and wrong ones are refused by their name."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import pytest
import yaml

from detectors.packs.law import ForbiddenHours, Hours, load_law_figures
from detectors.packs.source import pack_version
from detectors.packs.taxonomy import PACKS, PackError, load_taxonomy

SHIPPED = yaml.safe_load((PACKS / "law.yaml").read_text("utf-8"))


def written(folder: Path, changed: object) -> Path:
    path = folder / "law.yaml"
    path.write_text(yaml.safe_dump(changed), "utf-8")
    return path


def test_the_pack_that_ships_has_the_hours_of_both_laws() -> None:
    figures = load_law_figures(load_taxonomy())
    assert figures.night["CN"] == ForbiddenHours(night=Hours(begins=time(22), ends=time(8)))
    assert figures.night["US"] == ForbiddenHours(night=Hours(begins=time(21), ends=time(8)))
    assert figures.sequence["sequence.stop_ignored"].turns == 2


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("night", "CN"), None),
        (("night", "CN", "begins"), "25:00"),
        (("night", "US", "ends"), "23:00"),
        (("night", "CN", "holidays"), {"calendar": "XX", "begins": "20:00", "ends": "10:00"}),
        (("night", "CN", "holidays"), {"calendar": "CN", "begins": "08:00", "ends": "10:00"}),
        (("night", "CN", "holidays"), {"calendar": "CN", "begins": "20:00"}),
        (("frequency", "CN", "contacts.unanswered_a_day", "counts"), "rings"),
        (("frequency", "CN", "contacts.unanswered_a_day", "days"), 31),
        (("no_contact", "contacts.after_stop", "said"), [["shouting"]]),
        (("no_contact", "contacts.after_stop", "category"), "no_such_category"),
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


def test_a_pack_may_have_other_hours_on_holidays(tmp_path: Path) -> None:
    changed = yaml.safe_load(yaml.safe_dump(SHIPPED))
    changed["night"]["CN"]["holidays"] = {"calendar": "CN", "begins": "20:00", "ends": "10:00"}
    changed["night"]["US"]["holidays"] = {"calendar": "US", "begins": "00:00", "ends": "00:00"}
    night = load_law_figures(load_taxonomy(), written(tmp_path, changed)).night
    spring_festival, ordinary = datetime(2026, 2, 17), datetime(2026, 3, 17)  # noqa: DTZ001 (a clock on the wall)
    assert [night["CN"].hold(day.replace(hour=9)) for day in (spring_festival, ordinary)] == [True, False]
    assert [night["CN"].hold(day.replace(hour=21)) for day in (spring_festival, ordinary)] == [True, False]
    assert [night["CN"].hold(day.replace(hour=12)) for day in (spring_festival, ordinary)] == [False, False]
    thanksgiving = datetime(2026, 11, 26, 12, 0)  # noqa: DTZ001
    assert (night["US"].hold(thanksgiving), night["US"].hold(ordinary.replace(hour=12))) == (True, False)


def test_a_pack_is_told_by_its_contents(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1", "utf-8")
    before = pack_version(tmp_path).sha256
    (tmp_path / "a.yaml").write_text("x: 2", "utf-8")
    pack_version.cache_clear()
    after = pack_version(tmp_path)
    assert (len(before), before != after.sha256, after.name) == (64, True, tmp_path.name)
