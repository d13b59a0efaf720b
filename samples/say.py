"""Speak labelled lines into a folder of utterances that the benchmarks can measure with.

    python samples/say.py FOLDER LINES.jsonl ...

Lines are those of `tests/data/detect_*.jsonl`, each in one of the sample calls' voices and tones by turns, through the
same telephone's band. FOLDER gets a FLAC a line and the `manifest.jsonl` that `callwarden bench` and
`benchmarks/prompting.py --unseen FOLDER` read. Nothing of it is committed: the lines are.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import soundfile
from make import LINE_NOISE_DBFS, PHONE_RATE, TONES, decibels, line_noise, rms, spoken
from voices import JOE, Voices

VOICES = {
    "zh": ("jf_nezumi", "jm_kumo", "jf_gongitsune", "jf_tebukuro"),
    "en": (JOE, "jf_nezumi", "jm_kumo", "jf_tebukuro"),
}
AROUND_S = 0.2


def on_the_line(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Speech at PHONE_RATE with the line's noise under and around it; float32."""
    around = round(AROUND_S * PHONE_RATE)
    quiet = line_noise(rng, len(speech) + 2 * around)
    audio = quiet * (decibels(LINE_NOISE_DBFS) / rms(quiet))
    audio[around:-around] += speech
    return np.clip(audio, -1, 1).astype(np.float32)


def main(folder: Path, sources: list[Path]) -> None:
    """Write the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for source in sources for line in source.read_text(encoding="utf-8").splitlines()]
    voices, rng = Voices(), np.random.default_rng(0)
    with (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
        for lang, names in VOICES.items():
            spoken_here = [line for line in lines if line["lang"] == lang]
            for line, name, tone in zip(spoken_here, itertools.cycle(names), itertools.cycle(TONES)):
                call = {"lang": lang, "voices": {"speaker": {"name": name}}}
                speech = spoken(voices, call, {"speaker": "speaker", "text": line["text"], "tone": tone})
                file = f"{line['id']}.flac"
                soundfile.write(folder / file, on_the_line(speech, rng), PHONE_RATE, subtype="PCM_16")
                manifest.write(
                    json.dumps({"file": file, "lang": lang, "text": line["text"]}, ensure_ascii=False) + "\n"
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(source) for source in sys.argv[2:]])
