from __future__ import annotations

import pytest

from service.bench.terms import score_terms


def test_a_term_heard_where_it_was_said_is_recalled_and_one_that_was_not_is_named():
    score = score_terms([("您的欠款逾期了", "您的欠款预期了"), ("工号三零二七", "公号3027")], ["欠款", "逾期", "工号"])
    assert (score.said, score.recognised, score.inserted) == (3, 1, 0)
    assert score.recall == pytest.approx(1 / 3)
    assert score.missed == (("逾期", 1), ("工号", 1))


def test_a_term_that_nobody_said_is_an_insertion_however_often_it_was_said_elsewhere():
    score = score_terms([("千万别说", "欠款别说"), ("欠款", "欠款")], ["欠款"])
    assert (score.said, score.recognised, score.inserted) == (1, 1, 1)


def test_without_a_term_said_there_is_no_recall():
    assert score_terms([("你好", "你好")], ["欠款"]).recall is None
