"""Laws of `python -m pyodide_runtime bundle`: what is in the folder, what it refuses, and that it says why."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.bundle.conftest import WHEELS, Bench, sha256


def test_every_file_is_in_the_manifest_with_its_size_and_hash(bench: Bench) -> None:
    assert bench.bundle()[0] == 0
    files = bench.files()
    del files["bundle.json"]
    assert {name: (len(content), sha256(content)) for name, content in files.items()} == {
        name: (entry["bytes"], entry["sha256"]) for name, entry in bench.manifest()["files"].items()
    }


def test_only_what_the_requirements_need_is_in_it(bench: Bench) -> None:
    bench.bundle()
    wheels = {name.rpartition("/")[2].partition("-")[0] for name in bench.files() if name.endswith(".whl")}
    assert wheels == {"game", "numpy", "typing_extensions", "pyodide_runtime"}
    lock = json.loads(bench.one("pyodide-*/pyodide-lock.json").read_text())
    assert set(lock["packages"]) == {"game", "numpy", "typing-extensions", "pyodide-runtime"}
    assert not [name for name in bench.files() if name.endswith((".d.ts", ".mjs.map")) or "/node/" in name or "/tests/" in name]
    versions = bench.manifest()["versions"]
    assert versions["packages"] == {name: WHEELS[name][0] for name in ("game", "numpy", "typing-extensions")} | {
        "pyodide-runtime": versions["pyodide_runtime"]
    }


def test_the_page_names_everything_by_relative_addresses_that_lead_to_files(bench: Bench) -> None:
    bench.bundle()
    page = (bench.out / "index.html").read_text()
    assert "<title>Soup &amp; Bread</title>" in page
    addresses = re.findall(r'(?:src|content)="([^"]+)"', page)
    assert addresses and all((bench.out / address).is_file() for address in addresses)
    assert '"/' not in page
    config = bench.one("experiment-*/experiment.json")
    told = json.loads(config.read_text())
    assert (config.parent / told["distribution"] / "pyodide.mjs").is_file()
    assert (config.parent / told["sprites"]["chef"]).read_bytes() == b"\x89PNG chef"
    assert set(told["experiment"]["files"]) == {"soup.py", "beside.py"}
    assert (told["pages"], told["seed"], told["server"]) == (1, None, None)


def test_the_same_experiment_makes_the_same_bytes_each_time(bench: Bench) -> None:
    bench.bundle()
    first = bench.files()
    for file in bench.distribution.iterdir():
        file.touch()
    bench.bundle(out=bench.folder / "elsewhere")
    assert bench.files(bench.folder / "elsewhere") == first


def test_what_did_not_change_keeps_its_address_and_what_changed_gets_another(bench: Bench) -> None:
    bench.bundle()
    before = {path.name for path in bench.out.iterdir()}
    (bench.folder / "beside.py").write_text('NAME = "Soup"\n')
    bench.bundle()
    changed = before ^ {path.name for path in bench.out.iterdir()}
    assert {name.partition("-")[0] for name in changed} == {"experiment"}
    assert len(changed) == 2, "the old one is gone"


def test_sizes_are_printed_by_part_and_in_all(bench: Bench) -> None:
    _, printed, _ = bench.bundle()
    assert re.search(r"Pyodide +\d+\.\d\d MB +\d+\.\d\d MB  314\.0\.4", printed)
    assert re.search(r"packages .*game 1\.2, numpy 2\.4\.3, pyodide-runtime", printed)
    assert re.search(r"total +\d+\.\d\d MB", printed)
    assert f"written to {bench.out}" in printed


# -- what is missing or wrong --------------------------------------------------------------------------------------------


def _no_numpy(packages: dict[str, Any]) -> None:
    del packages["numpy"]


def test_a_package_that_the_lock_lacks_is_named_with_who_needs_it(bench: Bench) -> None:
    bench.change_lock(_no_numpy)
    status, _, told = bench.bundle()
    assert status == 2
    assert "game needs numpy, which pyodide-lock.json does not name; run `make wheels`" in told
    assert not bench.out.exists()


def test_all_that_is_missing_or_wrong_is_named_at_once(bench: Bench) -> None:
    (bench.distribution / "numpy-2.4.3-py3-none-any.whl").unlink()
    (bench.distribution / "game-1.2-py3-none-any.whl").write_bytes(b"tampered with")
    (bench.distribution / "pyodide.asm.wasm").write_bytes(b"damaged")
    status, _, told = bench.bundle()
    assert status == 2
    assert "numpy-2.4.3-py3-none-any.whl cannot be read (No such file or directory); run `make wheels`" in told
    assert f"game-1.2-py3-none-any.whl has the sha256 {sha256(b'tampered with')}, not " in told
    assert f"pyodide.asm.wasm has the sha256 {sha256(b'damaged')}, not " in told
    assert not bench.out.exists()


def test_what_is_not_needed_may_be_missing(bench: Bench) -> None:
    (bench.distribution / "pytest-9.0.2-py3-none-any.whl").unlink()
    (bench.distribution / "pyodide.d.ts").unlink()
    assert bench.bundle()[0] == 0


@pytest.mark.parametrize(
    ("requirement", "has"),
    [
        ("game==1.3", "(PYODIDE has game 1.2)"),
        ("absent-package", "pinned;"),
        ("my_lab @ https://example.org/my_lab-1.0-py3-none-any.whl", "pinned;"),
    ],
)
def test_a_requirement_from_elsewhere_is_refused_and_told_how_it_is_pinned(bench: Bench, requirement: str, has: str) -> None:
    bench.write_experiment(requirements=[requirement])
    status, _, told = bench.bundle()
    assert status == 2
    assert repr(requirement) in told and has.replace("PYODIDE", str(bench.distribution)) in told
    assert "wheels/manifest.toml" in told


@pytest.mark.parametrize("name", ["pyodide-lock.json", "core.json"])
@pytest.mark.parametrize("content", [None, b"{", b"{}", b'{"pyodide": "1", "files": {}, "info": {}, "packages": {}}'])
def test_a_distribution_that_cannot_be_read_is_one_message(bench: Bench, name: str, content: bytes | None) -> None:
    file = bench.distribution / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    status, _, told = bench.bundle()
    assert status == 2
    assert "Traceback" not in told and name in told and "make wheels" in told


def test_a_file_name_that_leads_elsewhere_is_refused(bench: Bench) -> None:
    bench.change_lock(lambda packages: packages["numpy"].update(file_name="../soup.py"))
    status, _, told = bench.bundle()
    assert status == 2 and "does not lie in" in told


def test_a_wheel_of_another_pyodide_runtime_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.change_lock(lambda packages: packages["pyodide-runtime"].update(version="0.0.9"))
    assert "is pyodide_runtime 0.0.9, but this is" in bench.bundle()[2]


def test_a_wheel_with_other_code_than_this_package_is_refused(bench: Bench) -> None:
    import zipfile

    (own,) = bench.distribution.glob("pyodide_runtime-*.whl")
    with zipfile.ZipFile(own, "w") as wheel:
        wheel.writestr("pyodide_runtime/errors.py", "yesterday = True\n")
    bench.change_lock(lambda packages: packages["pyodide-runtime"].update(sha256=sha256(own.read_bytes())))
    status, _, told = bench.bundle()
    assert status == 2 and "pyodide_runtime/errors.py differs; run `make wheels`" in told


def test_a_module_of_the_bridge_that_is_missing_is_named_with_who_imports_it(bench: Bench) -> None:
    (bench.bridge / "worker" / "worker.js").unlink()
    status, _, told = bench.bundle()
    assert status == 2 and "play.js imports ../worker/worker.js, which is not there" in told


def test_a_mistake_in_the_experiment_is_told_with_file_and_line(bench: Bench) -> None:
    bench.write_experiment(more="fps=-1,")
    status, _, told = bench.bundle()
    assert status == 2 and re.search(r"soup\.py:12: fps", told)


# -- the place -----------------------------------------------------------------------------------------------------------


def test_a_folder_that_it_did_not_make_is_left_alone(bench: Bench) -> None:
    bench.out.mkdir(parents=True)
    assert bench.bundle()[0] == 0, "an empty one will do"
    other = bench.folder / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("precious")
    status, _, told = bench.bundle(out=other)
    assert status == 2 and "is not empty, and no bundle" in told
    assert bench.files(other) == {"chapter.txt": b"precious"}
    status, _, told = bench.bundle(out=other / "chapter.txt")
    assert status == 2 and "is a file" in told


def test_a_bundle_with_something_added_is_left_alone(bench: Bench) -> None:
    bench.bundle()
    (bench.out / "CNAME").write_text("soup.example")
    before = bench.files()
    status, _, told = bench.bundle()
    assert status == 2 and "(CNAME)" in told
    assert bench.files() == before


def test_what_cannot_be_written_whole_leaves_the_old_bundle_and_nothing_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.bundle()
    before = bench.files()
    (bench.folder / "beside.py").write_text('NAME = "Other"\n')
    plain = Path.write_bytes

    def full(file: Path, content: bytes) -> int:
        if file.name == "bundle.json":
            raise OSError(28, "No space left on device")
        return plain(file, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    status, _, told = bench.bundle()
    assert status == 2 and "No space left on device" in told
    assert bench.files() == before
    assert [path.name for path in bench.out.parent.iterdir()] == ["soup"]


def test_a_rename_that_fails_puts_the_old_bundle_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    bench.bundle()
    before = bench.files()
    plain = os.rename

    def refuse(source: Any, target: Any) -> None:
        if Path(source).name == "new":
            raise OSError(13, "Permission denied")
        plain(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    assert bench.bundle()[0] == 2
    assert bench.files() == before


def test_others_may_read_what_is_written(bench: Bench) -> None:
    bench.bundle()
    for path in (bench.out, *bench.out.rglob("*")):
        assert path.stat().st_mode & stat.S_IROTH, path


# -- checking ------------------------------------------------------------------------------------------------------------


def test_a_bundle_as_it_was_made_passes_its_check_and_additions_are_told_of(bench: Bench) -> None:
    bench.bundle()
    status, printed, _ = bench.run("bundle", "--check", str(bench.out))
    assert status == 0 and "Soup & Bread" in printed and "all as they were bundled" in printed
    (bench.out / "CNAME").write_text("soup.example")
    status, printed, _ = bench.run("bundle", "--check", str(bench.out))
    assert status == 0 and "not checked: CNAME" in printed


def test_the_check_names_every_file_that_is_missing_or_changed(bench: Bench) -> None:
    bench.bundle()
    bench.one("pyodide-*/game-*.whl").unlink()
    (bench.out / "index.html").write_text("<h1>hello</h1>")
    status, _, told = bench.run("bundle", "--check", str(bench.out))
    assert status == 2
    assert re.search(r"game-1\.2-py3-none-any\.whl cannot be read: No such file", told)
    assert f"index.html has the sha256 {sha256(b'<h1>hello</h1>')}, not " in told


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"bundle": 2}', '{"bundle": 1}', '{"bundle": 1, "files": {"../../x": {}}}'])
def test_what_is_no_bundle_is_said_to_be_none(bench: Bench, manifest: str | None) -> None:
    bench.out.mkdir(parents=True)
    if manifest is not None:
        (bench.out / "bundle.json").write_text(manifest)
    status, _, told = bench.run("bundle", "--check", str(bench.out))
    assert status == 2 and "Traceback" not in told and "bundle" in told


def test_the_command_says_what_it_lacks(bench: Bench) -> None:
    assert "bundle EXPERIMENT.py --out DIR" in bench.run("bundle")[2]
    assert "stands alone" in bench.run("bundle", str(bench.folder / "soup.py"), "--check", str(bench.out))[2]


# -- match servers -------------------------------------------------------------------------------------------------------


def test_a_bundle_for_two_browsers_without_a_server_says_so(bench: Bench) -> None:
    bench.write_experiment(players=2)
    status, _, told = bench.bundle()
    assert status == 0 and "THIS BUNDLE CANNOT BE PLAYED" in told and "--server https://HOST" in told and "--allow-origin" in told


def test_players_who_share_a_browser_need_no_server(bench: Bench) -> None:
    bench.write_experiment(players=2, more='players_per_page=2, keys=[{"a": 1}, {"b": 1}],')
    assert bench.bundle()[2] == ""


def test_the_match_server_is_told_to_the_page_and_the_manifest(bench: Bench) -> None:
    bench.write_experiment(players=2, more="seed=5,")
    status, _, told = bench.bundle("--server", "https://Match.example:443/")
    assert status == 0 and "--allow-origin" in told and "CANNOT" not in told
    config = json.loads(bench.one("experiment-*/experiment.json").read_text())
    assert (config["server"], config["seed"]) == ("https://match.example", 5)
    assert bench.manifest()["server"] == "https://match.example"


def test_a_server_that_https_pages_cannot_reach_is_warned_of(bench: Bench) -> None:
    assert "is not https" in bench.bundle("--server", "http://match.example")[2]
    assert "is not https" not in bench.bundle("--server", "http://localhost:8000")[2]
    assert "is not https" not in bench.bundle("--server", "http://127.0.0.1:8000")[2]


@pytest.mark.parametrize(
    "wrong", ["match.example", "ftp://match.example", "https://match.example/x", "https://a b", "*", "https://"]
)
def test_an_address_that_is_no_origin_is_refused(bench: Bench, wrong: str) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.bundle("--server", wrong)
    assert ended.value.code == 2 and "is no origin" in bench.capture.readouterr().err
