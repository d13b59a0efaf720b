"""Makes of a run what the service loads: python -m training.encoder.export --run FOLDER [--output FOLDER]

Writes `encoder.onnx` (8 bit), `tokenizer.json`, `heads.npz` and `judgement.json`. The last one is fitted on the
development split, with what the exported encoder says of it, not the trained one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional

from detectors.semantic.encoder import FOLDER
from training.encoder.fit import fitted, neutral_offset
from training.encoder.network import EncoderNetwork, HeadsNetwork
from training.encoder.texts import CATEGORIES, EMOTION_NAMES, SAYS_NAMES, SENTIMENT_NAMES, STANCE_NAMES
from training.encoder.train import GROUPS, trained_reader

OPSET = 17
NAMES = {
    "categories": CATEGORIES,
    "any": ("any",),
    "stance": STANCE_NAMES,
    "sentiment": SENTIMENT_NAMES,
    "emotion": EMOTION_NAMES,
    "says": SAYS_NAMES,
}
assert {group: len(each) for group, each in NAMES.items()} == GROUPS


class OneText(nn.Module):
    """The encoder over one text at a time, which needs no mask."""

    def __init__(self, encoder: EncoderNetwork) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor) -> Tensor:
        """`ids`: (1, tokens). Returns (1, hidden)."""
        return functional.normalize(self.encoder.hidden(ids, None)[-1].sum(1), dim=-1)


def write_encoder(encoder: EncoderNetwork, path: Path) -> None:
    """8-bit weights a channel, of which 7 are used, for some processors' 8-bit products overflow."""
    one = OneText(encoder).eval()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            one,
            (torch.full((1, 12), 5),),
            str(whole),
            input_names=["ids"],
            output_names=["vectors"],
            dynamic_axes={"ids": {1: "tokens"}},
            opset_version=OPSET,
            dynamo=False,
        )
        quantize_dynamic(whole, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def write_heads(heads: HeadsNetwork, path: Path, neutral_offset: float = 0.0) -> None:
    """Weights in 16 bits, and the names of the outputs. `neutral_offset`: what a neutral sentiment's logit is lessened
    by."""
    heads = deepcopy(heads)
    place = sum(GROUPS[group] for group in ("categories", "any", "stance")) + SENTIMENT_NAMES.index("neutral")
    with torch.no_grad():
        heads.outer.bias[place] -= neutral_offset
    weights = {name: value.numpy().astype(np.float16) for name, value in heads.state_dict().items()}
    names = {f"names.{group}": np.array(each) for group, each in NAMES.items()}
    np.savez_compressed(path, allow_pickle=False, **weights, **names)


def main(arguments: Sequence[str] | None = None) -> int:
    """Export a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of trained.pt and tokenizer.json")
    parser.add_argument("--output", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    reader = trained_reader(options.run)
    write_encoder(reader.encoder, options.output / "encoder.onnx")
    write_heads(reader.heads, options.output / "heads.npz")
    shutil.copyfile(options.run / "tokenizer.json", options.output / "tokenizer.json")
    write_heads(reader.heads, options.output / "heads.npz", neutral_offset(options.output))
    judgement = fitted(options.output)
    text = json.dumps(judgement, indent=2)
    (options.output / "judgement.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
