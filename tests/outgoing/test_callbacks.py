"""What is decided about callbacks, on a book and a switch that fail as one likes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from callrouter.core.agents.preference import Preference
from callrouter.core.call import Call, CallerId, CallState, Clocks, DialOutcome, QueueVisit
from callrouter.core.dialling import Dialling
from callrouter.core.facts import Bridged
from callrouter.core.identity import Identity, Shows
from callrouter.core.nodes import CallbackNode, HangupNode
from callrouter.core.nodes.callback import Automatic
from callrouter.core.plan import Plan
from callrouter.core.schedule import Schedule, TimeRange
from callrouter.errors import ActionFailed, AmiUnreachable, DatabaseUnreachable, EncodingError
from callrouter.outgoing import callbacks as calling_back
from callrouter.outgoing.callbacks import REFUSED_SECONDS, Callbacks
from callrouter.outgoing.due import AGAIN_SECONDS
from callrouter.outgoing.order import NOTHING_YET, Order, Outcome, Progress, Settlement
from callrouter.outgoing.ports import Answered, OpenCallback, PlacedCall, QueueStand, Ruled, Waiting, Wish
from callrouter.outgoing.trouble import MOST_LOST
from callrouter.runtime.tasks import Tasks
from callrouter.testing import plan_of, sound
from tests.asterisk.engine_room import until

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RULE = Automatic(queue="medical", attempts=2, pause_seconds=600.0, days=1)


def plan_with(rule: Automatic | None, **schedules: Schedule) -> Plan:
    """A client whose callers may ask to be called back."""
    node = CallbackNode(
        name="offer",
        number_sounds=(sound("we call"),),
        choice_sounds=(sound("1"),),
        ask_sounds=(sound("key"),),
        region="FR",
        dialling=Dialling(countries=frozenset({"FR"})),
        language="fr",
        automatic=rule,
        exits={"done": "bye", "declined": "bye", "no_input": "bye", "no_match": "bye"},
    )
    return plan_of(node, HangupNode(name="bye"), schedules=schedules)


@dataclass
class Book:
    """Callbacks in memory, by the rules of the real one."""

    callbacks: dict[Wish, OpenCallback] = field(default_factory=dict)
    under_way: dict[str, PlacedCall] = field(default_factory=dict)
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)
    settled: dict[Wish, Settlement] = field(default_factory=dict)
    asked_for: list[list[Ruled]] = field(default_factory=list)
    """The nodes, each time."""
    noted: list[tuple[str, Progress]] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    away: bool = False

    def wish(self, number: str = "+33612340001", *, turn: float = 0.0) -> Wish:
        """Somebody wants to be called back."""
        at, wish = START + timedelta(seconds=turn), (f"call-{len(self.callbacks)}", 1)
        self.callbacks[wish] = OpenCallback(
            wish=wish, client="acme", number=number, node="offer", did="+33140000001", asked_at=at, turn_at=at
        )
        return wish

    def _here(self) -> None:
        if self.away:
            raise DatabaseUnreachable("away")

    async def take_over(self) -> list[PlacedCall]:
        self._here()
        return list(self.under_way.values())

    async def settled_elsewhere(self, outgoing_ids: Collection[str]) -> set[str]:
        self._here()
        return {one for one in outgoing_ids if self.under_way[one].wish in self.settled}

    async def open(self, since: datetime, ruled: Collection[Ruled]) -> list[OpenCallback]:
        self._here()
        self.asked_for.append(list(ruled))
        done = {*self.settled, *(one.wish for one in self.under_way.values())}
        nodes = {(one.client, one.node) for one in ruled}
        found = [one for one in self.callbacks.values() if one.wish not in done and (one.client, one.node) in nodes]
        return sorted(found, key=lambda one: one.turn_at)

    async def claim(self, callback: OpenCallback, order: Order, at: datetime) -> bool:
        self._here()
        self.under_way[order.outgoing_id] = PlacedCall(
            outgoing_id=order.outgoing_id,
            wish=callback.wish,
            client=callback.client,
            number=callback.number,
            queue=order.queue,
            turn_at=callback.turn_at,
            node=callback.node,
            is_open=True,
            attempts=callback.attempts,
            shown=order.shown,
            did=callback.did,
        )
        return True

    async def note(self, outgoing_id: str, progress: Progress) -> None:
        self._here()
        self.noted.append((outgoing_id, progress))

    async def conclude(
        self, outgoing_id: str, progress: Progress, outcome: Outcome, at: datetime, settlement: Settlement | None
    ) -> None:
        self._here()
        placed = self.under_way.pop(outgoing_id)
        self.outcomes.append((outgoing_id, outcome))
        before = self.callbacks[placed.wish]
        attempts = before.attempts + outcome.is_attempt
        self.callbacks[placed.wish] = OpenCallback(
            wish=before.wish,
            client=before.client,
            number=before.number,
            node=before.node,
            did=before.did,
            asked_at=before.asked_at,
            turn_at=before.turn_at,
            attempts=attempts,
            last=outcome,
            last_at=at,
            lost=before.lost + 1 if outcome is Outcome.LOST else 0,
        )
        if settlement is not None:
            self.settled[placed.wish] = settlement

    async def settle(self, wishes: Iterable[Wish], settlement: Settlement, at: datetime) -> None:
        self._here()
        self.settled.update(dict.fromkeys(wishes, settlement))

    async def settle_answered(self, answered: Sequence[Answered]) -> None:
        self._here()
        self.answered += answered

    async def settle_recorded(self, since: datetime) -> None:
        self._here()


@dataclass
class Switch:
    """Takes orders, and has whatever progress a test says."""

    placed: list[Order] = field(default_factory=list)
    far: dict[str, Progress] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    forgotten: list[str] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    fails: Exception | None = None
    says_nothing: Exception | None = None
    stand: QueueStand = field(default_factory=lambda: QueueStand(agents=9, waiting=[]))

    async def place(self, order: Order) -> None:
        if self.fails is not None:
            raise self.fails
        self.placed.append(order)
        self.far[order.outgoing_id] = Progress(waits_since=START)

    async def progress(self) -> Mapping[str, Progress]:
        if self.says_nothing is not None:
            raise self.says_nothing
        return self.far

    async def lives(self, outgoing_id: str) -> bool:
        return outgoing_id in self.far and outgoing_id not in self.gone

    async def hang_up(self, outgoing_id: str) -> None:
        self.hung_up.append(outgoing_id)

    async def forget(self, outgoing_ids: Iterable[str]) -> None:
        for one in list(outgoing_ids):
            self.forgotten.append(one)
            self.far.pop(one, None)

    async def queue(self, name: str) -> QueueStand:
        return self.stand

    def waits_as(self, outgoing_id: str) -> str:
        return f"{outgoing_id}.near"

    def ends(self, outgoing_id: str, dialled: DialOutcome, *, answered: bool = False) -> None:
        """Both halves are over."""
        at = START + timedelta(seconds=30)
        self.far[outgoing_id] = Progress(
            left_at=at,
            agent="agent-1",
            rung_at=START,
            answered_at=at if answered else None,
            over_at=at,
            dialled=dialled,
        )


class Desk:
    """All of it, and a clock."""

    def __init__(self, rule: Automatic | None = RULE, **schedules: Schedule) -> None:
        self.book, self.switch, self.at = Book(), Switch(), START
        self.plan = plan_with(rule, **schedules)
        self.callbacks = Callbacks(
            self.book,
            self.switch,
            plans=lambda: {"acme": self.plan},
            live=list,
            now=lambda: self.at,
            link_up=lambda: True,
            on_refused=lambda _: None,
        )

    async def round(self, *, after: float = 0.0) -> None:
        """Time passes, then it looks."""
        self.at += timedelta(seconds=after)
        await self.callbacks.once()

    @property
    def last(self) -> Order:
        """What was asked for last."""
        return self.switch.placed[-1]


async def test_the_older_turn_goes_first_and_only_so_many_as_agents() -> None:
    desk = Desk()
    desk.switch.stand = QueueStand(agents=1, waiting=[])
    desk.book.wish("+33612340001", turn=20)
    desk.book.wish("+33612340002", turn=10)
    await desk.round(after=30)
    await desk.round(after=2)

    assert [one.number for one in desk.switch.placed] == ["+33612340002"]


@pytest.mark.parametrize(
    ("waiting", "position"),
    [
        ([], 1),
        ([Waiting(channel_id="a", priority=0, waited_seconds=5)], 1),
        ([Waiting(channel_id="a", priority=0, waited_seconds=31)], 2),
        ([Waiting(channel_id="a", priority=1, waited_seconds=0)], 2),
        (
            [
                Waiting(channel_id="a", priority=0, waited_seconds=60),
                Waiting(channel_id="b", priority=0, waited_seconds=29),
            ],
            2,
        ),
    ],
)
async def test_its_place_among_those_who_wait(waiting: list[Waiting], position: int) -> None:
    """After a higher priority, and after who came before."""
    desk = Desk()
    desk.switch.stand = QueueStand(agents=1, waiting=waiting)
    desk.book.wish()
    await desk.round(after=30)

    assert desk.last.position == position


@pytest.mark.parametrize(("rule", "asked"), [(RULE, [Ruled("acme", "offer", is_open=True)]), (None, [])])
async def test_only_nodes_that_call_back_are_asked_for(rule: Automatic | None, asked: list[Ruled]) -> None:
    """Who is only listed costs nothing."""
    desk = Desk(rule)
    desk.book.wish()
    await desk.round()

    assert desk.book.asked_for == [asked]
    assert len(desk.switch.placed) == len(asked)


async def test_two_attempts_and_a_pause() -> None:
    desk = Desk()
    wish = desk.book.wish()
    await desk.round()
    desk.switch.ends(desk.last.outgoing_id, DialOutcome.NO_ANSWER)
    await desk.round(after=30)
    await desk.round(after=RULE.pause_seconds - 1)
    assert len(desk.switch.placed) == 1
    await desk.round(after=1)
    desk.switch.ends(desk.last.outgoing_id, DialOutcome.BUSY)
    await desk.round(after=30)
    await desk.round(after=RULE.pause_seconds)

    assert [outcome for _, outcome in desk.book.outcomes] == [Outcome.NO_ANSWER, Outcome.BUSY]
    assert desk.book.settled == {wish: Settlement.ATTEMPTS}
    assert len(desk.switch.placed) == 2
    assert desk.callbacks.outcomes["busy"] == 1


async def test_nobody_free_is_no_attempt() -> None:
    desk = Desk()
    desk.book.wish()
    for _ in range(4):
        await desk.round(after=AGAIN_SECONDS)
        desk.switch.far[desk.last.outgoing_id] = Progress(left_at=desk.at)
        await desk.round()

    assert len(desk.switch.placed) == 4
    assert {outcome for _, outcome in desk.book.outcomes} == {Outcome.NOBODY_FREE}
    assert desk.book.settled == {}


async def test_what_the_switch_has_lost_is_placed_anew_under_another_id() -> None:
    """Only when nothing was left of it twice."""
    desk = Desk()
    desk.book.wish()
    await desk.round()
    first = desk.last.outgoing_id
    desk.switch.gone.add(first)
    await desk.round(after=2)
    assert desk.book.outcomes == []
    await desk.round(after=2)

    assert desk.book.outcomes == [(first, Outcome.LOST)]
    assert desk.last.outgoing_id != first


async def test_what_is_lost_again_and_again_waits_and_is_said() -> None:
    """A PBX that carries nothing out is not asked without end; once it does, all is well."""
    desk = Desk()
    desk.book.wish()
    for _ in range(MOST_LOST - 1):
        assert desk.callbacks.trouble is None
        await desk.round(after=RULE.pause_seconds)
        desk.switch.gone.add(desk.last.outgoing_id)
        for _ in range(20):
            await desk.round(after=2)
            desk.switch.gone.add(desk.last.outgoing_id)

    assert [outcome for _, outcome in desk.book.outcomes] == [Outcome.LOST] * MOST_LOST
    assert f"lost the last {MOST_LOST} callbacks" in (desk.callbacks.trouble or "")
    desk.switch.gone.clear()
    await desk.round(after=RULE.pause_seconds)
    desk.switch.ends(desk.last.outgoing_id, DialOutcome.NO_ANSWER)
    await desk.round(after=2)
    assert desk.callbacks.trouble is None


async def test_the_database_is_away_when_it_ends() -> None:
    """What became of it is kept at the switch until it is recorded."""
    desk = Desk()
    wish = desk.book.wish()
    await desk.round()
    placed = desk.last.outgoing_id
    desk.switch.ends(placed, DialOutcome.ANSWERED, answered=True)
    desk.book.away = True
    with pytest.raises(DatabaseUnreachable):
        await desk.round(after=2)
    assert desk.switch.forgotten == []
    desk.book.away = False
    await desk.round(after=2)

    assert desk.book.settled == {wish: Settlement.CALLED_BACK}
    assert desk.switch.forgotten == [placed]


async def test_the_database_says_nothing_of_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Perhaps it stands in the book: it is asked for, found lost at the switch, and placed anew."""
    desk = Desk()
    desk.book.wish()
    claim = desk.book.claim

    async def unanswered(callback: OpenCallback, order: Order, at: datetime) -> bool:
        await claim(callback, order, at)
        raise DatabaseUnreachable("the answer was lost")

    monkeypatch.setattr(desk.book, "claim", unanswered)
    with pytest.raises(DatabaseUnreachable):
        await desk.round()
    monkeypatch.undo()
    await desk.round(after=2)
    await desk.round(after=2)

    assert [outcome for _, outcome in desk.book.outcomes] == [Outcome.LOST]
    assert len(desk.switch.placed) == 1


async def test_the_link_is_lost_while_it_is_asked_for() -> None:
    """Nobody knows whether it was: it is looked for, not asked for again."""
    desk = Desk()
    desk.book.wish()
    desk.switch.fails = AmiUnreachable("gone")
    with pytest.raises(AmiUnreachable):
        await desk.round()
    desk.switch.fails = None
    (placed,) = desk.book.under_way
    desk.switch.far[placed] = Progress(waits_since=START)
    desk.callbacks.logged_in()
    await desk.round(after=2)

    assert desk.switch.placed == []
    assert list(desk.book.under_way) == [placed]


async def test_asterisk_refuses() -> None:
    """It is said, nothing counts as an attempt, and it is tried again later."""
    desk = Desk()
    desk.book.wish()
    desk.switch.fails = ActionFailed("Permission denied")
    await desk.round()
    said = desk.callbacks.trouble or ""
    assert "Permission denied" in said
    desk.switch.fails = None
    await desk.round(after=REFUSED_SECONDS - 1)
    assert desk.switch.placed == []
    await desk.round(after=RULE.pause_seconds)

    assert len(desk.switch.placed) == 1
    assert desk.callbacks.trouble is None
    assert desk.book.settled == {}


async def test_one_that_cannot_be_written_holds_up_no_other() -> None:
    desk = Desk()
    desk.book.wish("+33612340001")
    desk.book.wish("+33612340002", turn=1)

    class Picky(Switch):
        async def place(self, order: Order) -> None:
            if order.number == "+33612340001":
                raise EncodingError("no")
            await super().place(order)

    desk.switch = Picky()
    desk.callbacks = Callbacks(
        desk.book,
        desk.switch,
        plans=lambda: {"acme": plan_with(RULE)},
        live=list,
        now=lambda: desk.at,
        link_up=lambda: True,
        on_refused=lambda _: None,
    )
    await desk.round(after=2)

    assert [one.number for one in desk.switch.placed] == ["+33612340002"]


MORNING = Schedule(name="open", timezone="Europe/Paris", week=((TimeRange(start=time(8), end=time(12, 30)),),) * 7)
"""START is 10:00 there."""
IN_THE_MORNING = Automatic(queue="medical", hours="open")


async def test_the_switch_lets_nobody_wait_beyond_the_hours() -> None:
    """Whoever is away when they end."""
    desk = Desk(IN_THE_MORNING, open=MORNING)
    desk.book.wish()
    await desk.round()
    assert desk.last.wait_seconds == 2.5 * 3600

    desk = Desk(IN_THE_MORNING, open=MORNING)
    desk.book.wish()
    await desk.round(after=2 * 3600 + 1799.0)
    assert desk.last.wait_seconds == 1.0


async def test_the_hours_end_while_the_database_is_away() -> None:
    """What waits is taken back all the same."""
    desk = Desk(IN_THE_MORNING, open=MORNING)
    desk.book.wish()
    await desk.round()
    desk.book.away = True
    with pytest.raises(DatabaseUnreachable):
        await desk.round(after=2)
    assert desk.switch.hung_up == []
    desk.callbacks.logged_in()
    with pytest.raises(DatabaseUnreachable):
        await desk.round(after=2.5 * 3600)

    assert desk.switch.hung_up == [desk.last.outgoing_id]


async def test_what_waits_is_taken_back_when_the_hours_are_over() -> None:
    """And goes back to its place when they begin again; one that rings already is left alone."""
    closed = Schedule(name="open", timezone="Europe/Paris", week=((),) * 7)
    desk = Desk(Automatic(queue="medical", hours="open"), open=closed)
    wish = desk.book.wish()
    callback = desk.book.callbacks[wish]
    for number, progress in (("waits", Progress(waits_since=START)), ("rings", Progress(rung_at=START))):
        desk.book.under_way[number] = PlacedCall(
            outgoing_id=number,
            wish=wish,
            client="acme",
            number=callback.number,
            queue="medical",
            turn_at=START,
            node="offer",
            is_open=True,
        )
        desk.switch.far[number] = progress
    await desk.round()

    assert desk.switch.hung_up == ["waits"]
    assert NOTHING_YET not in desk.switch.far.values()


def _shows_another(plan: Plan) -> Plan:
    return replace(plan, identity=Identity(shows=Shows.OPERATOR, number="+33199000000"))


def _dials_nobody_there(plan: Plan) -> Plan:
    node = replace(plan.nodes["offer"], dialling=Dialling(countries=frozenset({"BE"})))
    return replace(plan, nodes={**plan.nodes, "offer": node})


@pytest.mark.parametrize(
    ("change", "shown", "settled"),
    [(_shows_another, ["+33140000001", "+33199000000"], []), (_dials_nobody_there, ["+33140000001"], ["not_allowed"])],
)
async def test_another_tree_is_in_service_while_it_waits(
    change: Callable[[Plan], Plan], shown: list[str], settled: list[str]
) -> None:
    """It is taken back before anybody is rung: who would see another number, or may not be rung any more."""
    desk = Desk()
    desk.book.wish()
    await desk.round()
    await desk.round(after=2)
    assert desk.switch.hung_up == []
    desk.plan = change(desk.plan)
    await desk.round(after=2)
    assert desk.switch.hung_up == [desk.last.outgoing_id]
    desk.switch.far[desk.last.outgoing_id] = Progress(left_at=desk.at)
    await desk.round(after=2)

    assert [one.shown for one in desk.switch.placed] == shown
    assert [outcome for _, outcome in desk.book.outcomes] == [Outcome.WITHDRAWN]
    assert [one.value for one in desk.book.settled.values()] == settled


async def test_it_waits_where_the_clients_agents_are_rung() -> None:
    """In the queue that is derived for whom the client wants; it is put there anew when the client wants others."""

    def wants(prefer: tuple[str, ...] = (), never: tuple[str, ...] = ()) -> Plan:
        return plan_with(replace(RULE, preference=Preference(team="medical", prefer=prefer, never=never)))

    desk = Desk()
    desk.plan = wants(prefer=("anne",))
    desk.book.wish()
    await desk.round()
    await desk.round(after=2)
    assert desk.switch.hung_up == []
    desk.plan = wants(never=("bruno",))
    await desk.round(after=2)
    assert desk.switch.hung_up == [desk.last.outgoing_id]
    desk.switch.far[desk.last.outgoing_id] = Progress(left_at=desk.at)
    await desk.round(after=2)

    assert [one.queue for one in desk.switch.placed] == ["medical.anne", "medical.-bruno"]
    assert [outcome for _, outcome in desk.book.outcomes] == [Outcome.WITHDRAWN]


async def test_who_is_answered_for_the_second_time_in_one_call() -> None:
    """They asked in between: it is the second answer that counts, not the call's first."""
    desk = Desk()
    call = Call(
        call_id="one",
        client="acme",
        plan_version="0123456789ab",
        did="+33140000001",
        caller=CallerId(number="+33612340001"),
        state=CallState.CONNECTED,
        clocks=Clocks(ringing_at=START, bridged_at=START + timedelta(seconds=10)),
        queue_visits=tuple(
            QueueVisit(
                queue="medical",
                entered_at=START + timedelta(seconds=at),
                answered_at=START + timedelta(seconds=at + 10),
            )
            for at in (0, 100)
        ),
    )
    desk.callbacks.observe([Bridged(call=call)])
    await desk.round()

    assert desk.book.answered == [("acme", "+33612340001", START + timedelta(seconds=110))]


async def test_what_the_switch_had_written_down_is_not_forgotten() -> None:
    """Somebody deletes it while they talk: the call is known to have been answered."""
    desk = Desk()
    wish = desk.book.wish()
    await desk.round()
    placed = desk.last.outgoing_id
    desk.switch.far[placed] = talking = Progress(waits_since=START, rung_at=START, answered_at=START)
    await desk.round(after=2)
    del desk.switch.far[placed]
    await desk.round(after=2)
    await desk.round(after=2)

    assert desk.book.noted == [(placed, talking)]
    assert desk.book.outcomes == [(placed, Outcome.ANSWERED)]
    assert desk.book.settled == {wish: Settlement.CALLED_BACK}


async def test_what_could_not_be_noted_is_noted_later() -> None:
    """The database was away just then."""
    desk = Desk()
    desk.book.wish()
    await desk.round()
    desk.book.away = True
    with pytest.raises(DatabaseUnreachable):
        await desk.round(after=2)
    desk.book.away = False
    await desk.round(after=2)

    assert desk.book.noted == [(desk.last.outgoing_id, Progress(waits_since=START))]


async def test_asterisk_does_not_say_how_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told, and over with the first round in which it does."""
    monkeypatch.setattr(calling_back, "ROUND_SECONDS", 0.01)
    desk, tasks = Desk(), Tasks()
    desk.switch.says_nothing = ActionFailed("Permission denied")
    tasks.start(desk.callbacks.run(), "callbacks")
    await until(lambda: "Permission denied" in (desk.callbacks.trouble or ""), 5)
    desk.switch.says_nothing = None
    await until(lambda: desk.callbacks.trouble is None, 5)
    await tasks.stop()
