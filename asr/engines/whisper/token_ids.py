"""Whisper's tokens: the prefix that asks for a transcript, a prompt within its budget, words out of token runs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from faster_whisper.tokenizer import Tokenizer as WordSplitter
from tokenizers import Tokenizer

from asr.engines.port import ModelMissing
from asr.types import LANGUAGES, Language

PROMPT_BUDGET = 80
"""Whisper's decoder would take 223; each token of a prompt costs every utterance time, and so do terms past the most
useful ones."""
QUICK_PROMPT_BUDGET = 24
"""For who is in a hurry: the whole budget costs a fifth of the speed of greedy decoding in batches of two, this a
twelfth."""
_TERM_ENDS = "、,，"
_SENTENCE_ENDS = ".。"


class TokenIds:
    """The tokenizer of one model folder."""

    def __init__(self, folder: Path) -> None:
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; get it with: callwarden models pull base")
        self._tokenizer = Tokenizer.from_file(str(path))
        self._splitters = {
            code: WordSplitter(self._tokenizer, multilingual=True, task="transcribe", language=code)
            for code in LANGUAGES
        }
        self.end_of_text = self._id("<|endoftext|>")
        self.start_of_prompt = self._id("<|startofprev|>")
        self._fitting = lru_cache(maxsize=64)(self._cut_to_budget)  # a call's prompt comes again with every utterance
        self._ask = {code: self._ask_for(code) for code in LANGUAGES}

    def ask(self, language: Language) -> list[int]:
        """The prefix that asks for a transcript in that language, without timestamps."""
        return list(self._ask[language])

    def prompt(self, text: str, budget: int = PROMPT_BUDGET) -> list[int]:
        """The prompt's tokens with its marker; empty for an empty prompt. Past the budget its last terms are dropped,
        whole where commas part them; a full stop stays."""
        if not text.strip():
            return []
        return [self.start_of_prompt, *self._fitting(text.strip(), budget)]

    def text_tokens(self, tokens: list[int]) -> list[int]:
        """The tokens that are text: markers and timestamps left out."""
        return [token for token in tokens if token < self.end_of_text]

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def text(self, tokens: list[int]) -> str:
        """The text of text tokens."""
        return str(self._tokenizer.decode(tokens)).strip()

    def words(self, tokens: list[int], language: Language) -> list[tuple[str, int]]:
        """(word, its number of tokens) in order; for Chinese the smallest runs of whole characters."""
        words, runs = self._splitters[language].split_to_word_tokens([*tokens, self.end_of_text])
        return [(word, len(run)) for word, run in zip(words, runs, strict=True)][:-1]

    def _cut_to_budget(self, text: str, budget: int) -> tuple[int, ...]:
        # Behind an unfinished sentence English goes on in the midst of one: "You are a" is heard as "your".
        closing = text[-1] if text[-1] in _SENTENCE_ENDS else ""
        tokens = self.tokens(" " + text)
        while len(tokens) > budget and (end := max(map(text.rfind, _TERM_ENDS))) > 0:
            text = text[:end]
            tokens = self.tokens(" " + text + closing)
        return tuple(tokens[:budget])

    def _ask_for(self, language: Language) -> list[int]:
        markers = ("<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>")
        return [self._id(marker) for marker in markers]

    def _id(self, marker: str) -> int:
        token = self._tokenizer.token_to_id(marker)
        if token is None:
            raise ModelMissing(f"The model's tokenizer.json knows no {marker}: it is no multilingual Whisper model")
        return int(token)
