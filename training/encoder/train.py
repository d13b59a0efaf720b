"""Trains the encoder and its heads: python -m training.encoder.train --run FOLDER [--minutes M]

Begins with `original.pt`, `distilled.pt` and `forms.npz` of the run's folder and leaves `trained.pt`. First six readers
of the original's twelve layers, two a third of the scenarios, each learn from the other two thirds, and say what they
make of their own: `teacher-0-0.npz` … Then the six layers learn from the labels and from what those readers, who had
not seen them, made of the same lines. `--after` goes on from another run instead, which takes an hour without an
accelerator. `--only` runs one part alone, so that several can run side by side. Each pass
ends with the development split's figures in `dev.jsonl`; a run that was cut off goes on with the pass it was in.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.encoder.batches import DEV, FOLDS, PUBLIC, TRAIN, Lines, Rows, ShownLines
from training.encoder.distil import LAYERS
from training.encoder.measure import figures
from training.encoder.network import EncoderNetwork, Reader

GROUPS = {"categories": 29, "any": 1, "stance": 7, "sentiment": 3, "emotion": 7, "says": 26}
"""The outputs' groups in their order, with their widths."""
LINES_A_STEP = 256
SAYS_WEIGHT = 1.5
TAUGHT = 0.6
"""How much the teachers' word counts beside a label."""
TEACHERS_A_FOLD = 2
STUDENT = "trained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One reader's training. `rate` and `heads_rate`: the highest of the encoder and of the heads; `fold`: the third of
    the scenarios that it does not learn from."""

    name: str
    passes: int
    rate: float
    seed: int
    fold: int = -1
    heads_rate: float = 1e-3


TEACHERS = [
    Part(name=f"teacher-{fold}-{number}", passes=9, rate=1.5e-4, seed=10 * fold + number, fold=fold)
    for fold in range(FOLDS)
    for number in range(TEACHERS_A_FOLD)
]
LEARNER = Part(name=STUDENT, passes=14, rate=2e-4, seed=1)
CONTINUED = Part(name=STUDENT, passes=4, rate=6e-5, heads_rate=3e-4, seed=2)
"""The training for lines that were written since a run ended."""
REPEATED = 0.4
"""The share of the earlier run's lines that is shown in each of those passes."""


class Trainer:
    """Teaches a reader on one device, until its passes are over or `seconds` have passed."""

    def __init__(self, lines: Lines, folder: Path, device: torch.device, seconds: float = float("inf")) -> None:
        self._lines, self._folder, self._device = lines, folder, device
        self._seconds = seconds
        column = lines.column
        self._labels = {
            name: torch.tensor(column[name], device=device)
            for name in ("judged", "categories", "says", "may_say", "stance", "sentiment", "emotion")
        }

    def teach(
        self, reader: Reader, part: Part, rows: Rows, taught: Tensor | None = None, repeated: Rows | None = None
    ) -> None:
        """Let it learn from `rows`, and in each pass from other REPEATED of `repeated`. `taught`: logits for all lines,
        no number where there are none."""
        torch.manual_seed(part.seed)
        groups = [{"params": reader.encoder.parameters()}, {"params": reader.heads.parameters()}]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=self._device.type == "cuda")
        state = self._folder / f"{part.name}.state.pt"
        began, first = time.monotonic(), self._taken_up(state, reader, optimizer)
        for number in range(first, part.passes):
            dice = np.random.default_rng((part.seed, number))
            shown_again = [] if repeated is None else [repeated[dice.random(len(repeated)) < REPEATED]]
            batches = [*self._lines.one_pass(np.concatenate([rows, *shown_again]), LINES_A_STEP, dice)]
            for place, shown in enumerate(batches):
                done = max((number + place / len(batches)) / part.passes, (time.monotonic() - began) / self._seconds)
                if done >= 1:
                    break
                self._step(reader, optimizer, shown, taught, _rates(part, done))
            self._report(reader, part, number + 1)
            if time.monotonic() - began >= self._seconds:
                break
            torch.save({"reader": reader.state_dict(), "optimizer": optimizer.state_dict(), "pass": number + 1}, state)
        torch.save(reader.state_dict(), self._folder / f"{part.name}.pt")

    def _taken_up(self, path: Path, reader: Reader, optimizer: torch.optim.Optimizer) -> int:
        """The pass to begin with."""
        if not path.exists():
            return 0
        state = torch.load(path, map_location=self._device)
        reader.load_state_dict(state["reader"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["pass"])

    def _step(
        self,
        reader: Reader,
        optimizer: torch.optim.Optimizer,
        shown: ShownLines,
        taught: Tensor | None,
        rates: tuple[float, float],
    ) -> None:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        reader.train()
        loss = self._loss(self._logits(reader, shown), shown.rows, taught)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()

    def _logits(self, reader: Reader, shown: ShownLines) -> Tensor:
        """Only a line itself teaches the encoder."""
        with torch.no_grad():
            before = self._vectors(reader.encoder, shown.before)
        with self._half():
            return reader(self._lines.tokens.padded(shown.texts), before, self._flags(shown)).float()

    def _vectors(self, encoder: EncoderNetwork, places: Rows) -> Tensor:
        """The vectors of texts, by their places, (..., hidden); zeros for a place of -1. Each text is encoded once,
        among others of its length."""
        unique, each = np.unique(places, return_inverse=True)
        lengths = np.where(unique >= 0, self._lines.tokens.lengths[unique], 0)
        order = np.argsort(lengths)
        vectors = torch.zeros((len(unique), encoder.words.embedding_dim), device=self._device)
        for begin in range(0, len(order), LINES_A_STEP):
            chunk = order[begin : begin + LINES_A_STEP]
            with self._half():
                vectors[torch.tensor(chunk)] = encoder(*self._lines.tokens.padded(unique[chunk])).float()
        return vectors[torch.tensor(each.reshape(places.shape), device=self._device)]

    def _half(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda")

    def _flags(self, shown: ShownLines) -> Tensor:
        return torch.tensor(shown.flags, device=self._device)

    @torch.no_grad()
    def judged(self, reader: Reader, rows: Rows) -> NDArray[np.float32]:
        """The logits of many lines, in their order."""
        reader.eval()
        shown = self._lines.as_written(rows)
        place = self._vectors(reader.encoder, np.concatenate([shown.texts[:, None], shown.before], axis=1))
        flags = self._flags(shown)
        parts = [
            reader.heads(place[begin : begin + 4096], flags[begin : begin + 4096])
            for begin in range(0, len(rows), 4096)
        ]
        return torch.cat(parts).float().cpu().numpy()

    def _loss(self, logits: Tensor, rows: Rows, taught: Tensor | None) -> Tensor:
        """Over what is known of each line."""
        at = torch.tensor(rows, device=self._device)
        known = {name: values[at] for name, values in self._labels.items()}
        held = known["categories"].float()
        wanted = [held * 0.98 + 0.001, held.amax(1, keepdim=True) * 0.98 + 0.01, known["says"].float()]
        if taught is not None:
            wanted = _mixed(wanted, taught[at])
        categories, any_, stance, sentiment, emotion, says = logits.split([*GROUPS.values()], dim=1)
        binary = functional.binary_cross_entropy_with_logits
        judged = known["judged"].float()
        of_each = [
            binary(seen, want, reduction="none") for seen, want in zip((categories, any_, says), wanted, strict=True)
        ]
        total = ((of_each[0].sum(1) + of_each[1][:, 0]) * judged).sum() / judged.sum().clamp(min=1)
        total = total + SAYS_WEIGHT * (of_each[2] * known["may_say"]).sum() / len(rows)
        for seen, name, weight in ((stance, "stance", 0.4), (sentiment, "sentiment", 0.5), (emotion, "emotion", 0.2)):
            count = (known[name] >= 0).sum().clamp(min=1)
            total = total + weight * functional.cross_entropy(seen, known[name], reduction="sum") / count
        return total

    def _report(self, reader: Reader, part: Part, number: int) -> None:
        rows = self._lines.of(DEV)
        measured = figures(self._lines.column, rows, self.judged(reader, rows))
        line = json.dumps({"part": part.name, "pass": number, **measured})
        with (self._folder / "dev.jsonl").open("a", encoding="utf-8") as report:
            report.write(line + "\n")
        print(line, flush=True)


def _mixed(labels: Sequence[Tensor], taught: Tensor) -> list[Tensor]:
    """Labels of categories, of any, and of statements, with what the teachers made of the lines that they judged."""
    share = TAUGHT * ~taught.isnan().any(1, keepdim=True)
    categories, any_, *_, says = taught.nan_to_num().sigmoid().split([*GROUPS.values()], dim=1)
    return [(1 - share) * label + share * word for label, word in zip(labels, (categories, any_, says), strict=True)]


def _rates(part: Part, done: float) -> tuple[float, float]:
    """The rates of the encoder and of the heads: they rise within a sixteenth of all steps, then fall to nothing."""
    factor = max(min(done / 0.06, (1 - done) / 0.94), 0.01)
    return part.rate * factor, part.heads_rate * factor


def reader_of(weights: Path, layers: int, device: torch.device) -> Reader:
    """A reader that begins with an encoder's weights."""
    state = torch.load(weights, map_location="cpu")
    encoder = EncoderNetwork(state["words.weight"].shape[0], layers=layers)
    encoder.load_state_dict(state)
    return Reader(encoder, sum(GROUPS.values())).to(device)


def trained_reader(folder: Path) -> Reader:
    """What a run made."""
    state = torch.load(folder / f"{STUDENT}.pt", map_location="cpu")
    reader = Reader(EncoderNetwork(state["encoder.words.weight"].shape[0], layers=LAYERS), sum(GROUPS.values()))
    reader.load_state_dict(state)
    return reader


def teacher(trainer: Trainer, lines: Lines, part: Part, folder: Path, device: torch.device) -> None:
    """Learns from two thirds of the scenarios and judges the last."""
    train, fold = lines.of(TRAIN), lines.column["fold"]
    others = train[fold[train] == part.fold]
    reader = reader_of(folder / "original.pt", 12, device)
    trainer.teach(reader, part, np.concatenate([train[fold[train] != part.fold], lines.of(PUBLIC)]))
    np.savez(folder / f"{part.name}.npz", rows=others, logits=trainer.judged(reader, others).astype(np.float16))


def student(trainer: Trainer, lines: Lines, folder: Path, device: torch.device) -> None:
    """Six layers, from the labels and from what the teachers said."""
    said = np.zeros((len(lines.column["text"]), sum(GROUPS.values())), np.float32)
    times = np.zeros((len(said), 1), np.float32)
    for part in TEACHERS:
        with np.load(folder / f"{part.name}.npz") as judged:
            said[judged["rows"]] += judged["logits"]
            times[judged["rows"]] += 1
    taught = torch.tensor(np.where(times > 0, said / np.maximum(times, 1), np.nan), device=device)
    trainer.teach(reader_of(folder / "distilled.pt", LAYERS, device), LEARNER, lines.of(TRAIN, PUBLIC), taught)


def goes_on(trainer: Trainer, lines: Lines, folder: Path, before: Path, device: torch.device) -> None:
    """Six layers go on from another run: they learn the lines that it had not, and go over the others, of which it says
    once more what it makes of them."""
    reader = trained_reader(before).to(device)
    rows = lines.of(TRAIN, PUBLIC)
    had = lines.shared_with(Lines(before, device), rows)
    taught = np.full((len(lines.column["text"]), sum(GROUPS.values())), np.nan, np.float32)
    taught[rows[had]] = trainer.judged(reader, rows[had])
    print(f"{int((~had).sum())} lines are new, {int(had.sum())} are not", flush=True)
    trainer.teach(reader, CONTINUED, rows[~had], torch.tensor(taught, device=device), rows[had])


def main(arguments: Sequence[str] | None = None) -> int:
    """Train all parts, or one."""
    names = [*(part.name for part in TEACHERS), STUDENT]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of forms.npz; trained.pt goes there")
    parser.add_argument("--only", choices=names, help="this part alone")
    parser.add_argument("--after", type=Path, help="folder of a run whose six layers go on with the new lines")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="that a part may take at most")
    options = parser.parse_args(arguments)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lines = Lines(options.run, device)
    trainer = Trainer(lines, options.run, device, options.minutes * 60)
    if options.after is not None:
        goes_on(trainer, lines, options.run, options.after, device)
        return 0
    for part in TEACHERS:
        if options.only in (None, part.name) and not (options.run / f"{part.name}.npz").exists():
            teacher(trainer, lines, part, options.run, device)
    if options.only in (None, STUDENT):
        student(trainer, lines, options.run, device)
    return 0


if __name__ == "__main__":
    sys.exit(main())
