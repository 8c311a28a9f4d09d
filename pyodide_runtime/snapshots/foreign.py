"""What objects of libraries written in C mean to a checkpoint, where neither a copy nor a pickle of them can be had.

Environments that draw themselves with pygame hold its surfaces, fonts and clocks, whether anything is drawn or not. Nothing of
these libraries is imported here: types are known by their names. Nothing here knows of graphs or environments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import SnapshotError
from .contents import Kind

__all__ = ["MaskKind", "NumbersKind", "SurfaceKind", "foreign_kind", "full_name", "is_tool"]


class NumbersKind(Kind):
    """Something that is a few numbers, and takes new ones: a rectangle, a vector, a colour."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = tuple(obj)
        return before if before == now else now

    def restore(self, obj: Any, contents: Any) -> None:
        if tuple(obj) != contents:
            obj.update(*contents)

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class SurfaceKind(Kind):
    """A picture in memory: its pixels as they lie there, and what it does to what is drawn on it or from it.

    The pixels of a part of another picture lie in that one.
    """

    def capture(self, obj: Any, before: Any) -> Any:
        parent = None if obj.get_parent() is None else obj.get_abs_parent()
        pixels = obj.get_buffer().raw if parent is None else obj.get_abs_offset()
        colorkey = obj.get_colorkey()
        settings = obj.get_alpha(), None if colorkey is None else tuple(colorkey), tuple(obj.get_clip())
        if before is not None and before[0] == pixels and before[1] == settings:
            return before
        return pixels, settings, parent

    def restore(self, obj: Any, contents: Any) -> None:
        pixels, (alpha, colorkey, clip), parent = contents
        if parent is None:
            buffer = obj.get_buffer()
            if buffer.length != len(pixels):
                raise SnapshotError(f"a {type(obj).__name__} of pygame has another size than when it was captured")
            if buffer.raw != pixels:
                buffer.write(pixels)
        if obj.get_alpha() != alpha:
            obj.set_alpha(alpha)
        if obj.get_colorkey() != colorkey:
            obj.set_colorkey(colorkey)
        obj.set_clip(clip)

    def parts(self, contents: Iterable[Any]) -> Iterable[Any]:
        return contents


class MaskKind(Kind):
    """A mask of bits, as they lie in memory."""

    def capture(self, obj: Any, before: Any) -> Any:
        now = bytes(memoryview(obj))
        return before if now == before else now

    def restore(self, obj: Any, contents: Any) -> None:
        memoryview(obj).cast("B")[:] = contents


_NUMBERS = NumbersKind()
_KINDS: dict[str, Kind] = {
    "pygame.rect.Rect": _NUMBERS,
    "pygame.rect.FRect": _NUMBERS,
    "pygame.math.Vector2": _NUMBERS,
    "pygame.math.Vector3": _NUMBERS,
    "pygame.color.Color": _NUMBERS,
    "pygame.surface.Surface": SurfaceKind(),
    "pygame.mask.Mask": MaskKind(),
}
#: What draws, sounds, listens or tells the time: it holds nothing that a step depends on.
_TOOLS = {
    "pygame.time.Clock",
    "pygame.font.Font",
    "pygame.freetype.Font",
    "pygame.mixer.Sound",
    "pygame.mixer.Channel",
    "pygame.event.Event",
    "pygame.joystick.Joystick",
    "pygame.display.VidInfo",
    "pygame.window.Window",
}


def foreign_kind(kind: type) -> tuple[type, Kind] | None:
    """The type of a library from which this one is derived, or which it is, and how its contents are captured. None if none."""
    for base in kind.__mro__:
        found = _KINDS.get(full_name(base))
        if found is not None:
            return base, found
    return None


def is_tool(kind: type) -> bool:
    """Whether objects of this type are tools of a library, no part of any state."""
    return any(full_name(base) in _TOOLS for base in kind.__mro__)


def full_name(kind: type) -> str:
    """A type's name with that of its module; types that C code makes need not say where they are from."""
    module = getattr(kind, "__module__", None)
    return kind.__qualname__ if module is None else f"{module}.{kind.__qualname__}"
