"""What an experiment's `draw` returns, as bytes for the page: a picture, or a scene of shapes.

The layout is the VIEW record of the bridge: form 0 is a scene as JSON; form 1 is a picture, with width and height
as two bytes each and the number of channels, and pixels from offset 8. Nothing here knows of canvases or frames.
"""

from __future__ import annotations

import inspect
import json
import math
import numbers
import struct
from collections.abc import Callable, Mapping
from typing import Any

from .errors import DrawingError

__all__ = ["DEFAULT_SIZE", "Drawing", "encode_view"]

#: Width and height of a scene that does not say.
DEFAULT_SIZE = (600, 400)

_PICTURE = struct.Struct("<BHHBxx")


class Drawing:
    """How one environment is drawn.

    Args:
        draw: the experiment's function of the environment, or of the environment and the name of the player who
            looks; None:
            the environment's own `render()`, which must give an RGB array.
        player: the name of the player who looks.
    """

    def __init__(self, draw: Callable[..., Any] | None, player: str | None = None) -> None:
        self._draw = draw
        self.player = player
        self._takes_player = draw is not None and _takes_two(draw)

    def view(self, env: Any) -> bytes:
        """The view of an environment.

        Raises:
            DrawingError: what was returned is neither a picture nor shapes. What `draw` itself raises is passed on.
        """
        if self._draw is None:
            value = env.render()
            if value is None:
                raise DrawingError(
                    "the experiment has no draw function, and the environment's render() gave nothing; "
                    'write a draw function, or make the environment with render_mode="rgb_array"'
                )
        else:
            value = self._draw(env, self.player) if self._takes_player else self._draw(env)
        return encode_view(value)

    @staticmethod
    def size(view: bytes) -> tuple[int, int]:
        """Width and height of an encoded view."""
        if view[0] == 1:
            _, width, height, _ = _PICTURE.unpack_from(view)
            return width, height
        scene = json.loads(view[1:])
        return scene["width"], scene["height"]


def _takes_two(draw: Callable[..., Any]) -> bool:
    try:
        inspect.signature(draw).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True


def encode_view(value: Any) -> bytes:
    """The bytes of what `draw` returned.

    Args:
        value: an array of shape (height, width, 3 or 4) and dtype uint8; a list of shapes; or a mapping with
            `shapes` and, if
            need be, `width`, `height` and `background`.

    Raises:
        DrawingError: it is none of these.
    """
    shape = getattr(value, "shape", None)
    if shape is not None:
        fits = len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > 0 and max(shape[:2]) <= 0xFFFF
        if not fits or str(value.dtype) != "uint8":
            raise DrawingError(f"a picture is an array of shape (height, width, 3 or 4) of uint8, not {shape} of {value.dtype}")
        pixels: bytes = value.tobytes()
        return _PICTURE.pack(1, shape[1], shape[0], shape[2]) + pixels
    scene: dict[str, Any] = {"width": DEFAULT_SIZE[0], "height": DEFAULT_SIZE[1], "background": "#ffffff"}
    if isinstance(value, Mapping):
        scene.update(value)
    elif isinstance(value, list | tuple):
        scene["shapes"] = value
    if not isinstance(scene.get("shapes"), list | tuple):
        raise DrawingError(f"draw returned {_short(value)}; return an RGB array, a list of shapes, or a dict with 'shapes'")
    for name in ("width", "height"):
        size = scene[name]
        if isinstance(size, bool) or not isinstance(size, numbers.Real) or not 0 < float(size) < math.inf:
            raise DrawingError(f"the {name} of the scene is {_short(size)}; give a number above 0")
    for shape_ in scene["shapes"]:
        if type(shape_) is dict and type(shape_.get("shape")) is str:
            continue
        if not isinstance(shape_, Mapping) or not isinstance(shape_.get("shape"), str):
            raise DrawingError(f"{_short(shape_)} is not a shape; a shape is a dict such as {{'shape': 'rect', 'x': 0, ...}}")
    try:
        return b"\0" + _TO_JSON(scene).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DrawingError(f"the shapes cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{_short(value)} is no number, text, list or dict")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


_TO_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain).encode
