"""The laws of laying out: only the pinned bytes, each fetched once, and a lock file that says the truth."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests.wheels.made_up import OWN_WHEEL, Workshop, make_wheel, sha256
from wheels.errors import FileNotAvailable, LockError, ManifestError, OwnWheelError, WrongHash
from wheels.layout import check_layout


def test_every_pinned_file_is_laid_out_and_locked(workshop: Workshop) -> None:
    done = workshop.lay_out()
    names = {"pyodide.mjs", "python_stdlib.zip", "numpy-2.4.3-py3-none-any.whl", "game-1.2-py3-none-any.whl"}
    assert {path.name for path in workshop.out.iterdir()} == names | {OWN_WHEEL, "core.json", "pyodide-lock.json"}
    assert set(done.placed) == names | {OWN_WHEEL, "core.json", "pyodide-lock.json"}
    assert set(done.downloaded) == names | {"pyodide-lock.json"}
    assert done.files == 7
    assert done.size == sum(path.stat().st_size for path in workshop.out.iterdir())
    lock = workshop.lock()
    assert set(lock) == {"numpy", "game", "pyodide-runtime"}
    for package in lock.values():
        assert package["sha256"] == sha256(workshop.out / str(package["file_name"]))
    assert check_layout(workshop.manifest(), workshop.out) == ["game", "numpy", "pyodide-runtime"]


def test_a_package_that_pyodide_built_keeps_its_entry(workshop: Workshop) -> None:
    workshop.lay_out()
    assert workshop.lock()["numpy"] == workshop.core_packages["numpy"]


def test_other_entries_come_from_the_wheel_as_pyodide_would_install_it(workshop: Workshop) -> None:
    workshop.lay_out()
    game = workshop.lock()["game"]
    assert game["depends"] == ["numpy"]
    assert game["imports"] == ["game"]
    assert game["version"] == "1.2"


def test_sources_are_asked_in_order_until_one_has_the_file(workshop: Workshop) -> None:
    workshop.lay_out()
    wheel = "numpy-2.4.3-py3-none-any.whl"
    told = [line for line in workshop.heard.lines if line[1] == wheel]
    assert told[:3] == [
        ("asking", wheel, "cdn"),
        ("refused", wheel, "cdn", "it is not on the shelf"),
        ("asking", wheel, "carrier"),
    ]
    assert told[3][0] == "placed" and told[3][3] == "carrier"


def test_wrong_bytes_are_refused_and_the_next_source_is_asked(workshop: Workshop) -> None:
    wheel = "numpy-2.4.3-py3-none-any.whl"
    (workshop.base / "cdn" / wheel).write_bytes(b"something else")
    workshop.lay_out()
    assert sha256(workshop.out / wheel) == workshop.manifest().wheels["numpy"].sha256
    refused = [line for line in workshop.heard.lines if line[0] == "refused"]
    assert len(refused) == 1
    assert "wrong hash" in refused[0][3]


def test_a_file_with_the_wrong_hash_everywhere_is_refused_and_named(workshop: Workshop) -> None:
    wheel = workshop.base / "pypi" / "game-1.2-py3-none-any.whl"
    pinned = sha256(wheel)
    manifest = workshop.manifest()
    wheel.write_bytes(b"tampered with")
    with pytest.raises(FileNotAvailable) as caught:
        workshop.lay_out()
    assert caught.value.file_name == wheel.name
    assert caught.value.sha256 == pinned == manifest.wheels["game"].sha256
    for part in (wheel.name, "pypi", "wrong hash", pinned, sha256(wheel), "--from"):
        assert part in str(caught.value)
    assert not (workshop.out / wheel.name).exists()
    assert not list(workshop.cache.rglob(wheel.name))


def test_a_missing_file_is_named_with_every_source_tried(workshop: Workshop) -> None:
    (workshop.base / "carrier" / "numpy-2.4.3-py3-none-any.whl").unlink()
    with pytest.raises(FileNotAvailable) as caught:
        workshop.lay_out()
    assert caught.value.file_name == "numpy-2.4.3-py3-none-any.whl"
    assert [attempt.source for attempt in caught.value.attempts] == ["cdn", "carrier"]
    assert not (workshop.out / "pyodide-lock.json").exists()


def test_a_second_run_asks_nothing_and_changes_nothing(workshop: Workshop) -> None:
    workshop.lay_out()
    workshop.asked()
    before = workshop.state()
    done = workshop.lay_out()
    assert workshop.asked() == []
    assert (done.placed, done.downloaded, done.removed) == ((), (), ())
    assert workshop.state() == before


def test_a_new_folder_is_laid_out_from_the_cache_alone(workshop: Workshop) -> None:
    workshop.lay_out()
    workshop.asked()
    shutil.rmtree(workshop.out)
    done = workshop.lay_out()
    assert workshop.asked() == []
    assert done.downloaded == ()
    assert len(done.placed) == 7


def test_a_damaged_file_is_laid_out_anew(workshop: Workshop) -> None:
    workshop.lay_out()
    (workshop.out / "pyodide.mjs").write_text("damaged")
    assert workshop.lay_out().placed == ("pyodide.mjs",)
    assert sha256(workshop.out / "pyodide.mjs") == workshop.manifest().core["pyodide.mjs"].sha256


def test_a_damaged_cache_is_fetched_anew(workshop: Workshop) -> None:
    workshop.lay_out()
    for cached in workshop.cache.rglob("pyodide.mjs"):
        cached.write_text("damaged")
    (workshop.out / "pyodide.mjs").unlink()
    assert workshop.lay_out().downloaded == ("pyodide.mjs",)
    assert sha256(workshop.out / "pyodide.mjs") == workshop.manifest().core["pyodide.mjs"].sha256


def test_a_change_of_the_sources_rebuilds_the_own_wheel_and_its_entry_alone(workshop: Workshop) -> None:
    workshop.lay_out()
    workshop.asked()
    before, lock = workshop.state(), workshop.lock()
    workshop.write_project("second")
    assert workshop.lay_out().placed == (OWN_WHEEL, "pyodide-lock.json")
    after = workshop.state()
    assert {name for name in after if after[name] != before[name]} == {OWN_WHEEL, "pyodide-lock.json"}
    assert workshop.asked() == []
    assert workshop.lock()["pyodide-runtime"]["sha256"] == sha256(workshop.out / OWN_WHEEL)
    assert {name: entry for name, entry in workshop.lock().items() if name != "pyodide-runtime"} == {
        name: entry for name, entry in lock.items() if name != "pyodide-runtime"
    }


def test_touched_but_unchanged_sources_change_nothing(workshop: Workshop) -> None:
    workshop.lay_out()
    before = workshop.state()
    for path in workshop.project.rglob("*.py"):
        os.utime(path, (1e9, 1e9))
    assert workshop.lay_out().placed == ()
    assert workshop.state() == before


def test_a_tree_that_does_not_build_is_a_clear_error_and_leaves_the_lock(workshop: Workshop) -> None:
    workshop.lay_out()
    before = workshop.state()
    (workshop.project / "pyproject.toml").write_text("[project")
    with pytest.raises(OwnWheelError, match="could not be built"):
        workshop.lay_out()
    assert workshop.state() == before


def test_what_left_the_manifest_leaves_the_folder_and_strangers_stay(workshop: Workshop) -> None:
    workshop.lay_out()
    (workshop.out / "notes.txt").write_text("somebody else's")
    workshop.unpin("game")
    assert workshop.lay_out().removed == ("game-1.2-py3-none-any.whl",)
    assert not (workshop.out / "game-1.2-py3-none-any.whl").exists()
    assert (workshop.out / "notes.txt").exists()
    assert set(workshop.lock()) == {"numpy", "pyodide-runtime"}


def test_a_dependency_that_is_not_pinned_is_named(workshop: Workshop) -> None:
    lonely = make_wheel(workshop.base / "pypi", "lonely", "1", requires=["absent>=2"])
    workshop.pin("wheel", "lonely", "1", lonely, ["pypi"])
    with pytest.raises(LockError, match="absent"):
        workshop.lay_out()


def test_a_dependency_in_the_wrong_version_is_named(workshop: Workshop) -> None:
    picky = make_wheel(workshop.base / "pypi", "picky", "1", requires=["game>=2"])
    workshop.pin("wheel", "picky", "1", picky, ["pypi"])
    with pytest.raises(LockError, match=r"picky requires game>=2, but game is 1\.2"):
        workshop.lay_out()


def test_a_wheel_for_another_platform_is_refused(workshop: Workshop) -> None:
    native = make_wheel(workshop.base / "pypi", "native", "1", tag="cp314-cp314-manylinux_2_28_x86_64")
    workshop.pin("wheel", "native", "1", native, ["pypi"])
    with pytest.raises(LockError, match="native-1-cp314"):
        workshop.lay_out()


def test_a_build_of_pyodide_that_its_lock_does_not_know_is_named(workshop: Workshop) -> None:
    other = make_wheel(workshop.base / "cdn", "other", "1")
    workshop.pin("wheel", "other", "1", other, ["cdn"])
    with pytest.raises(LockError, match="other is not in the core's lock"):
        workshop.lay_out()


def test_a_build_of_pyodide_with_another_hash_than_its_lock_says_is_named(workshop: Workshop) -> None:
    wheel = workshop.base / "carrier" / "numpy-2.4.3-py3-none-any.whl"
    make_wheel(wheel.parent, "numpy", "2.4.3", requires=["changed; os_name == 'nt'"])
    workshop.pin("wheel", "numpy", "2.4.3", wheel, ["carrier", "cdn"])
    with pytest.raises(LockError, match="wrong hash for numpy-2"):
        workshop.lay_out()


def test_the_own_wheel_cannot_be_pinned_too(workshop: Workshop) -> None:
    own = make_wheel(workshop.base / "pypi", "pyodide-runtime", "0.0.1")
    workshop.pin("wheel", "pyodide-runtime", "0.0.1", own, ["pypi"])
    with pytest.raises(ManifestError, match="built from the tree"):
        workshop.lay_out()


def test_the_check_names_a_core_file_that_is_missing_or_wrong(workshop: Workshop) -> None:
    workshop.lay_out()
    (workshop.out / "pyodide.mjs").write_text("damaged")
    with pytest.raises(WrongHash, match=r"pyodide\.mjs"):
        check_layout(workshop.manifest(), workshop.out)
    (workshop.out / "pyodide.mjs").unlink()
    with pytest.raises(FileNotAvailable, match="lay-out"):
        check_layout(workshop.manifest(), workshop.out)


def test_the_check_names_a_package_that_is_pinned_but_not_locked(workshop: Workshop) -> None:
    workshop.lay_out()
    late = make_wheel(workshop.base / "pypi", "late", "1")
    workshop.pin("wheel", "late", "1", late, ["pypi"])
    with pytest.raises(LockError, match="late has no entry"):
        check_layout(workshop.manifest(), workshop.out)


def test_the_check_names_a_package_that_is_locked_in_another_version(workshop: Workshop) -> None:
    workshop.lay_out()
    newer = make_wheel(workshop.base / "pypi", "game", "1.3", requires=["numpy>=2"])
    workshop.unpin("game")
    workshop.pin("wheel", "game", "1.3", newer, ["pypi"])
    with pytest.raises(LockError, match=r"game is game-1\.2-.*, not game-1\.3-"):
        check_layout(workshop.manifest(), workshop.out)


def test_the_folder_says_which_hashes_the_core_has_and_a_check_finds_what_it_does_not_say(workshop: Workshop) -> None:
    workshop.lay_out()
    told = json.loads((workshop.out / "core.json").read_text())
    assert told["files"] == {name: sha256(workshop.out / name) for name in ("pyodide.mjs", "python_stdlib.zip")}
    for wrong in (None, "{}"):
        (workshop.out / "core.json").unlink(missing_ok=True)
        if wrong is not None:
            (workshop.out / "core.json").write_text(wrong)
        with pytest.raises(LockError, match=r"core\.json"):
            check_layout(workshop.manifest(), workshop.out)
    assert workshop.lay_out().placed == ("core.json",)
    check_layout(workshop.manifest(), workshop.out)
