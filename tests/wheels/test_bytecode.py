"""The laws of wheels with compiled code: the same bytes each time, sources as they were, a true RECORD, nothing compiled twice."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wheels.bytecode import repack

SOURCES = {
    "game/__init__.py": "from .rules import WORD\n",
    "game/rules.py": "WORD = 'compiled'\n\n\ndef fail():\n    raise ValueError('on line 5')\n",
    "game/template.py": "{% this is no Python %}\n",
    "game/board.txt": "....\n",
    "game-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: game\nVersion: 1.0\n",
}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with a package of two modules, and a template that only looks like one."""
    path = tmp_path / "game-1.0-py3-none-any.whl"
    record = "".join(f"{name},sha256={_digest(text.encode())},{len(text)}\n" for name, text in SOURCES.items())
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**SOURCES, "game-1.0.dist-info/RECORD": f"{record}game-1.0.dist-info/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _repacked(wheel: Path) -> Path:
    target = wheel.parent / "compiled" / wheel.name
    target.parent.mkdir(exist_ok=True)
    assert repack(wheel, target, "/site") == 2
    return target


def test_the_same_wheel_gives_the_same_bytes_in_every_process(wheel: Path) -> None:
    first = _repacked(wheel).read_bytes()
    assert _repacked(wheel).read_bytes() == first
    script = Path(sys.modules[repack.__module__].__file__ or "")
    target = wheel.parent / "again.whl"
    subprocess.run([sys.executable, str(script), "/site", str(wheel), str(target)], check=True, env={"PYTHONHASHSEED": "7"})
    assert target.read_bytes() == first


def test_sources_stay_and_the_record_names_every_file_with_its_hash(wheel: Path) -> None:
    with zipfile.ZipFile(_repacked(wheel)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    for name, text in SOURCES.items():
        assert content[name] == text.encode()
    lines = [line.split(",") for line in content.pop("game-1.0.dist-info/RECORD").decode().splitlines()]
    recorded = {name: (digest.removeprefix("sha256="), size) for name, digest, size in lines if digest}
    assert recorded == {name: (_digest(found), str(len(found))) for name, found in content.items()}
    assert sorted(name for name in content if name.endswith(".pyc")) == [
        f"game/__pycache__/{module}.{sys.implementation.cache_tag}.pyc" for module in ("__init__", "rules")
    ]


def test_compiled_code_is_run_without_a_look_at_its_source_which_tracebacks_name(wheel: Path) -> None:
    site = wheel.parent / "site"
    with zipfile.ZipFile(_repacked(wheel)) as archive:
        archive.extractall(site)
    (site / "game" / "rules.py").write_text("WORD = 'from the source'\n", encoding="utf-8")
    code = "import game, game.rules\nprint(game.WORD)\nprint(game.rules.fail.__code__.co_filename)"
    told = subprocess.run([sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["compiled", str(site / "game" / "rules.py")]


def test_what_was_repacked_can_be_repacked_again(wheel: Path) -> None:
    once = _repacked(wheel)
    again = wheel.parent / "twice.whl"
    repack(once, again, "/site")
    assert again.read_bytes() == once.read_bytes()
