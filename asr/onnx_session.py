"""Sessions of ONNX Runtime on one core, for models that many calls ask side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast


class OnnxSession(Protocol):
    """The part of onnxruntime.InferenceSession that is used here. Blocking; safe to share between threads."""

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any]) -> Sequence[Any]:
        """The outputs of these names, or all of them, for inputs by name."""
        ...


def open_onnx_session(path: Path) -> OnnxSession:
    """Load a model to run on one thread. Raises what ONNX Runtime raises for a file that is no model."""
    import onnxruntime  # 0.1 s and 50 MB that only those who ask a model pay

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    return cast("OnnxSession", session)
