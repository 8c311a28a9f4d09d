"""What it costs that a tick is called from JavaScript: bytes in, one call, bytes out, with a participant that does nothing."""

from __future__ import annotations

import json
from typing import Any

from pyodide_runtime import worker

__all__ = ["measure"]

_LOOP = """
(tick, inboxBytes, calls, samples) => {
  const inbox = new Uint8Array(inboxBytes);
  const found = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const began = performance.now();
    for (let call = 0; call < calls; call += 1) tick(began, inbox);
    found.push(((performance.now() - began) * 1000) / calls);
  }
  return JSON.stringify(found);
}
"""

CALLS, SAMPLES = 400, 25


class _Idle:
    """Answers every tick with the same bytes."""

    def __init__(self, size: int) -> None:
        self._answer = bytes(size)

    def tick(self, now: float, inbox: bytes) -> bytes:
        return self._answer


def measure(request: str) -> str:
    """Times of one call of `worker.tick`, in microseconds, each the mean of 400: a page's clock may tick every 100 us only.

    Args:
        request: JSON of `inbox` and `outbox`, sizes in bytes.

    Returns:
        JSON: a list of samples.
    """
    from pyodide.code import run_js

    values = json.loads(request)
    before: Any = worker._participant
    worker._participant = _Idle(values["outbox"])  # type: ignore[assignment]
    try:
        found: str = run_js(_LOOP)(worker.tick, values["inbox"], CALLS, SAMPLES)
    finally:
        worker._participant = before
    return found
