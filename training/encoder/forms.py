"""Writes all that training reads: python -m training.encoder.forms --texts FOLDER --original FILE --run FOLDER

Leaves `tokenizer.json`; `original.pt`, the original's weights with the vocabulary cut; and `forms.npz`: every text's
tokens, once as written and several times as a recogniser might write it, and what is known of each line. The steps
after this one need these files, torch and numpy alone, so that they can run where there is an accelerator. No line of
the test split is in them.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.corpus.check import SAYS
from training.encoder.batches import FOLDS
from training.encoder.network import from_packed
from training.encoder.noise import Noise
from training.encoder.packed import read_packed
from training.encoder.texts import (
    CATEGORIES,
    EMOTION_NAMES,
    SAYS_NAMES,
    SENTIMENT_NAMES,
    STANCE_NAMES,
    Example,
    corpus,
    feelings,
    harmless,
    public_texts,
)
from training.encoder.vocabulary import cut, tokenizer_of

FORMS = 6
"""The forms of each text; the first is as it is written."""
LONGEST = 96
PUBLIC_LINES_A_SET = 200
UNKNOWN = -100
"""What cross_entropy leaves out."""
SPLITS = ("train", "dev", "public")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--original", type=Path, required=True, help="the packed multilingual-e5-small")
    parser.add_argument("--run", type=Path, required=True, help="folder that the files go to")
    options = parser.parse_args(arguments)
    options.run.mkdir(parents=True, exist_ok=True)
    public = [*dict.fromkeys(public_texts(options.texts))]
    examples = {split: corpus(split) for split in ("train", "dev")}
    feeling = feelings(options.texts, 4 * PUBLIC_LINES_A_SET)
    examples["public"] = [*harmless(options.texts, PUBLIC_LINES_A_SET), *feeling]
    tokenizer = _cut(options.original, [*public, *(each.text for each in examples["train"])], options.run)
    arrays = _columns(examples)
    texts = arrays.pop("texts").tolist()
    arrays["tokens"], arrays["lengths"] = _forms(tokenizer, texts, [each.text for each in examples["train"]])
    arrays["public_tokens"], arrays["public_lengths"] = _tokens(tokenizer, public)
    np.savez_compressed(options.run / "forms.npz", allow_pickle=False, **arrays)
    print(f"{len(texts)} texts of {len(arrays['text'])} lines in {FORMS} forms, {len(public)} public texts")
    return 0


def _cut(original: Path, texts: Sequence[str], run: Path) -> Tokenizer:
    """The vocabulary of a run is cut once, so that its weights can go on learning when lines are added."""
    packed = read_packed(original)
    path = run / "tokenizer.json"
    if path.exists():
        tokenizer = Tokenizer.from_file(str(path))
        places = {piece: number for number, (piece, _) in enumerate(packed.pieces)}
        kept = [places[piece] for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda each: each[1])]
    else:
        kept = cut(packed.pieces, texts, at_least=3)
        tokenizer = tokenizer_of([packed.pieces[number] for number in kept])
        tokenizer.save(str(path))
    torch.save(from_packed(packed, kept).state_dict(), run / "original.pt")
    return tokenizer


def _columns(examples: dict[str, list[Example]]) -> dict[str, NDArray[Any]]:
    """What is known of each line, an array a field; `texts`: all that they or the turns before them say."""
    lines = [each for split in SPLITS for each in examples[split]]
    places: dict[str, int] = {}
    before = np.full((len(lines), 2), -1, np.int32)
    before_agent = np.zeros((len(lines), 2), np.bool_)
    text = np.array([places.setdefault(each.text, len(places)) for each in lines], np.int32)
    for row, each in enumerate(lines):
        for turn, (speaker, said) in enumerate(reversed(each.before)):
            before[row, turn] = places.setdefault(said, len(places))
            before_agent[row, turn] = speaker == "agent"
    return {
        "texts": np.array([*places]),
        "text": text,
        "before": before,
        "before_agent": before_agent,
        "split": np.repeat(np.arange(len(SPLITS), dtype=np.int8), [len(examples[split]) for split in SPLITS]),
        "fold": np.array([_fold(each.scenario) for each in lines], np.int8),
        "agent": np.array([each.speaker == "agent" for each in lines]),
        "english": np.array([each.lang == "en" for each in lines]),
        "ordinary": np.array([each.kind in ("work", "customer") for each in lines]),
        "judged": np.array([each.labels is not None for each in lines]),
        "categories": np.array([[name in (each.labels or ()) for name in CATEGORIES] for each in lines]),
        "says": np.array([[name in (each.says or ()) for name in SAYS_NAMES] for each in lines]),
        "may_say": np.array(
            [[each.says is not None and name in SAYS[each.speaker] for name in SAYS_NAMES] for each in lines]
        ),
        "stance": _numbers([each.stance for each in lines], STANCE_NAMES),
        "sentiment": _numbers([each.sentiment for each in lines], SENTIMENT_NAMES),
        "emotion": _numbers([each.emotion for each in lines], EMOTION_NAMES),
    }


def _fold(scenario: str) -> int:
    """All lines of a scenario are in one; those of no scenario in none."""
    return int(hashlib.sha256(f"fold {scenario}".encode()).hexdigest(), 16) % FOLDS if scenario else -1


def _numbers(values: Sequence[str | None], names: Sequence[str]) -> NDArray[np.int64]:
    return np.array([UNKNOWN if value is None else names.index(value) for value in values])


def _forms(
    tokenizer: Tokenizer, texts: Sequence[str], known: Sequence[str]
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Half of the later forms lose their punctuation, a third have words replaced by others that sound alike."""
    dice = random.Random(1)
    noise = Noise(known, dice)
    drawn = [_tokens(tokenizer, texts)]
    for _ in range(1, FORMS):
        plain = [noise.plain(text) if dice.random() < 0.5 else text for text in texts]
        misrecognised = [
            noise.misrecognised(text, dice.uniform(0.05, 0.3)) if dice.random() < 0.33 else text for text in plain
        ]
        drawn.append(_tokens(tokenizer, misrecognised))
    return np.concatenate([tokens for tokens, _ in drawn]), np.stack([lengths for _, lengths in drawn])


def _tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """All tokens one text after another, and how many each has."""
    ids = [np.array(encoding.ids[:LONGEST], np.uint16) for encoding in tokenizer.encode_batch_fast([*texts])]
    return np.concatenate(ids), np.array([len(each) for each in ids], np.uint8)


if __name__ == "__main__":
    sys.exit(main())
