"""What every text encoder promises."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.contract import TextEncoder
from detectors.semantic.encoder import OnnxTextEncoder
from tests.fakes.text_encoder import FakeTextEncoder

TEXTS = ["您好，请问方便吗", "We will wait for your call.", "", "😀", "好" * 500]


@pytest.fixture(scope="module", params=["fake", "real"])
def encoder(request: pytest.FixtureRequest) -> TextEncoder:
    return OnnxTextEncoder() if request.param == "real" else FakeTextEncoder({TEXTS[0]: 0, TEXTS[1]: 1})


def test_each_text_has_a_vector_of_length_1(encoder: TextEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.ndim == 2
    assert len(vectors) == len(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: TextEncoder) -> None:
    together = encoder.encode(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.array_equal(encoder.encode([text])[0], vector)


def test_texts_that_mean_different_things_have_different_vectors(encoder: TextEncoder) -> None:
    one, other = encoder.encode(TEXTS[:2])
    assert not np.allclose(one, other, atol=0.01)
