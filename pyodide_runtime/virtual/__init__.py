"""Whole matches without a browser: hosts, their clocks and the lines between them, all virtual, faster than real time.

The way of the data: a `scenario` says what is played, under what; `inputs` give the players' actions; the `table` seats
the hosts and lets time pass; `oracle` runs the confirmed inputs again without a network and compares; `report` says what
came out; `schedule` is all of it written down, to be played again, and `shrinking` makes that small. `simulate` does one
after the other, and `command` does so for the command line. Nothing here is needed in a browser.
"""

from __future__ import annotations
