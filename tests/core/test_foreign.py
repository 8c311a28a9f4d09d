"""Laws of what libraries written in C hold: pygame's surfaces, masks, rectangles, vectors, colours, and its tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pygame
import pygame.freetype
import pytest

from pyodide_runtime.errors import SnapshotError
from pyodide_runtime.snapshots.canonical import digest
from pyodide_runtime.snapshots.graph import Checkpointer
from tests.core.graphs import Thing


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.init()
    pygame.freetype.init()
    yield
    pygame.quit()


class Tank(pygame.Rect):
    """A rectangle with attributes of its own."""

    shells = 3


def surface(**settings: Any) -> pygame.Surface:
    made = pygame.Surface((5, 3), **settings)
    made.fill((1, 2, 3))
    return made


def set_clip(picture: pygame.Surface) -> None:
    picture.set_clip((1, 1, 2, 2))


def fire(tank: Tank) -> None:
    tank.shells -= 1
    tank.x += 1


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "pixels": (surface, lambda picture: picture.set_at((2, 2), (9, 9, 9))),
    "pixels of eight bits": (lambda: pygame.Surface((3, 3), depth=8), lambda picture: picture.fill(7)),
    "pixels of a part": (lambda: surface().subsurface((1, 1, 2, 2)), lambda picture: picture.fill((8, 8, 8))),
    "alpha": (surface, lambda picture: picture.set_alpha(100)),
    "colour key": (surface, lambda picture: picture.set_colorkey((1, 2, 3))),
    "clip": (surface, set_clip),
    "mask": (lambda: pygame.mask.Mask((40, 3)), lambda mask: mask.set_at((33, 1))),
    "rectangle": (lambda: pygame.Rect(1, 2, 3, 4), lambda rect: rect.move_ip(5, 6)),
    "rectangle of floats": (lambda: pygame.FRect(1, 2, 3, 4.5), lambda rect: rect.move_ip(0.5, 0)),
    "rectangle with attributes": (lambda: Tank(1, 2, 3, 4), fire),
    "vector": (lambda: pygame.Vector2(1, 2), lambda vector: vector.rotate_ip(30)),
    "vector of three": (lambda: pygame.Vector3(1, 2, 3), lambda vector: vector.scale_to_length(9)),
    "colour": (lambda: pygame.Color(1, 2, 3, 4), lambda color: color.update(5, 6, 7, 8)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_comes_back_in_place(name: str) -> None:
    make, change = CHANGES[name]
    root = Thing(one=make())
    root.two = [root.one]
    held = root.one
    checkpointer = Checkpointer([root])
    checkpoint, before = checkpointer.save(), digest([root])
    assert digest([Thing(one=(other := make()), two=[other])]) == before
    for _ in range(2):
        change(root.one)
        changed = checkpointer.save()
        after = digest([root])
        assert after != before
        checkpointer.restore(checkpoint)
        assert digest([root]) == before and root.one is root.two[0] is held
        assert digest([root], changed.contents_by_identity()) == after
        checkpointer.restore(changed)
        assert digest([root]) == after
        checkpointer.restore(checkpoint)


def test_what_did_not_change_is_kept_once() -> None:
    root = Thing(picture=pygame.Surface((300, 300)))
    checkpointer = Checkpointer([root])
    one, two = checkpointer.save(), checkpointer.save()
    assert two.own_bytes(one) < 10_000


def test_tools_are_left_alone() -> None:
    root = Thing(clock=pygame.time.Clock(), fonts=[pygame.font.Font(None, 12), pygame.freetype.Font(None, 12)], n=1)
    clock = root.clock
    checkpointer = Checkpointer([root])
    checkpoint = checkpointer.save()
    root.n, root.clock = 2, None
    checkpointer.restore(checkpoint)
    assert root.n == 1 and root.clock is clock


def test_what_nobody_knows_is_refused_by_name_if_it_says_of_which_module_or_not() -> None:
    generator = (number for number in range(3))
    with pytest.raises(SnapshotError, match=r"a builtins.generator \(found from Thing\) can be neither copied nor written back"):
        Checkpointer([Thing(one=generator)]).save()
    nameless = eval("make('Handle', (base,), {})", {"make": type, "base": zip, "__builtins__": {}})
    assert not hasattr(nameless, "__module__")
    with pytest.raises(SnapshotError, match=r"a Handle \(found from Thing\) can be neither copied nor written back"):
        Checkpointer([Thing(one=nameless(generator))]).save()
