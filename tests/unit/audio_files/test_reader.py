"""Audio files as recorders, converters and broken copies leave them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.audio_files.reader import BLOCK, AudioFile, AudioUnusable
from tests.saved_audio import RATE, SECONDS, saved, tone


def read(path: Path) -> tuple[np.ndarray, str]:
    with AudioFile(path) as audio:
        blocks = list(audio.blocks())
        assert all(len(block) <= BLOCK * audio.rate for block in blocks)
        return np.concatenate(blocks), audio.shortfall


def refusal(path: Path) -> str:
    with pytest.raises(AudioUnusable) as caught, AudioFile(path) as audio:
        list(audio.blocks())
    told = str(caught.value)
    assert str(path) in told
    assert "\n" not in told
    return told


def chunks(wave: bytes) -> tuple[bytes, bytes]:
    """The `fmt ` chunk's body and the samples of a plain file."""
    form, data = wave.index(b"fmt "), wave.index(b"data")
    size = int.from_bytes(wave[form + 4 : form + 8], "little")
    return wave[form + 8 : form + 8 + size], wave[data + 8 :]


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def wave(*parts: bytes, size: int | None = None, form: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(parts)
    return form + struct.pack("<I", len(body) if size is None else size) + body


@pytest.mark.parametrize(
    ("kind", "subtype", "apart"),
    [
        ("WAV", "PCM_16", 0.0),
        ("WAV", "PCM_24", 0.0),
        ("WAV", "PCM_32", 0.0),
        ("WAV", "FLOAT", 0.0),
        ("WAV", "DOUBLE", 0.0),
        ("WAV", "PCM_U8", 0.01),
        ("WAV", "ULAW", 0.02),
        ("WAV", "ALAW", 0.02),
        ("WAVEX", "PCM_24", 0.0),
        ("WAVEX", "FLOAT", 0.0),
        ("WAVEX", "ULAW", 0.02),
        ("RF64", "PCM_16", 0.0),
        ("W64", "PCM_16", 0.0),
        ("AIFF", "PCM_16", 0.0),
        ("FLAC", "PCM_16", 0.0),
        ("FLAC", "PCM_24", 0.0),
    ],
)
def test_every_usual_form_gives_the_same_sound(tmp_path: Path, kind: str, subtype: str, apart: float) -> None:
    sound, shortfall = read(saved(tmp_path, kind, subtype))
    np.testing.assert_allclose(sound[: SECONDS * RATE], tone(), atol=apart + 1e-7)
    assert not shortfall


SIZES: dict[str, Callable[[int], tuple[int, int]]] = {
    "never written": lambda _: (36, 0),
    "zero": lambda _: (0, 0),
    "unknown": lambda _: (0xFFFF_FFFF, 0xFFFF_FFFF),
    "an encoder's placeholder": lambda _: (0x7FFF_FFFF, 0x7FFF_FFFF - 36),
    "out of date": lambda length: (36 + length // 4, length // 4),
    "the form's own missing": lambda length: (0, length),
    "the samples' own missing": lambda length: (36 + length, 0),
}


@pytest.mark.parametrize("told", SIZES)
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW", "PCM_24"])
def test_a_header_that_was_never_closed_costs_no_sample(tmp_path: Path, told: str, subtype: str) -> None:
    path = saved(tmp_path, "WAV", subtype)
    whole, _ = read(path)
    form, samples = chunks(path.read_bytes())
    riff, data = SIZES[told](len(samples))
    path.write_bytes(wave(chunk(b"fmt ", form), chunk(b"data", samples, data), size=riff))
    sound, shortfall = read(path)
    np.testing.assert_array_equal(sound, whole)
    assert not shortfall


@pytest.mark.parametrize("form", [b"RF64", b"BW64"])
@pytest.mark.parametrize("sizes", ["right", "zero", "unknown", "absent"])
def test_large_file_forms_are_read_whatever_sizes_they_tell(tmp_path: Path, form: bytes, sizes: str) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")
    body, samples = chunks(path.read_bytes())
    told = {"right": (60 + len(samples), len(samples), SECONDS * RATE), "zero": (0,) * 3, "unknown": (2**64 - 1,) * 3}
    extra = chunk(b"ds64", struct.pack("<QQQI", *told[sizes], 0)) if sizes in told else b""
    parts = (extra, chunk(b"fmt ", body), chunk(b"data", samples, 0xFFFF_FFFF))
    path.write_bytes(wave(*parts, form=form, size=0xFFFF_FFFF))
    sound, shortfall = read(path)
    np.testing.assert_allclose(sound, tone(), atol=1e-7)
    assert not shortfall


BEFORE = {
    "remarks": chunk(b"LIST", b"INFOICMT\x04\0\0\0abc\0"),
    "broadcast": chunk(b"bext", bytes(603)) + chunk(b"JUNK", bytes(28)),
    "odd and not padded": b"junk" + struct.pack("<I", 3) + b"abc",
    "a size that leads nowhere": chunk(b"LIST", b"INFO", 0xFFFF_FFF0),
}


@pytest.mark.parametrize("before", BEFORE)
def test_chunks_before_the_samples_are_no_sound(tmp_path: Path, before: str) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")
    form, samples = chunks(path.read_bytes())
    path.write_bytes(wave(chunk(b"fmt ", form), BEFORE[before], chunk(b"data", samples)))
    np.testing.assert_allclose(read(path)[0], tone(), atol=1e-7)


BEHIND = {
    "remarks": chunk(b"LIST", b"INFOICMT\x04\0\0\0abc\0"),
    "odd bytes": b"xyz",
    "a tag of a music player": b"TAG" + bytes(125),
}


@pytest.mark.parametrize("behind", BEHIND)
def test_what_stands_behind_the_samples_is_no_sound(tmp_path: Path, behind: str) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")
    path.write_bytes(path.read_bytes() + BEHIND[behind])
    sound, shortfall = read(path)
    np.testing.assert_allclose(sound, tone(), atol=1e-7)
    assert not shortfall


def test_no_sample_but_remarks_behind_it_is_no_sound_either(tmp_path: Path) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")
    form, _ = chunks(path.read_bytes())
    path.write_bytes(wave(chunk(b"fmt ", form), chunk(b"data", b""), BEHIND["remarks"]))
    assert "holds no sample" in refusal(path)


@given(cut=st.integers(min_value=0, max_value=SECONDS * RATE * 4 + 44))
@settings(max_examples=60, deadline=None)
def test_a_wave_file_cut_anywhere_gives_what_is_there_or_a_reason(cut: int, tmp_path_factory) -> None:
    path = saved(tmp_path_factory.mktemp("cut"), "WAV", "PCM_16")
    path.write_bytes(path.read_bytes()[:cut])
    frames = max(0, cut - 44) // 4
    if not frames:
        refusal(path)
        return
    sound, shortfall = read(path)
    np.testing.assert_allclose(sound, tone()[:frames], atol=1e-7)
    assert bool(shortfall) == (SECONDS * RATE - frames >= RATE / 10)


def of_unknown_length(flac: bytes) -> bytes:
    """The same with 0 for its number of samples, as an encoder leaves it that cannot seek."""
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


@pytest.mark.parametrize("seconds", [0.3, 2.0, BLOCK, 2 * BLOCK, 11.7])
def test_a_flac_file_of_unknown_length_is_read_to_its_end(tmp_path: Path, seconds: float) -> None:
    path = saved(tmp_path, "FLAC", "PCM_16", tone(seconds))
    path.write_bytes(of_unknown_length(path.read_bytes()))
    sound, shortfall = read(path)
    np.testing.assert_allclose(sound, tone(seconds), atol=1e-7)
    assert not shortfall
    with AudioFile(path) as audio:
        assert audio.seconds is None


@pytest.mark.parametrize("of_unknown", [False, True])
def test_a_flac_file_that_breaks_off_gives_what_is_there_and_says_so(tmp_path: Path, of_unknown: bool) -> None:
    path = saved(tmp_path, "FLAC", "PCM_16", tone(12.0))
    flac = path.read_bytes()
    path.write_bytes((of_unknown_length(flac) if of_unknown else flac)[: len(flac) // 2])
    sound, shortfall = read(path)
    assert 4.0 < len(sound) / RATE < 7.0
    np.testing.assert_allclose(sound, tone(12.0)[: len(sound)], atol=1e-7)
    assert f"only the first {len(sound) / RATE:.1f} s can be read" in shortfall


@settings(max_examples=40, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), seconds=st.sampled_from([0.3, 12.0]))
def test_a_flac_file_damaged_anywhere_gives_what_is_there_or_a_reason(
    at: float, bit: int, seconds: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = saved(tmp_path_factory.mktemp("damaged"), "FLAC", "PCM_16", tone(seconds))
    flac = bytearray(path.read_bytes())
    flac[int(at * len(flac))] ^= 1 << bit
    path.write_bytes(flac)
    try:
        read(path)
    except AudioUnusable as reason:
        assert str(path) in str(reason)  # noqa: PT017 - most damage is no error


def test_a_flac_file_damaged_at_its_beginning_is_refused_as_that(tmp_path: Path) -> None:
    path = saved(tmp_path, "FLAC", "PCM_16", tone(0.3))
    flac = bytearray(path.read_bytes())
    flac[-len(flac) // 4] ^= 0xFF
    path.write_bytes(flac)
    assert "no sample of it can be read" in refusal(path)


def test_gsm_as_telephone_systems_write_it_is_read_though_it_cannot_be_sought(tmp_path: Path) -> None:
    path = tmp_path / "gsm.wav"
    soundfile.write(path, tone(2.0)[:, :1], RATE, subtype="GSM610")
    sound, shortfall = read(path)
    assert len(sound) == pytest.approx(2.0 * RATE, abs=400)
    assert np.abs(sound).max() > 0.1
    assert shortfall == ""


@pytest.mark.parametrize(("kind", "subtype"), [("OGG", "OPUS"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")])
def test_compressed_speech_is_read_to_its_end(tmp_path: Path, kind: str, subtype: str) -> None:
    sound, shortfall = read(saved(tmp_path, kind, subtype))
    assert len(sound) == pytest.approx(SECONDS * RATE, abs=RATE / 10)
    assert np.abs(sound).max() == pytest.approx(0.3, abs=0.15)
    assert not shortfall


@pytest.mark.parametrize("subtype", ["OPUS", "VORBIS"])
@pytest.mark.parametrize("missing", [1, 100, 3000])
def test_an_ogg_file_that_breaks_off_gives_what_is_there_and_says_so(
    tmp_path: Path, subtype: str, missing: int
) -> None:
    path = saved(tmp_path, "OGG", subtype, tone(12.0))
    path.write_bytes(path.read_bytes()[:-missing])
    sound, shortfall = read(path)
    assert 4.0 < len(sound) / RATE < 12.0
    assert f"it breaks off after {len(sound) / RATE:.1f} s" in shortfall


def test_a_file_that_grows_gives_what_it_held_when_it_was_opened(tmp_path: Path) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")
    form, samples = chunks(path.read_bytes())
    path.write_bytes(wave(chunk(b"fmt ", form), chunk(b"data", samples, 0), size=36))
    with AudioFile(path) as audio, path.open("ab") as writer:
        writer.write(samples)
        writer.flush()
        assert sum(map(len, audio.blocks())) == SECONDS * RATE


@pytest.mark.parametrize("scale", [2**15, 2**23, 2**31])
def test_integers_written_as_floats_are_brought_to_full_scale(tmp_path: Path, scale: int) -> None:
    path = saved(tmp_path, "WAV", "DOUBLE", np.rint(tone() * scale))
    np.testing.assert_allclose(read(path)[0], tone(), atol=2e-5)


def test_floats_over_full_scale_are_clipped_and_no_numbers_are_silence(tmp_path: Path) -> None:
    sound = tone()
    sound[100], sound[200], sound[300], sound[400] = np.nan, np.inf, -np.inf, 1.5
    levels, shortfall = read(saved(tmp_path, "WAV", "FLOAT", sound))
    assert levels[[100, 200, 300, 400], 0].tolist() == [0.0, 1.0, -1.0, 1.0]
    np.testing.assert_allclose(levels[401:], tone()[401:], atol=1e-7)
    assert not shortfall


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.wav", b"", "is empty, 0 bytes"),
        ("text.wav", b"not audio at all\n" * 50, "cannot be read as audio"),
        ("head.wav", b"RIFF\x24\0\0\0WAVE", "cannot be read as audio"),
        ("head.flac", b"fLaC\0\0\0\x22", "cannot be read as audio"),
        ("noise.bin", bytes(range(256)) * 40, "cannot be read as audio"),
    ],
)
def test_what_is_no_audio_is_refused_with_its_reason(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert reason in refusal(path)


def test_a_folder_a_device_and_nothing_at_all_are_refused_each_with_its_reason(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "is no regular file" in refusal(Path("/dev/null"))
    assert "there is no such file" in refusal(tmp_path / "missing.wav")
    assert "cannot be opened" in refusal(tmp_path / ("x" * 300))


def test_a_file_that_may_not_be_read_is_refused_with_the_systems_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "cannot be opened: permission denied" in refusal(path)


def test_a_disk_that_fails_ends_the_sound_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _OnADisk(io.FileIO(saved(tmp_path, "WAV", "PCM_16", tone(12.0))))
    monkeypatch.setattr(Path, "open", lambda *_: file)
    with AudioFile(Path(file.name)) as audio:
        blocks = audio.blocks()
        read = len(next(blocks))
        file.disk_fails = True
        assert list(blocks) == []
        assert audio.shortfall.startswith(f"only the first {read / RATE:.1f} s can be read")
        assert "input/output error" in audio.shortfall


class _OnADisk(io.BufferedReader):
    disk_fails = False

    def read(self, size: int | None = -1) -> bytes:
        if self.disk_fails:
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_a_rate_that_is_no_recordings_is_refused(tmp_path: Path) -> None:
    assert "1 samples a second" in refusal(saved(tmp_path, "WAV", "PCM_16", rate=1))


@pytest.mark.parametrize("subtype", ["GSM610", "G721_32"])
def test_a_form_that_cannot_be_wound_back_is_read_from_front_to_end(tmp_path: Path, subtype: str) -> None:
    sound, _ = read(saved(tmp_path, "WAV", subtype, tone(channels=1)))
    assert np.corrcoef(sound[800 : SECONDS * RATE, 0], tone(channels=1)[800:, 0])[0, 1] > 0.95


def opened_again(folder: Path, kind: str, subtype: str, at: int, size: bytes) -> Path:
    """A saved file whose length of samples is this one."""
    path = saved(folder, kind, subtype)
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + size + whole[at + len(size) :])
    return path


def rifx(size: int) -> bytes:
    samples = np.rint(tone() * 32768).astype(">i2").tobytes()
    form = struct.pack(">IHHIIHH", 16, 1, 2, RATE, 4 * RATE, 4, 16)
    return b"RIFX" + struct.pack(">I", 0) + b"WAVEfmt " + form + b"data" + struct.pack(">I", size) + samples


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_a_big_endian_header_that_was_never_closed_is_read_to_the_end(tmp_path: Path, size: int) -> None:
    path = tmp_path / "rifx.audio"
    path.write_bytes(rifx(size))
    np.testing.assert_array_equal(read(path)[0], tone().astype(np.float32))


@pytest.mark.parametrize(("kind", "open_size"), [("AU", bytes(4)), ("CAF", b"\xff" * 8)])
def test_au_and_caf_headers_that_leave_the_length_open_are_read_to_the_end(
    tmp_path: Path, kind: str, open_size: bytes
) -> None:
    at = 8 if kind == "AU" else saved(tmp_path, kind, "PCM_16").read_bytes().index(b"data") + 4
    sound, _ = read(opened_again(tmp_path, kind, "PCM_16", at, open_size))
    np.testing.assert_array_equal(sound[: SECONDS * RATE], tone().astype(np.float32))


@pytest.mark.parametrize(("coding", "told"), [(0x45, "coded as 0x0045"), (0x83, "coded as 0x0083")])
def test_a_coding_that_no_decoder_here_knows_is_named(tmp_path: Path, coding: int, told: str) -> None:
    """G.726 and G.729, which some recorders write."""
    path = tmp_path / "call.wav"
    form = struct.pack("<HHIIHHH", coding, 1, RATE, 4000, 1, 4, 0)
    path.write_bytes(wave(chunk(b"fmt ", form), chunk(b"data", bytes(4000))))
    assert told in refusal(path)


@pytest.mark.parametrize(("kind", "size"), [("AU", 0x7FFF_FFFF), ("AU", 0xFFFF_FFFF), ("AIFF", 8), ("AIFF", 0)])
def test_a_length_of_no_sample_or_of_2_gib_is_no_length(tmp_path: Path, kind: str, size: int) -> None:
    at = 8 if kind == "AU" else saved(tmp_path, kind, "PCM_16").read_bytes().index(b"SSND") + 4
    sound, shortfall = read(opened_again(tmp_path, kind, "PCM_16", at, struct.pack(">I", size)))
    np.testing.assert_array_equal(sound, tone().astype(np.float32))
    assert not shortfall


def test_chunks_behind_no_samples_are_none(tmp_path: Path) -> None:
    path = saved(tmp_path, "AIFF", "PCM_16", tone(0.0))
    path.write_bytes(path.read_bytes() + struct.pack(">4sI4s", b"NAME", 4, b"none"))
    assert "holds no sample" in refusal(path)


@pytest.mark.parametrize("kind", ["AIFF", "AU", "CAF", "W64", "RIFX"])
@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_copy_that_breaks_off_gives_what_is_there_and_says_so(tmp_path: Path, kind: str, kept: float) -> None:
    path = saved(tmp_path, "WAV" if kind == "RIFX" else kind, "PCM_16")
    whole = rifx(len(tone()) * 4) if kind == "RIFX" else path.read_bytes()
    path.write_bytes(whole[: round(len(whole) * kept)])
    sound, shortfall = read(path)
    assert len(sound) > 0.9 * kept * len(tone())
    np.testing.assert_array_equal(sound, tone()[: len(sound)].astype(np.float32))
    assert f"it breaks off after {len(sound) / RATE:.1f} s" in shortfall


@pytest.mark.parametrize(("kind", "subtype"), [("OGG", "VORBIS"), ("FLAC", "PCM_16")])
def test_a_file_without_a_sample_has_the_reason_that_is_true(tmp_path: Path, kind: str, subtype: str) -> None:
    path = saved(tmp_path, kind, subtype)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3 if kind == "OGG" else 86])
    told = refusal(path)
    assert ("breaks off before its first sample" if kind == "OGG" else "no sample") in told


HEADS = [
    (kind, subtype)
    for kind in sorted(soundfile.available_formats())
    for subtype in ("PCM_16", "FLOAT", "ULAW", "GSM610", "IMA_ADPCM", "VORBIS", "OPUS")
    if soundfile.check_format(kind, subtype)
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.sampled_from(HEADS), kept=st.floats(0.0, 1.0) | st.integers(1, 200))
def test_wherever_a_file_of_any_form_is_cut_there_is_sound_or_a_sentence(
    tmp_path: Path, form: tuple[str, str], kept: float
) -> None:
    path = saved(tmp_path, *form, tone(0.2, channels=1))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(1, round(len(whole) * kept) if isinstance(kept, float) else kept)])
    with suppress(AudioUnusable):
        assert len(read(path)[0])
