"""Halves the original's layers: python -m training.encoder.distil --run FOLDER [--minutes M]

Each of the six layers learns to do what two of the original do, on public text and the corpus' training split. It
begins with `original.pt` and `forms.npz` of the run's folder and leaves `distilled.pt`. A run that was cut off goes on
where it last wrote.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.encoder.batches import PUBLIC, TRAIN, Lines, Ragged, Rows
from training.encoder.network import EncoderNetwork

LAYERS = 6
STEPS = 2000
TEXTS_A_STEP = 192
SORTED = 4
"""Steps whose texts are drawn together, so that those of like length come together."""
RATE = 5e-4
WRITE_EVERY_S = 120.0


class Scale:
    """The spread of each of the teacher's numbers, so that a few large ones do not outweigh the others."""

    def __init__(self, outputs: Sequence[Tensor], mask: Tensor) -> None:
        self.spreads = [layer[mask].std(0) + 1e-3 for layer in outputs]

    def distance(self, student: list[Tensor], teacher: list[Tensor], mask: Tensor) -> Tensor:
        """How far the student's layers are from every second of the teacher's, and its vectors from the teacher's."""
        stride = len(teacher) // len(student)
        kept = mask[:, :, None].float()
        gaps, means = list[Tensor](), torch.zeros(())
        for number, ours in enumerate(student, 1):
            gap = (ours.float() - teacher[number * stride - 1].float()) / self.spreads[number * stride - 1].float()
            gaps.append((gap.square() * kept).sum() / (kept.sum() * gap.shape[-1]))
            means = (gap * kept).sum(1) / kept.sum(1)
        return torch.stack(gaps).mean() + 4 * means.square().mean()


def halved(original: EncoderNetwork) -> EncoderNetwork:
    """Half the layers, each begun as the second of the two that it stands for."""
    student = EncoderNetwork(original.words.num_embeddings, layers=LAYERS)
    state = original.state_dict()
    stride = len(original.layers) // LAYERS
    for name in student.state_dict():
        parts = name.split(".")
        if parts[0] == "layers":
            parts[1] = str(int(parts[1]) * stride + stride - 1)
        student.state_dict()[name].copy_(state[".".join(parts)])
    return student


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all steps, or for `--minutes`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of forms.npz; distilled.pt goes there")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    options = parser.parse_args(arguments)
    torch.manual_seed(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    state = torch.load(options.run / "original.pt", map_location="cpu")
    teacher = EncoderNetwork(state["words.weight"].shape[0])
    teacher.load_state_dict(state)
    _learn(teacher.to(device).eval(), Lines(options.run, device), options.run, options.minutes * 60, device)
    return 0


def _learn(teacher: EncoderNetwork, lines: Lines, folder: Path, seconds: float, device: torch.device) -> None:
    student = halved(teacher).to(device).eval()
    optimizer = torch.optim.AdamW(student.parameters(), lr=RATE, weight_decay=0.01, fused=device.type == "cuda")
    checkpoint, began = folder / "distilled.state.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        student.load_state_dict(state["student"])
        optimizer.load_state_dict(state["optimizer"])
        began = state["step"]
    start = written = time.monotonic()
    scale: Scale | None = None
    for step, (ids, mask) in zip(range(began, STEPS), _texts(lines, np.random.default_rng(began)), strict=False):
        left = 1 - max((time.monotonic() - start) / seconds, step / STEPS)
        if left <= 0:
            break
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 100) * max(left, 0.02)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            with torch.no_grad():
                wanted = teacher.hidden(ids, mask)
            seen = student.hidden(ids, mask)
        scale = scale or Scale(wanted, mask)
        loss = scale.distance(seen, wanted, mask)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step} of {STEPS}, distance {loss.item():.4f}", flush=True)
        if time.monotonic() - written > WRITE_EVERY_S:
            written = time.monotonic()
            _write(checkpoint, {"student": student.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1})
    _write(folder / "distilled.pt", student.state_dict())


def _texts(lines: Lines, dice: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end: half of them public text, half the corpus in its forms."""
    text, before = (lines.column[name][lines.of(TRAIN, PUBLIC)] for name in ("text", "before"))
    said = np.unique(np.concatenate([text, before[before >= 0]]))
    own = (said + len(lines.tokens.lengths) // lines.forms * np.arange(lines.forms)[:, None]).ravel()
    while True:
        for source, places in ((lines.public, np.arange(len(lines.public.lengths))), (lines.tokens, own)):
            yield from _alike(source, dice.choice(places, SORTED * TEXTS_A_STEP))


def _alike(source: Ragged, places: Rows) -> Iterator[tuple[Tensor, Tensor]]:
    ordered = places[np.argsort(source.lengths[places])]
    yield from (source.padded(each) for each in np.split(ordered, SORTED))


def _write(path: Path, state: dict[str, object]) -> None:
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


if __name__ == "__main__":
    sys.exit(main())
