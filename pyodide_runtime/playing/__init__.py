"""One match, as one of its hosts plays it: who is there, what is played when, what is said to whom, and how it ends.

The way of the data: the `match` opens packets and hands each to the room that it is for. `arrivals` takes the inputs of others,
`greetings` hellos, `statements` what is said of hosts that are gone, `endings` how episodes end, `dispute` what is asked when data
differ. `pacing` says when the next frame is due and `delays` by which delay inputs are taken, the `course` simulates it and writes
what is final, and `sending` tells the others, by way of the `outbox`. Beside that, `attention` is whether the page is hidden,
`silence` who was not heard for too long, `lineup` who is there, `absences` what becomes of those who are not, and `attendance` what
follows from somebody's coming or going. Each says what it has found; the match alone goes from phase to phase. None of them knows
of transports, pages or files.
"""

from __future__ import annotations
