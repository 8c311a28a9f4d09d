"""Laws of the ledger: its chain covers every cell of every row, and the state where it is told one."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from pyodide_runtime.actions import codec_for
from pyodide_runtime.ledger import CHAIN_SIZE, EpisodeLedger
from pyodide_runtime.rollback.session import FinalFrame
from pyodide_runtime.simulation import StepRecord
from tests.core.plain import Discrete

infos = st.dictionaries(st.text(max_size=5), st.one_of(st.text(), st.integers(), st.floats(), st.booleans()), max_size=4)


def link(before: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(before + data, digest_size=CHAIN_SIZE, person=b"rows").digest()


@given(st.lists(st.tuples(infos, infos, st.sampled_from([b"", b"a digest of states"])), max_size=5))
def test_each_link_is_a_digest_of_the_one_before_the_state_and_the_cells(
    frames: list[tuple[dict[str, object], dict[str, object], bytes]],
) -> None:
    ledger = EpisodeLedger(2, 7, ("p", "q%s"), [codec_for(Discrete())] * 2)
    chain = [hashlib.blake2b(b"2:7:p,q%s", digest_size=CHAIN_SIZE, person=b"rows").digest()]
    for frame, (one, two, state) in enumerate(frames):
        actions, numbers, flags = (b"\0", b"\2"), (0.5, -1.0), (False, True)
        record = StepRecord(frame, actions, actions, numbers, numbers, flags, flags, (one, two))  # type: ignore[arg-type]
        row = ledger.append(FinalFrame(record, (b"\1\0", b"\0\2")), state)
        chain.append(link(chain[-1], state + "\x1f".join(f"{column}\x1e{text}" for column, text in row.cells).encode()))
        assert dict(row.cells)["frame"] == str(frame)
    assert [ledger.chain(rows) for rows in range(len(frames) + 1)] == chain and ledger.newest == chain[-1]
