"""Which places of a plan are lively: those that were found to have changed again and again.

What is done with such places is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .lively import Lively
from .parts import Plan
from .search import is_plain

__all__ = ["LATE", "LONGEST_LIST", "OFTEN", "SOON", "gather", "liven", "liven_alike"]

#: So many saves after it was last asked which places are lively it is asked again: sooner where another watch begins in any case,
#: and when it was never asked. Those are that were found to have changed so many times since.
SOON, LATE, OFTEN = 16, 64, 4
#: Of a longer list it is not counted which items change.
LONGEST_LIST = 64


def liven(plan: Plan, contents: Sequence[Any]) -> set[int]:
    """Find out which places were found to have changed so often since the last time that it is better not to watch them.

    The addresses of what is not to be watched any more.
    """
    left: set[int] = set()
    for place, entry in plan.warm.items():
        heat, content = entry.heat, contents[place]
        entry.heat = None
        if heat is None or entry.places is None:
            continue
        keys = [key for key, count in heat.items() if count >= OFTEN and (entry.keyed or is_plain(content[key]))]
        if keys:
            entry.loose |= {key for key in keys if key in entry.volatile or not is_plain(content[key])}
            entry.liven(keys, content)
            left |= entry.unwatched
            if entry.keyed:
                plan.habits[tuple(content)] = entry.lively, entry.loose
    plan.warm, plan.livened = {}, plan.saves
    return left


def liven_alike(plan: Plan, contents: Sequence[Any], places: Iterable[int]) -> bool:
    """In new mappings the same places are lively as in others with the same keys. Whether there are any."""
    found = False
    for place in places:
        entry, content = plan.entries[place], contents[place]
        habit = plan.habits.get(tuple(content)) if entry.keyed else None
        if habit is not None:
            found, (keys, loose) = True, habit
            entry.loose |= {key for key in keys if key in loose or not is_plain(content[key])}
            entry.liven(keys, content)
    return found


def gather(plan: Plan) -> None:
    """Put together which places are lively."""
    plan.lively = Lively(
        (place, entry.obj, [key for key in entry.lively if key not in entry.loose], [*entry.loose.intersection(entry.lively)])
        for place, entry in enumerate(plan.entries)
        if entry.lively
    )
