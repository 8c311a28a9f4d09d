"""The laws of the lock file: it names what is there, as it is there, and nothing else decides its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.wheels.made_up import Workshop, make_wheel
from wheels.errors import LockError
from wheels.lock import check_lock, make_lock


def edit(workshop: Workshop, change: Callable[[dict[str, Any]], object]) -> None:
    path = workshop.out / "pyodide-lock.json"
    content = json.loads(path.read_text())
    change(content["packages"])
    path.write_text(json.dumps(content))


@pytest.fixture
def laid_out(workshop: Workshop) -> Workshop:
    workshop.lay_out()
    return workshop


def test_the_core_s_information_is_kept_as_it_is(laid_out: Workshop) -> None:
    core = json.loads((laid_out.base / "npm" / "pyodide-lock.json").read_text())
    made = json.loads((laid_out.out / "pyodide-lock.json").read_text())
    assert made["info"] == core["info"]


def test_the_text_does_not_depend_on_the_order_of_the_wheels(workshop: Workshop) -> None:
    core = workshop.base / "npm" / "pyodide-lock.json"
    one, two = (make_wheel(workshop.out.parent, name, "1") for name in ("one", "two"))
    texts = {make_lock(core, kept=["numpy"], wheels=wheels) for wheels in ([one, two], [two, one])}
    assert len(texts) == 1


def test_a_core_lock_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pyodide-lock.json"
    for text in ("", "[]", "{}", '{"info": {}, "packages": {}}'):
        path.write_text(text)
        with pytest.raises(LockError, match=str(path)):
            make_lock(path, kept=[], wheels=[])


def test_a_laid_out_folder_is_consistent(laid_out: Workshop) -> None:
    assert {entry.name for entry in check_lock(laid_out.out)} == {"numpy", "game", "pyodide-runtime"}


def test_a_locked_file_that_is_missing_is_named(laid_out: Workshop) -> None:
    (laid_out.out / "game-1.2-py3-none-any.whl").unlink()
    with pytest.raises(LockError, match=r"game-1\.2-py3-none-any\.whl is missing"):
        check_lock(laid_out.out)


def test_a_locked_file_with_other_bytes_is_named(laid_out: Workshop) -> None:
    with (laid_out.out / "game-1.2-py3-none-any.whl").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(LockError, match=r"wrong hash for game-1\.2-py3-none-any\.whl"):
        check_lock(laid_out.out)


def test_a_dependency_without_an_entry_is_named(laid_out: Workshop) -> None:
    edit(laid_out, lambda packages: packages.pop("numpy"))
    with pytest.raises(LockError, match="game depends on numpy, which has no entry"):
        check_lock(laid_out.out)


def test_a_requirement_that_the_lock_left_out_is_named(laid_out: Workshop) -> None:
    edit(laid_out, lambda packages: packages["game"].update(depends=[]))
    with pytest.raises(LockError, match="game requires numpy>=2, which is not among its dependencies"):
        check_lock(laid_out.out)


def test_a_file_outside_the_folder_is_refused(laid_out: Workshop) -> None:
    edit(laid_out, lambda packages: packages["game"].update(file_name="../pypi/game-1.2-py3-none-any.whl"))
    with pytest.raises(LockError, match="does not lie in the folder itself"):
        check_lock(laid_out.out)


def test_all_that_is_wrong_is_said_at_once(laid_out: Workshop) -> None:
    (laid_out.out / "game-1.2-py3-none-any.whl").unlink()
    (laid_out.out / "numpy-2.4.3-py3-none-any.whl").unlink()
    with pytest.raises(LockError) as caught:
        check_lock(laid_out.out)
    assert len(caught.value.problems) == 2
