"""Whether an Ogg file is whole: its header tells no length, so only its last page does.

Source: RFC 3533, section 6.
"""

from __future__ import annotations

from typing import BinaryIO, Final

_PAGE: Final = b"OggS"
_HEAD: Final = 27
_LONGEST: Final = _HEAD + 255 + 255 * 255
_FLAGS, _SEGMENTS = 5, 26
_LAST: Final = 0x04


def breaks_off(file: BinaryIO, length: int) -> bool:
    """Whether the last page of a file of so many bytes is missing or cut; False for what is no Ogg file."""
    file.seek(0)
    if file.read(len(_PAGE)) != _PAGE:
        return False
    file.seek(max(0, length - _LONGEST))
    tail = file.read(_LONGEST)
    page = tail[max(0, tail.rfind(_PAGE)) :]
    if len(page) < _HEAD or not page[_FLAGS] & _LAST:
        return True
    sizes = page[_HEAD : _HEAD + page[_SEGMENTS]]
    return len(page) < _HEAD + page[_SEGMENTS] + sum(sizes)
