"""One participant's whole part: environment, match, keys, pictures and uploads, driven by one call a frame.

It takes flat records of what happened outside and gives flat records of what is to be done there (the layout is in
`records`), so it runs, and is tested, in CPython as in a worker. It knows nothing of JavaScript.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from .batch import Runtime
from .controls import Controls
from .drawing import Drawing
from .drops import OnDrop
from .errors import ExperimentError, PyodideRuntimeError, SessionError, WireError
from .experiment import Experiment
from .network.arbiter import are_incarnations
from .network.membership import LAST_INCARNATION
from .playing.attention import WhenHidden
from .playing.match import Match
from .records import Kind, Record, decode_inbox, encode_outbox, event, stats_record, upload_record
from .rollback.delay import InputDelay
from .rollback.inputs import Prediction, make_input
from .settings import MatchSettings, Outcome, Phase
from .uploads import UploadJournal
from .versions import versions

__all__ = ["STATS", "Participant"]

#: Names of the numbers in a STATS record, in order; JavaScript's names, for its page shows them.
STATS = (
    "frame", "confirmedFrame", "episode", "rollbacks", "deepestRollback", "replayedFrames", "sparedFrames", "mispredictions",
    "stalls", "roundTripMs", "bytesSent", "bytesReceived", "frameAdvantage", "distinctActions", "tickMs", "lastFrameIntervalMs",
)  # fmt: skip
#: How often a summary goes into the diagnostics, in ms.
SUMMARY_MS = 1000.0
#: How often to look who of the others is there, in ms.
PRESENCE_MS = 100.0
#: How long after the end to answer peers quickly, in ms, and how often after that to look at all.
LINGER_MS, IDLE_MS = 30_000.0, 1000.0
#: How often it is told how far a page that catches up has come, in ms.
CATCHING_UP_MS = 200.0
#: What an event of each type must hold.
EVENTS: Mapping[str, Mapping[str, type]] = {
    "key": {"key": str, "down": bool},
    "focus": {"focused": bool},
    "visibility": {"hidden": bool},
    "link": {"peer": int, "state": str},
    "stored": {"upload": int},
    "unstored": {"upload": int},
    "verdict": {"gone": list, "granted": bool},
    "leave": {},
}


class Participant:
    """A participant in an experiment.

    Args:
        experiment: as its file says.
        source: what the server sent of it: `files` (path to text), `module`, `requirements`, `settings`.

    Raises:
        ExperimentError: the environment does not fit the experiment.
        PyodideRuntimeError: the environment cannot be run.
    """

    def __init__(self, experiment: Experiment, source: Mapping[str, Any]) -> None:
        self._experiment = experiment
        self._source = source
        self.runtime = Runtime(
            experiment.environment(),
            max_steps=experiment.max_steps,
            snapshot_every=experiment.snapshot_every,
            players=experiment.players,
            partner=experiment.partner,
        )
        count = len(self.runtime.players)
        if count != experiment.players:
            raise ExperimentError(
                f"the environment has {count} players ({', '.join(self.runtime.players)}), but players={experiment.players}"
            )
        self._controls = [Controls(keys, experiment.default_action) for keys in experiment.keys_of_players]
        self._check_actions()
        self._drawing = Drawing(experiment.draw)
        self._first_view = self._view()
        #: Which page of its player's seat this is, from 0; told by the start.
        self.incarnation = 0
        self._links: dict[int, str] = {}
        self._match: Match | None = None
        self._journal: UploadJournal | None = None
        self._shown: tuple[int, int, int] | None = None
        self._phase = ""
        self._over_at = 0.0
        self._frame_at: float | None = None
        self._interval = self._tick_ms = 0.0
        self._intervals: list[float] = []
        self._summary_at = 0.0
        self._period = 1000.0 / experiment.fps
        self._told_at = 0.0
        self._actions: set[bytes] = set()
        self._draw_error = ""
        self._paused: tuple[str, ...] = ()
        self._away: dict[int, str] = {}
        self._looked_at = -PRESENCE_MS
        self._catching_up, self._caught_up_at = False, -CATCHING_UP_MS
        self._events: deque[Record] = deque()

    def about(self) -> dict[str, Any]:
        """What the page needs to know before the match."""
        width, height = Drawing.size(self._first_view)
        return {
            "stats": list(STATS),
            "width": width,
            "height": height,
            "keys": sorted(key for controls in self._controls for key in controls.keys),
            "instructions": self._experiment.instructions,
            "name": self._experiment.name,
        }

    def start(self, start: Mapping[str, Any]) -> None:
        """Begin the match: `session`, `seed`, `players` (each page that plays, with `player_id` and `index`) and the own `index`.

        An index beyond those of the pages that play only watches. `incarnation` says how many pages had this seat before in this
        session; none, if it is missing.

        Raises:
            SessionError: the match has begun already, or one of these is missing or cannot be.
        """
        if self._match is not None:
            raise SessionError("the match has begun already")
        experiment = self._experiment
        index, player_ids = _places(start, experiment.pages, experiment.spectators)
        incarnation = _incarnation(start)
        files = json.dumps([self._source.get("files"), self._source.get("module")], sort_keys=True).encode()
        terms = {
            "experiment": experiment.name,
            "experiment_files": hashlib.blake2b(files, digest_size=8).hexdigest(),
            "packages": versions()["packages"],
        }
        settings = MatchSettings(
            session=start["session"],
            seed=start["seed"],
            fps=experiment.fps,
            episodes=experiment.episodes,
            input_delay=InputDelay.of(experiment.input_delay),
            prediction_window=experiment.prediction_window,
            prediction=experiment.prediction if callable(experiment.prediction) else Prediction(experiment.prediction),
            state_digest_every=experiment.state_digest_every,
            disconnect_after_ms=experiment.disconnect_after_ms,
            hosts=experiment.hosts,
            arbitrated=True,
            spectators=experiment.spectators,
            on_drop=OnDrop(experiment.on_drop),
            return_within_ms=experiment.return_within_ms,
            when_hidden=WhenHidden(experiment.when_hidden),
            hidden_limit_ms=experiment.hidden_limit_ms,
            default_actions=(experiment.default_action,),
            terms=terms,
        )
        players = [self.runtime.players[place] for host in experiment.hosts[index : index + 1] for place in host]
        journal = UploadJournal(
            {
                "session": start["session"],
                "seed": start["seed"],
                "players": list(self.runtime.players),
                "player_ids": player_ids,
                "player": players[0] if players else None,
                "state_digest_every": settings.digest_every,
                "on_drop": settings.on_drop.value,
                "adaptive_delay": settings.adaptive_delay,
                "experiment": dict(self._source),
                "versions": versions(),
            },
            keeps=bool(players),
        )
        self._match = Match(self.runtime, host=index, settings=settings, journal=journal, incarnation=incarnation)
        self.incarnation = incarnation
        self._journal = journal
        self._drawing.player = players[0] if players else self.runtime.players[0]

    # -- one tick ----------------------------------------------------------------------------------------------------

    def tick(self, now_ms: float, inbox: bytes) -> bytes:
        """Take what happened, go on, and say what is to be done: the only call a frame.

        Raises:
            SessionError: before `start`.
            WireError: the inbox is malformed; nothing of it was taken.
        """
        match, journal = self._match, self._journal
        if match is None or journal is None:
            raise SessionError("the match has not begun")
        began = time.perf_counter()
        out: list[Record] = []
        for record, told in [(record, _told(record)) for record in decode_inbox(inbox)]:
            if told is None:
                match.receive(record.peer, record.payload, now_ms)
            else:
                self._take_event(told, match, journal, now_ms, out)
        stepped = match.tick(now_ms, self._sample)
        if stepped:
            self._pace(now_ms)
        out += [Record(Kind.PACKET, peer, channel, data) for peer, channel, data in match.outbox]
        match.outbox.clear()
        shown = self._show(match, out)
        self._summarise(match, journal, now_ms)
        self._tell_phase(match, journal, now_ms, out)
        out += [upload_record(chunk) for chunk in journal.due(now_ms, 0.0 if stepped else match.wake_at - now_ms)]
        out += self._events
        self._events.clear()
        self._tick_ms = (time.perf_counter() - began) * 1000
        # Between two frames little changes that anybody looks at; the page learns it with the next picture.
        if shown or match.phase is not Phase.PLAYING or now_ms - self._told_at >= self._period:
            self._told_at = now_ms
            out.append(stats_record(self._numbers(match)))
        wake = match.wake_at
        if match.phase is Phase.OVER and now_ms - self._over_at > LINGER_MS and journal.settled:
            wake = now_ms + IDLE_MS
        return encode_outbox(wake, out)

    def _take_event(self, told: Mapping[str, Any], match: Match, journal: UploadJournal, now: float, out: list[Record]) -> None:
        kind = told["type"]
        if kind == "key":
            for controls in self._controls:
                controls.press(told["key"], told["down"])
        elif kind == "focus":
            for controls in self._controls:
                controls.focus(told["focused"])
        elif kind == "visibility":
            match.hide(told["hidden"], now)
        elif kind == "link":
            self._note_link(told["peer"], told["state"], journal, now)
            if told["state"] == "closed":
                match.link_closed(told["peer"], now)
        elif kind == "stored":
            journal.stored(told["upload"])
        elif kind == "unstored":
            journal.unstored(told["upload"], now)
            self._log(f"a chunk was not stored and is sent again: {told.get('error', '')}")
        elif kind == "verdict":
            match.take_verdict([(host, incarnation) for host, incarnation in told["gone"]], told["granted"])
        elif kind == "leave":
            match.leave("the page was closed")
            out += [upload_record(chunk) for chunk in journal.leave()]

    def _note_link(self, peer: int, state: str, journal: UploadJournal, now: float) -> None:
        """Which way packets go to a peer matters to nobody here but the readers of the diagnostics."""
        if self._links.get(peer) != state:
            self._links[peer] = state
            journal.note({"event": "link", "peer": peer, "state": state, "at_ms": round(now, 1)})

    def _sample(self, player: int) -> bytes:
        assert self._match is not None
        controls = self._controls[self._match.players.index(player)]
        data = make_input(self.runtime.simulation.codecs[player].encode(controls.sample()), controls.focused)
        if len(self._actions) < 10_000:
            self._actions.add(data[1:])
        return data

    def _pace(self, now: float) -> None:
        if self._frame_at is not None:
            self._interval = now - self._frame_at
            self._intervals.append(self._interval)
        self._frame_at = now

    # -- what is seen ------------------------------------------------------------------------------------------------

    def _view(self) -> bytes:
        return self.runtime.simulation.show(self._drawing.view)

    def _show(self, match: Match, out: list[Record]) -> bool:
        """Draw what was not yet shown; whether there was such."""
        seen = (match.episode, match.frame, match.counters.rollbacks)
        if seen == self._shown:
            return False
        self._shown = seen
        try:
            out.append(Record(Kind.VIEW, 0, 0, self._view()))
        except Exception as error:
            # The experiment's own drawing failed; the match and its data do not depend on it.
            text = f"draw raised {type(error).__name__}: {error}"
            if text != self._draw_error:
                self._draw_error = text
                self._log(text)
        return True

    def _log(self, text: str) -> None:
        self._events.append(_event({"type": "log", "text": text}))

    def _numbers(self, match: Match) -> tuple[float, ...]:
        counters, peers = match.counters, match.peers.values()
        trip = match.round_trip_ms
        return (
            match.frame,
            match.session.final - 1,
            match.episode,
            counters.rollbacks,
            counters.deepest_rollback,
            counters.replayed,
            counters.spared,
            counters.mispredictions,
            counters.stalls,
            -1.0 if trip is None else trip,
            sum([peer.bytes_sent for peer in peers]),
            sum([peer.bytes_received for peer in peers]),
            match.frame_advantage,
            len(self._actions),
            self._tick_ms,
            self._interval,
        )

    def _summarise(self, match: Match, journal: UploadJournal, now: float) -> None:
        if now - self._summary_at < SUMMARY_MS or match.phase is Phase.OVER:
            return
        self._summary_at = now
        numbers = dict(zip(STATS, self._numbers(match), strict=True))
        journal.note(
            {
                "event": "summary",
                "at_ms": round(now, 1),
                **numbers,
                "certified_through": list(match.certified_through),
                "frame_intervals_ms": [round(interval, 1) for interval in self._intervals],
                "malformed": match.malformed,
            }
        )
        self._intervals = []

    def _tell_phase(self, match: Match, journal: UploadJournal, now: float, out: list[Record]) -> None:
        if match.phase is Phase.OVER:
            if not self._over_at:
                self._over_at = now
            completed = match.outcome is Outcome.COMPLETED
            if match.outcome is Outcome.DROPPED and self._phase != "failed":
                # The others went on, and take it in again: as a page that is loaded anew, for what it holds is not theirs.
                out.append(_event({"type": "rejoin", "detail": match.detail}))
            # Everything is to be safe on the server before anybody is told that they may close the page.
            if not completed or journal.settled:
                self._tell("finished" if completed else "failed", match, out)
        elif match.phase is Phase.PLAYING:
            self._tell("playing", match, out)
        if now - self._looked_at >= PRESENCE_MS and match.phase is not Phase.OVER:
            self._looked_at = now
            presence = match.presence(now)
            away = {host: state for host, state in presence.items() if state != "here"}
            if away != self._away:
                self._away = away
                told = [{"peer": host, "state": state} for host, state in presence.items()]
                out.append(_event({"type": "peers", "peers": told, "on_drop": match.settings.on_drop.value}))
        gone = match.appeal(now)
        if gone:
            out.append(_event({"type": "appeal", "gone": gone}))
        if match.paused != self._paused:
            self._paused = match.paused
            out.append(_event({"type": "paused", "players": list(self._paused)}))
        self._tell_catching_up(match, now, out)

    def _tell_catching_up(self, match: Match, now: float, out: list[Record]) -> None:
        """How far a page that came late has come in the episode that it sees, until it is with the others."""
        goal = max([peer.final for peer in match.peers.values()], default=0)
        second = self._experiment.fps
        # One that only watches is always a little behind; one that is to play is told until it does.
        behind = goal - match.frame > (second if not self._catching_up else second / 2) or bool(match.players)
        if match.phase is Phase.OVER or not match.watching or not behind:
            if self._catching_up:
                self._catching_up = False
                out.append(_event({"type": "catching_up", "share": None}))
        elif goal and now - self._caught_up_at >= CATCHING_UP_MS:
            self._catching_up, self._caught_up_at = True, now
            out.append(_event({"type": "catching_up", "share": round(min(1.0, match.frame / goal), 3)}))

    def _tell(self, phase: str, match: Match, out: list[Record]) -> None:
        if phase == self._phase:
            return
        self._phase = phase
        told: dict[str, Any] = {"type": "phase", "phase": phase}
        if match.outcome is not None:
            told["outcome"] = match.outcome.value
            episode, frame = match.certified_through
            told["detail"] = match.detail
            if phase == "failed":
                told["error"] = (
                    f"{match.detail or match.outcome.value}. The data are certified through episode {episode}, frame {frame}."
                )
        out.append(_event(told))

    def _check_actions(self) -> None:
        """Every action that the keys or the default stand for must be one that every player can take."""
        experiment = self._experiment
        named = {
            "default_action": experiment.default_action,
            **{f"keys[{key!r}]": action for keys in experiment.keys_of_players for key, action in keys.items()},
        }
        for name, action in named.items():
            for player, codec in zip(self.runtime.players, self.runtime.simulation.codecs, strict=True):
                try:
                    codec.encode(action)
                except PyodideRuntimeError as error:
                    raise ExperimentError(f"{name}={action!r} is no action of player {player}: {error}") from None


def _told(record: Record) -> dict[str, Any] | None:
    """What an event says, with all that its type needs; None for a packet."""
    if record.kind is Kind.PACKET:
        return None
    told = event(record)
    fields = EVENTS.get(str(told.get("type")))
    wrong = fields is None or any(type(told.get(name)) is not kind for name, kind in fields.items())
    if wrong or (told["type"] == "verdict" and not are_incarnations(told["gone"])):
        raise WireError(f"the inbox has an event that is none: {str(told)[:100]}")
    return told


def _places(start: Mapping[str, Any], count: int, spectators: int) -> tuple[int, list[Any]]:
    """The page's index, and the `player_id` of every page that plays, in order."""
    try:
        ids = {player["index"]: player["player_id"] for player in start["players"]}
        index, session, seed = start["index"], start["session"], start["seed"]
        if len(start["players"]) != count or set(ids) != set(range(count)):
            raise SessionError(f"the players have the places {list(ids)}; an experiment of {count} has 0 to {count - 1}, each once")
        if type(index) is not int or not 0 <= index < count + spectators or type(session) is not str or type(seed) is not int:
            raise SessionError(f"index={index!r}, session={session!r}, seed={seed!r}: no match can begin with these")
    except (KeyError, TypeError) as error:
        raise SessionError(f"the start of the match cannot be read: {type(error).__name__}: {error}") from None
    return index, [ids[place] for place in range(count)]


def _incarnation(start: Mapping[str, Any]) -> int:
    number = start.get("incarnation", 0)
    if type(number) is not int or not 0 <= number <= LAST_INCARNATION:
        raise SessionError(f"incarnation={number!r} is no whole number from 0 to {LAST_INCARNATION}")
    return number


def _event(told: dict[str, Any]) -> Record:
    return Record(Kind.EVENT, 0, 0, json.dumps(told, separators=(",", ":")).encode())
