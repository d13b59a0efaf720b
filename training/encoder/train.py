"""Trains the encoder and its heads: python -m training.encoder.train --texts FOLDER --run FOLDER

Begins with `distilled.pt` and `tokenizer.json` of the run's folder and leaves `trained.pt`. Each pass draws anew which
lines lose their punctuation, are misheard, or stand without what came before. A run that was cut off goes on where it
last wrote; `dev.jsonl` gets the development split's figures after every pass.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from training.corpus.check import SAYS
from training.encoder.batches import LONGEST, by_length, padded
from training.encoder.distil import LAYERS
from training.encoder.measure import figures
from training.encoder.network import Encoder, Heads
from training.encoder.noise import Noise
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
)

GROUPS = {
    "categories": len(CATEGORIES),
    "any": 1,
    "stance": len(STANCE_NAMES),
    "sentiment": len(SENTIMENT_NAMES),
    "emotion": len(EMOTION_NAMES),
    "says": len(SAYS_NAMES),
}
"""The outputs' groups in their order, with their widths."""
TOKENS_A_STEP = 1536
ENCODER_RATE, HEADS_RATE = 1.5e-4, 1e-3
PUBLIC_LINES_A_SET = 200
CUSTOMERS_SHOWN = 0.35
"""Of customers' lines, in each pass, that teach only feelings."""
SAYS_WEIGHT = 1.5
WRITE_EVERY_S = 180.0
UNKNOWN = -100
"""What cross_entropy leaves out."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """An example as this pass shows it: token ids of the line; who spoke before and what, the latest first."""

    example: Example
    ids: list[int]
    before: tuple[tuple[str, str], ...]


Vectors = Mapping[str, Tensor]
"""What was said before, by its text."""


class Drawer:
    """Shows each example a little differently in each pass."""

    def __init__(self, tokenizer: Tokenizer, examples: Sequence[Example], dice: random.Random) -> None:
        self._tokenizer, self._dice = tokenizer, dice
        self._noise = Noise((example.text for example in examples), dice)
        self._ordinary = {
            lang: [each for each in examples if each.lang == lang and each.kind in ("work", "customer")]
            for lang in ("zh", "en")
        }

    def draw(self, examples: Sequence[Example]) -> list[Drawn]:
        """One pass over them."""
        return [Drawn(each, self._ids(self._shown(each.text)), self._before(each)) for each in examples]

    def _shown(self, text: str) -> str:
        if self._dice.random() < 0.5:
            text = self._noise.plain(text)
        if self._dice.random() < 0.3:
            text = self._noise.heard(text, self._dice.uniform(0.05, 0.3))
        return text

    def _before(self, example: Example) -> tuple[tuple[str, str], ...]:
        if self._dice.random() < 0.3:
            return ()
        turns = tuple(reversed(example.before))
        if not turns and self._ordinary[example.lang] and self._dice.random() < 0.4:
            other = self._dice.choice(self._ordinary[example.lang])
            turns = ((other.speaker, other.text), *reversed(other.before))[:2]
        return turns

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text).ids[:LONGEST]


def as_written(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[Drawn]:
    """Examples without any change, to measure with."""
    return [Drawn(each, tokenizer.encode(each.text).ids[:LONGEST], tuple(reversed(each.before))) for each in examples]


@torch.no_grad()
def vectors_before(encoder: Encoder, tokenizer: Tokenizer, drawn: Sequence[Drawn]) -> Vectors:
    """Of all that was said before any of them, as the encoder sees it now."""
    texts = sorted({text for each in drawn for _, text in each.before})
    ids = [encoding.ids[:LONGEST] for encoding in tokenizer.encode_batch(texts)]
    encoder.eval()
    vectors: dict[str, Tensor] = {}
    for places in by_length([len(each) for each in ids], tokens=4096, dice=random.Random(0)):
        rows = encoder(*padded([ids[place] for place in places]))
        vectors.update(zip([texts[place] for place in places], rows, strict=True))
    return vectors


def logits_of(encoder: Encoder, heads: Heads, batch: Sequence[Drawn], before: Vectors) -> Tensor:
    """One row a line. What came before is taken as it was when the pass began: only the lines teach the encoder."""
    places = torch.zeros(len(batch), 3, encoder.words.embedding_dim)
    flags = torch.zeros(len(batch), 5)
    for row, each in enumerate(batch):
        flags[row, 0] = each.example.speaker == "agent"
        for place, (speaker, text) in enumerate(each.before):
            places[row, 1 + place] = before[text]
            flags[row, 1 + 2 * place], flags[row, 2 + 2 * place] = 1.0, float(speaker == "agent")
    own = encoder(*padded([each.ids for each in batch]))
    return heads(torch.cat([own[:, None], places[:, 1:]], dim=1), flags)


def loss_of(logits: Tensor, batch: Sequence[Drawn]) -> Tensor:
    """Over what is known of each line."""
    examples = [each.example for each in batch]
    categories, any_, stance, sentiment, emotion, says = logits.split(list(GROUPS.values()), dim=1)
    judged = [row for row, each in enumerate(examples) if each.labels is not None]
    total = logits.sum() * 0.0
    if judged:
        held = torch.tensor([[float(name in (examples[row].labels or ())) for name in CATEGORIES] for row in judged])
        binary = functional.binary_cross_entropy_with_logits
        total = total + binary(categories[judged], held * 0.98 + 0.001, reduction="none").sum(1).mean()
        total = total + binary(any_[judged, 0], held.amax(1) * 0.98 + 0.01)
    total = total + SAYS_WEIGHT * _loss_of_statements(says, examples)
    for group, names, field, weight in (
        (stance, STANCE_NAMES, "stance", 0.4),
        (sentiment, SENTIMENT_NAMES, "sentiment", 0.5),
        (emotion, EMOTION_NAMES, "emotion", 0.2),
    ):
        values = [getattr(each, field) for each in examples]
        known = torch.tensor([UNKNOWN if value is None else names.index(value) for value in values])
        if (known != UNKNOWN).any():
            total = total + weight * functional.cross_entropy(group, known, ignore_index=UNKNOWN)
    return total


def _loss_of_statements(logits: Tensor, examples: Sequence[Example]) -> Tensor:
    """Of the lines that were looked through for them, and of what their speakers may say."""
    rows = [row for row, each in enumerate(examples) if each.says is not None]
    if not rows:
        return logits.sum() * 0.0
    held = torch.tensor([[float(name in (examples[row].says or ())) for name in SAYS_NAMES] for row in rows])
    may = torch.tensor([[float(name in SAYS[examples[row].speaker]) for name in SAYS_NAMES] for row in rows])
    losses = functional.binary_cross_entropy_with_logits(logits[rows], held, reduction="none")
    return (losses * may).sum() / len(examples)


@torch.no_grad()
def judged(encoder: Encoder, heads: Heads, drawn: Sequence[Drawn], before: Vectors) -> np.ndarray:
    """The logits of many lines, in their order."""
    rows = np.zeros((len(drawn), sum(GROUPS.values())), np.float32)
    encoder.eval()
    heads.eval()
    for places in by_length([len(each.ids) for each in drawn], tokens=4096, dice=random.Random(0)):
        rows[places] = logits_of(encoder, heads, [drawn[place] for place in places], before).numpy()
    return rows


class Training:
    """The state that a run takes up again."""

    def __init__(self, folder: Path, passes: int) -> None:
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.encoder = Encoder(self.tokenizer.get_vocab_size(), layers=LAYERS)
        self.heads = Heads(sum(GROUPS.values()))
        decayed = {"params": self.encoder.parameters(), "lr": ENCODER_RATE}
        self.optimizer = torch.optim.AdamW([decayed, {"params": self.heads.parameters(), "lr": HEADS_RATE}], fused=True)
        self.passes = passes
        self.at_pass, self.at_batch = 0, 0
        self._file = folder / "trained.pt"
        if self._file.exists():
            state = torch.load(self._file)
            self.encoder.load_state_dict(state["encoder"])
            self.heads.load_state_dict(state["heads"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.at_pass, self.at_batch = state["pass"], state["batch"]
        else:
            self.encoder.load_state_dict(torch.load(folder / "distilled.pt")["encoder"])

    def set_rates(self, part_of_pass: float) -> None:
        """Up within a twentieth of all, then down to nothing."""
        done = (self.at_pass + part_of_pass) / self.passes
        factor = min(done / 0.05, (1 - done) / 0.95)
        for group, rate in zip(self.optimizer.param_groups, (ENCODER_RATE, HEADS_RATE), strict=True):
            group["lr"] = rate * max(factor, 0.01)

    def step(self, batch: Sequence[Drawn], before: Vectors) -> float:
        """Learn from a batch."""
        self.encoder.train()
        self.heads.train()
        loss = loss_of(logits_of(self.encoder, self.heads, batch, before), batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*self.encoder.parameters(), *self.heads.parameters()], 1.0)
        self.optimizer.step()
        return loss.item()

    def write(self) -> None:
        """So that a run cut off goes on here."""
        state = {"encoder": self.encoder.state_dict(), "heads": self.heads.state_dict()}
        state |= {"optimizer": self.optimizer.state_dict(), "pass": self.at_pass, "batch": self.at_batch}
        torch.save(state, self._file.with_suffix(".part"))
        self._file.with_suffix(".part").replace(self._file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train to the end of `--passes`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--run", type=Path, required=True, help="folder of distilled.pt; trained.pt goes there")
    parser.add_argument("--passes", type=int, default=8)
    options = parser.parse_args(arguments)
    torch.manual_seed(1)
    own = corpus("train")
    public = [*harmless(options.texts, PUBLIC_LINES_A_SET), *feelings(options.texts, 4 * PUBLIC_LINES_A_SET)]
    training = Training(options.run, options.passes)
    dev = corpus("dev")
    shown = as_written(training.tokenizer, dev)
    while training.at_pass < options.passes:
        _one_pass(training, own, public)
        before = vectors_before(training.encoder, training.tokenizer, shown)
        measured = figures(dev, judged(training.encoder, training.heads, shown, before))
        line = json.dumps({"pass": training.at_pass, **measured}, ensure_ascii=False)
        with (options.run / "dev.jsonl").open("a", encoding="utf-8") as report:
            report.write(line + "\n")
        print(line, flush=True)
    return 0


def _one_pass(training: Training, own: list[Example], public: list[Example]) -> None:
    dice = random.Random(training.at_pass)
    chosen = [
        each for each in own if each.speaker == "agent" or each.says is not None or dice.random() < CUSTOMERS_SHOWN
    ]
    drawn = Drawer(training.tokenizer, own, dice).draw([*chosen, *public])
    before = vectors_before(training.encoder, training.tokenizer, drawn)
    batches = list(by_length([len(each.ids) for each in drawn], tokens=TOKENS_A_STEP, dice=dice))
    written, average = time.monotonic(), 0.0
    while training.at_batch < len(batches):
        training.set_rates(training.at_batch / len(batches))
        loss = training.step([drawn[place] for place in batches[training.at_batch]], before)
        average = 0.97 * average + 0.03 * loss if average else loss
        training.at_batch += 1
        if training.at_batch % 25 == 0:
            print(f"pass {training.at_pass}, {training.at_batch} of {len(batches)}, loss {average:.3f}", flush=True)
        if time.monotonic() - written > WRITE_EVERY_S:
            training.write()
            written = time.monotonic()
    training.at_pass, training.at_batch = training.at_pass + 1, 0
    training.write()


if __name__ == "__main__":
    sys.exit(main())
