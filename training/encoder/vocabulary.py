"""Cuts the tokenizer to what calls are spoken in: Chinese and English.

A unigram tokenizer works with any subset of its pieces: a word whose own piece is gone falls apart into smaller ones.
So the pieces that real text uses stay, and every single character of the two scripts, so that nothing is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
UNKNOWN = SPECIALS.index("<unk>")
SPACE = "▁"
Piece = tuple[str, float]


def tokenizer_of(pieces: Sequence[Piece]) -> Tokenizer:
    """Text to ids as the encoder takes them: lower case, NFKC, framed by <s> and </s>. The first four pieces are
    SPECIALS."""
    tokenizer = Tokenizer(Unigram([*pieces], UNKNOWN, byte_fallback=False))
    spaces = [normalizers.Replace(SPACE, " "), normalizers.Strip()]
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), *spaces])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement=SPACE)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", SPECIALS.index("<s>")), ("</s>", SPECIALS.index("</s>"))]
    )
    return tokenizer


def cut(pieces: Sequence[Piece], texts: Iterable[str], *, at_least: int) -> list[int]:
    """The ids that stay, in order: the specials, what `texts` use `at_least` times, and single characters."""
    whole = tokenizer_of([piece for piece in pieces if piece[0] != "<mask>"])
    used = Counter[int]()
    for batch in _batches(texts, 2000):
        for encoding in whole.encode_batch_fast(batch):
            used.update(encoding.ids)
    kept = {number for number, times in used.items() if times >= at_least}
    kept |= {number for number, (text, _score) in enumerate(pieces) if is_single(text)}
    return sorted(kept | set(range(len(SPECIALS))))


def is_single(piece: str) -> bool:
    """A letter, digit, mark or Chinese character, with or without a space before it."""
    text = piece.removeprefix(SPACE)
    if piece == SPACE:
        return True
    return len(text) == 1 and (text.isascii() or "\u4e00" <= text <= "\u9fff" or "\u3000" <= text <= "\u303f")


def _batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
