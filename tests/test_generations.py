"""Generations on disk: written aside, switched to, rolled back, and every kind of damage noticed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import PATIENCE_SECONDS, ROOT, flip_bit, sealed, write_files

from indexer.errors import BuildRunning, GenerationDamaged, GenerationMissing
from indexer.store import generations

FILES: dict[str, str | bytes] = {"pages.jsonl": "页面\n", "whoosh/a.seg": b"\0\1\2\3", "resources/空.txt": ""}
FIRST, SECOND, THIRD = "gen-000001", "gen-000002", "gen-000003"
HOLD_LOCK = """
import sys
from pathlib import Path
from indexer.store.generations import build_lock
with build_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with one generation, served."""
    sealed(tmp_path, FILES)
    generations.switch_to(tmp_path, FIRST)
    return tmp_path


def folder(data: Path, name: str = FIRST) -> Path:
    return data / "generations" / name


def three_generations(data: Path, parent_of_third: str) -> None:
    """Two more beside the first; the third is served."""
    sealed(data, FILES, parent=FIRST)
    sealed(data, FILES, parent=parent_of_third)
    generations.switch_to(data, THIRD)


def test_a_draft_is_no_generation_until_it_is_sealed_and_not_served_until_switched_to(tmp_path: Path) -> None:
    draft = generations.begin(tmp_path)
    write_files(draft.folder, FILES)
    assert generations.list_generations(tmp_path) == []
    with pytest.raises(GenerationMissing):
        generations.open_manifest(tmp_path, draft.folder.name)
    generations.discard(draft)
    assert list(folder(tmp_path).parent.iterdir()) == []

    manifest = sealed(tmp_path, FILES)
    assert generations.list_generations(tmp_path) == [FIRST]
    with pytest.raises(GenerationMissing, match="yiwen switch"):
        generations.current(tmp_path)

    assert generations.switch_to(tmp_path, FIRST) == manifest
    assert generations.current(tmp_path) == FIRST


def test_the_manifest_lists_each_file_with_its_size_and_hash(data: Path) -> None:
    manifest = generations.open_manifest(data, FIRST)
    assert {path: facts["bytes"] for path, facts in manifest.files.items()} == {
        "pages.jsonl": len("页面\n".encode()),
        "whoosh/a.seg": 4,
        "resources/空.txt": 0,
    }
    # of no byte at all, as sha256sum prints it for an empty file
    assert manifest.files["resources/空.txt"]["sha256"].startswith("e3b0c44298fc1c14")
    assert generations.check_files(data, FIRST) == manifest


def test_numbers_go_on_after_the_highest_one_even_when_older_ones_were_deleted(data: Path) -> None:
    sealed(data, FILES)
    shutil.rmtree(folder(data, FIRST))
    assert sealed(data, FILES).generation == THIRD
    assert generations.list_generations(data) == [SECOND, THIRD]


def test_switching_leaves_no_file_beside_current(data: Path) -> None:
    sealed(data, FILES)
    before = {path.name for path in data.iterdir()}
    generations.switch_to(data, SECOND)
    assert generations.current(data) == SECOND
    assert {path.name for path in data.iterdir()} == before


@pytest.mark.parametrize("name", ["gen-000009", "", ".", "../generations/gen-000001", "gen-000001.partial", "key"])
def test_a_name_that_is_no_generation_is_not_switched_to(data: Path, name: str) -> None:
    with pytest.raises(GenerationMissing, match=f"现有：{FIRST}。"):
        generations.switch_to(data, name)
    assert generations.current(data) == FIRST


def test_a_damaged_generation_is_not_switched_to(data: Path) -> None:
    sealed(data, FILES)
    (folder(data, SECOND) / "pages.jsonl").unlink()
    with pytest.raises(GenerationDamaged):
        generations.switch_to(data, SECOND)
    assert generations.current(data) == FIRST


def test_rolling_back_returns_to_the_generation_that_was_served_before(data: Path) -> None:
    three_generations(data, parent_of_third=FIRST)
    assert generations.roll_back(data).generation == FIRST
    assert generations.current(data) == FIRST


@pytest.mark.parametrize("damage", [Path.unlink, flip_bit])
def test_rolling_back_passes_over_a_damaged_parent_to_the_newest_whole_one(
    data: Path, damage: Callable[[Path], None]
) -> None:
    three_generations(data, parent_of_third=SECOND)
    damage(folder(data, SECOND) / "whoosh" / "a.seg")
    assert generations.roll_back(data).generation == FIRST


@pytest.mark.parametrize("damage", [Path.unlink, flip_bit])
def test_rolling_back_works_from_a_generation_whose_manifest_is_damaged(
    data: Path, damage: Callable[[Path], None]
) -> None:
    sealed(data, FILES, parent=FIRST)
    generations.switch_to(data, SECOND)
    damage(folder(data, SECOND) / "manifest.json")
    assert generations.roll_back(data).generation == FIRST


def test_rolling_back_works_from_a_generation_that_is_gone(data: Path) -> None:
    sealed(data, FILES, parent=FIRST)
    generations.switch_to(data, SECOND)
    shutil.rmtree(folder(data, SECOND))
    assert generations.roll_back(data).generation == FIRST


def test_rolling_back_never_goes_to_a_newer_generation(data: Path) -> None:
    sealed(data, FILES, parent=FIRST)
    with pytest.raises(GenerationMissing, match=f"{FIRST} 之前没有完好的一代索引"):
        generations.roll_back(data)
    assert generations.current(data) == FIRST


def test_rolling_back_with_only_damaged_ones_before_changes_nothing(data: Path) -> None:
    sealed(data, FILES, parent=FIRST)
    generations.switch_to(data, SECOND)
    (folder(data, FIRST) / "pages.jsonl").unlink()
    with pytest.raises(GenerationMissing, match="无法回退"):
        generations.roll_back(data)
    assert generations.current(data) == SECOND


def remove(file: str) -> Callable[[Path], None]:
    return lambda generation: (generation / file).unlink()


def grow(generation: Path) -> None:
    with open(generation / "whoosh" / "a.seg", "ab") as file:
        file.write(b"\0")


def cut(generation: Path) -> None:
    with open(generation / "whoosh" / "a.seg", "rb+") as file:
        file.truncate(3)


def edit_manifest(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def damage(generation: Path) -> None:
        file = generation / "manifest.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content)
        file.write_text(json.dumps(content), encoding="utf-8")

    return damage


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (remove("pages.jsonl"), "pages.jsonl 缺失"),
        (remove("resources/空.txt"), "resources/空.txt 缺失"),
        (remove("manifest.json"), "manifest.json 缺失"),
        (cut, "whoosh/a.seg 应有 4 字节，实有 3 字节"),
        (grow, "whoosh/a.seg 应有 4 字节，实有 5 字节"),
        (lambda generation: (generation / "whoosh" / "b.toc").write_bytes(b""), "whoosh/b.toc 不属于这一代"),
        (edit_manifest(lambda content: content.update(code_version="1")), "manifest.json 不带本数据目录的签名"),
        (edit_manifest(lambda content: content.update(files={})), "manifest.json 不带本数据目录的签名"),
        (edit_manifest(lambda content: content.pop("hmac")), "manifest.json 内容损坏"),
        (edit_manifest(lambda content: content.update(hmac="签名")), "manifest.json 内容损坏"),
        (lambda generation: (generation / "manifest.json").write_text("[1]"), "manifest.json 内容损坏"),
        (lambda generation: (generation / "manifest.json").write_text("{"), "manifest.json 内容损坏"),
        (lambda generation: (generation / "manifest.json").write_text("null"), "manifest.json 内容损坏"),
        (lambda generation: (generation / "manifest.json").write_bytes(b"\xff"), "manifest.json 内容损坏"),
    ],
)
def test_damage_is_noticed_on_opening_and_its_sentence_names_generation_file_and_cure(
    data: Path, damage: Callable[[Path], None], named: str
) -> None:
    damage(folder(data))
    for open_it in (generations.open_manifest, generations.check_files, generations.switch_to):
        with pytest.raises(GenerationDamaged) as raised:
            open_it(data, FIRST)
        assert f"索引 {FIRST} 的文件 {named}" in str(raised.value)
        assert "yiwen roll-back" in str(raised.value) and "yiwen build" in str(raised.value)


def test_a_data_directory_without_generations_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(GenerationMissing, match=f"yiwen build --corpus 语料目录 --data {tmp_path}"):
        generations.current(tmp_path)


def test_a_manifest_written_anew_over_changed_files_is_not_believed(data: Path) -> None:
    """Whoosh's files hold pickles: whoever can write to the folder, but not read the key, gains nothing."""
    other = data / "other"
    sealed(other, {**FILES, "whoosh/a.seg": b"evil"})
    shutil.rmtree(folder(data))
    shutil.copytree(folder(other), folder(data))
    assert generations.check_files(other, FIRST).generation == FIRST
    with pytest.raises(GenerationDamaged, match=r"manifest\.json 不带本数据目录的签名（被改动过，或来自别处）"):
        generations.open_manifest(data, FIRST)


def test_the_key_is_for_its_owner_alone_and_stays_the_same(data: Path) -> None:
    key = (data / "key").read_bytes()
    sealed(data, FILES)
    assert (data / "key").stat().st_mode & 0o777 == 0o600
    assert (data / "key").read_bytes() == key and len(key) == 64


@given(content=st.binary(min_size=1, max_size=50), position=st.integers(min_value=0))
@settings(max_examples=50, deadline=None)
def test_any_flipped_bit_of_any_file_passes_opening_and_is_found_by_checking(content: bytes, position: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        manifest = sealed(data, {"a": content, "whoosh/b.seg": content})
        for path in manifest.files:
            file = folder(data) / path
            flip_bit(file, position % (8 * len(content)))
            assert generations.open_manifest(data, FIRST) == manifest
            with pytest.raises(GenerationDamaged, match=f"的文件 {path} 内容与校验值不符"):
                generations.check_files(data, FIRST)
            flip_bit(file, position % (8 * len(content)))
        assert generations.check_files(data, FIRST) == manifest


def test_any_flipped_bit_of_the_manifest_is_found_on_opening(data: Path) -> None:
    file = folder(data) / "manifest.json"
    bits = 8 * file.stat().st_size
    for position in range(0, bits, 7):  # 7 and 8 have no common divisor: every bit of a byte has its turn
        flip_bit(file, position)
        with pytest.raises(GenerationDamaged, match=r"manifest\.json"):
            generations.open_manifest(data, FIRST)
        flip_bit(file, position)
    assert generations.open_manifest(data, FIRST).generation == FIRST


def test_what_an_interrupted_build_left_is_cleared_by_the_next_and_nothing_else(data: Path) -> None:
    interrupted = generations.begin(data)
    write_files(interrupted.folder, {"whoosh/half.seg": "一半"})
    draft = generations.begin(data)
    assert draft.name == interrupted.name
    assert list(draft.folder.iterdir()) == []
    generations.discard(draft)
    assert [path.name for path in folder(data).parent.iterdir()] == [FIRST]
    assert generations.check_files(data, FIRST).generation == FIRST


@pytest.fixture
def other_build(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the build lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, tmp_path / "data"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)


def test_a_second_process_cannot_build_until_the_first_has_ended(
    tmp_path: Path, other_build: subprocess.Popen[str]
) -> None:
    data = tmp_path / "data"
    with pytest.raises(BuildRunning, match="正在建立另一代索引"), generations.build_lock(data):
        pass
    other_build.communicate(timeout=PATIENCE_SECONDS)  # ends its input
    with generations.build_lock(data):
        assert other_build.returncode == 0


def test_the_lock_of_a_killed_build_is_free(tmp_path: Path, other_build: subprocess.Popen[str]) -> None:
    other_build.send_signal(signal.SIGKILL)
    other_build.wait(PATIENCE_SECONDS)
    with generations.build_lock(tmp_path / "data"):
        assert (tmp_path / "data" / "build.lock").exists()


def test_another_data_directory_may_be_built_meanwhile(tmp_path: Path, other_build: subprocess.Popen[str]) -> None:
    with generations.build_lock(tmp_path / "elsewhere"):
        assert other_build.poll() is None


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "缺失"), ("", "缺失或为空"), ("zz", "损坏"), ("00" * 31, "损坏")]
)
def test_a_missing_or_spoilt_key_names_itself_and_its_cure(data: Path, content: str | None, complaint: str) -> None:
    (data / "key").unlink()
    if content is not None:
        (data / "key").write_text(content)
    with pytest.raises(GenerationDamaged) as caught:
        generations.open_manifest(data, FIRST)
    assert "key" in str(caught.value) and complaint in str(caught.value)
    assert "备份" in str(caught.value) and "roll-back" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "gen-1\n", "\x00\xff", "../../etc"])
def test_a_spoilt_current_is_a_sentence(data: Path, content: str) -> None:
    (data / "CURRENT").write_text(content, encoding="latin-1")
    with pytest.raises(GenerationMissing, match="CURRENT 文件内容损坏"):
        generations.current(data)


def test_a_switch_checks_every_byte_first(data: Path) -> None:
    file = data / "generations" / FIRST / "whoosh" / "a.seg"
    file.write_bytes(bytes(file.stat().st_size))
    before = (data / "CURRENT").read_bytes() if (data / "CURRENT").exists() else None
    with pytest.raises(GenerationDamaged, match=r"a\.seg"):
        generations.switch_to(data, FIRST)
    assert ((data / "CURRENT").read_bytes() if (data / "CURRENT").exists() else None) == before
