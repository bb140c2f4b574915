"""What others count anyway (the AMI link, the recorder, the driver), read at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from callrouter.metrics.recorded import CallbackWishes, TodaysFigures, today_families, wish_families
from callrouter.metrics.staff import StaffNow, staff_families
from callrouter.metrics.waiting import WaitingNow, waiting_families


class LinkCounters(Protocol):
    """What the AMI link has counted since the process began."""

    @property
    def connections(self) -> int: ...
    @property
    def failures(self) -> int: ...
    @property
    def events_received(self) -> int: ...
    @property
    def events_dropped(self) -> int: ...
    @property
    def actions_failed(self) -> int: ...
    @property
    def results(self) -> int: ...


class WriterCounters(Protocol):
    """What the recorder has counted since the process began."""

    @property
    def backlog(self) -> int:
        """Calls that ended and are not committed yet."""
        ...

    @property
    def oldest_seconds(self) -> float:
        """For how long the oldest of them has been waiting; 0 without any."""
        ...

    @property
    def memory_calls(self) -> int:
        """Those of them that stand in memory alone."""
        ...

    @property
    def memory_limit(self) -> int:
        """So many do at most, while the disk takes calls."""
        ...

    @property
    def disk_refuses(self) -> bool:
        """Whether PostgreSQL is away, and the disk takes none, either."""
        ...

    @property
    def written_total(self) -> int: ...
    @property
    def failed_total(self) -> int: ...


class BoardCounts(Protocol):
    """What is known of messages that somebody must look at (`store.dispatch.board`)."""

    @property
    def attention(self) -> Mapping[str, int]:
        """Those on the agents' list, by client; clients without any are left out."""
        ...

    @property
    def overdue(self) -> int:
        """Those for which something was due, and was not done."""
        ...

    @property
    def attempts(self) -> Mapping[tuple[str, str], int]:
        """How attempts to deliver ended of what is of no message, by its kind and by outcome."""
        ...

    @property
    def waiting(self) -> Mapping[str, int]:
        """What is of no message and is not delivered yet, by its kind."""
        ...

    @property
    def late(self) -> Mapping[str, int]:
        """Of that, what was due some time ago."""
        ...

    @property
    def works(self) -> bool:
        """Whether a worker has the lease."""
        ...


class RetentionCounts(Protocol):
    """What is known of runs that delete what is older than it is kept (`store.retention.watch`)."""

    @property
    def since_seconds(self) -> float:
        """Since the last one ended well."""
        ...

    @property
    def seconds(self) -> float: ...
    @property
    def failed(self) -> bool: ...
    @property
    def deleted(self) -> Mapping[str, int]:
        """By kind, of all runs."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is read at each scrape instead of being counted here; called in the scrape's thread."""

    leader: Callable[[], bool] | None = None
    """Whether this engine has its place at the PBX."""
    live_calls: Callable[[], int] | None = None
    link_up: Callable[[], bool] | None = None
    frozen: Callable[[], bool] | None = None
    """Whether no call advances on a PBX that answers."""
    link: LinkCounters | None = None
    writer: WriterCounters | None = None
    notifications: Callable[[], int] | None = None
    """Notifications asked for that PostgreSQL does not hold yet."""
    refused: Callable[[], Mapping[str, int]] | None = None
    """Calls that the PBX refused, by the client whose limit was reached; the empty name is the machine's own limit."""
    callbacks: Callable[[], Mapping[str, int]] | None = None
    """Calls placed for callbacks that are over, by what became of them."""
    callbacks_under_way: Callable[[], int] | None = None
    """Callbacks that wait in a queue, are rung or talk."""
    message_calls: Callable[[], Mapping[str, int]] | None = None
    """Calls that told somebody of a message and are over, by what became of them."""
    message_calls_under_way: Callable[[], int] | None = None
    """People who are rung for a message, or listen to it."""
    tasks: Callable[[], int] | None = None
    """Tasks of the loop; called in it."""
    database: Callable[[], Mapping[str, int]] | None = None
    """Entries of ours in Asterisk's own database, by family."""
    kept_calls: Callable[[], int] | None = None
    """Calls of which the engine's own journal keeps what they have reached."""
    journal_refused: Callable[[], bool] | None = None
    """Whether the disk takes nothing of what that journal is to keep."""
    board: Callable[[], BoardCounts | None] | None = None
    """Messages that somebody must look at; None: nobody knows, as PostgreSQL is away."""
    retention: Callable[[], RetentionCounts | None] | None = None
    """What is known of runs that delete what is older than it is kept; None: nobody knows."""
    marks_wait_seconds: Callable[[], float | None] | None = None
    """For how long the oldest day waits whose figures are to be made again; None: nobody knows."""
    promised: Callable[[], Mapping[str, float]] | None = None
    """The target of each client in service: the share of its calls, 0 to 1, that shall meet what it is promised."""
    waiting: Callable[[], WaitingNow | None] | None = None
    """Callers who wait; None: Asterisk is not heard, and nobody knows."""
    staff: Callable[[], StaffNow | None] | None = None
    """What agents are doing; None: nobody knows."""
    wishes: Callable[[], CallbackWishes | None] | None = None
    """Callbacks that are open, and what became of a day's; None: nobody knows, as PostgreSQL is away."""
    today: Callable[[], TodaysFigures | None] | None = None
    """The figures of each client's day so far; None: nobody knows."""


class SourceCollector(Collector):
    """Reads the sources at the scrape."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when this is registered: the sources may not run yet."""
        return []

    def collect(self) -> Iterable[Metric]:
        sources = self._sources
        if sources.leader is not None:
            leads = 1 if sources.leader() else 0
            said = "1 while this engine has its place at the PBX, 0 while it waits for it"
            yield GaugeMetricFamily("callrouter_leader", said, value=leads)
        if sources.live_calls is not None:
            yield GaugeMetricFamily("callrouter_live_calls", "Calls now in progress", value=sources.live_calls())
        if sources.link_up is not None:
            up = 1 if sources.link_up() else 0
            yield GaugeMetricFamily("callrouter_ami_up", "1 while logged in to Asterisk", value=up)
        if sources.frozen is not None:
            said, frozen = "1 while Asterisk answers and no call advances on it", 1 if sources.frozen() else 0
            yield GaugeMetricFamily("callrouter_asterisk_frozen", said, value=frozen)
        if sources.link is not None:
            yield from _link(sources.link)
        if sources.writer is not None:
            yield from _writer(sources.writer)
        if sources.notifications is not None:
            documentation = "Notifications asked for that are not in PostgreSQL yet"
            yield GaugeMetricFamily("callrouter_notifications_backlog", documentation, value=sources.notifications())
        if sources.refused is not None:
            yield from _refused(sources.refused())
        yield from _calls_of_ours(sources)
        counts = sources.board() if sources.board is not None else None
        if counts is not None:
            yield from _board(counts)
        wait_seconds = sources.marks_wait_seconds() if sources.marks_wait_seconds is not None else None
        if wait_seconds is not None:
            said = "For how long the oldest day waits whose figures are to be made again"
            yield GaugeMetricFamily("callrouter_figures_wait_seconds", said, value=wait_seconds)
        if sources.retention is not None and (last := sources.retention()) is not None:
            yield from _retention(last)
        yield from _sizes(sources)
        yield from _now(sources)


def _now(sources: Sources) -> Iterator[Metric]:
    """What is so at this instant, as far as somebody knows: of what nobody knows there is no sample."""
    if sources.waiting is not None and (waiting := sources.waiting()) is not None:
        yield from waiting_families(waiting)
    if sources.staff is not None and (staff := sources.staff()) is not None:
        yield from staff_families(staff)
    if sources.wishes is not None and (wishes := sources.wishes()) is not None:
        yield from wish_families(wishes, sources.promised() if sources.promised is not None else ())
    if sources.today is not None and (today := sources.today()) is not None:
        yield from today_families(today)


def _board(counts: BoardCounts) -> Iterable[Metric]:
    on_list = GaugeMetricFamily(
        "callrouter_messages_attention", "Messages on the agents' list of those nobody has taken on", labels=["client"]
    )
    for client, count in counts.attention.items():
        on_list.add_metric([client], count)
    yield on_list
    said = "1 while a worker has the lease, and people are told of messages"
    yield GaugeMetricFamily("callrouter_worker_at_work", said, value=1 if counts.works else 0)
    said = "What was due more than a minute ago and was not done: of messages, and of all else while no worker runs"
    yield GaugeMetricFamily("callrouter_dispatch_overdue", said, value=counts.overdue)
    ended = CounterMetricFamily(
        "callrouter_notification_attempts", "Attempts to deliver, by how they ended", labels=["kind", "outcome"]
    )
    for labels, count in counts.attempts.items():
        ended.add_metric(labels, count)
    yield ended
    for name, said, by_kind in (
        ("callrouter_notifications_waiting", "What systems are to be told, and are not yet", counts.waiting),
        ("callrouter_notifications_late", "What systems should have been told more than a minute ago", counts.late),
    ):
        family = GaugeMetricFamily(name, said, labels=["kind"])
        for kind, count in by_kind.items():
            family.add_metric([kind], count)
        yield family


def _retention(last: RetentionCounts) -> Iterable[Metric]:
    said = "Since a deletion of what is older than it is kept ended well"
    yield GaugeMetricFamily("callrouter_retention_age_seconds", said, value=last.since_seconds)
    said = "What the last one took of work, without rests"
    yield GaugeMetricFamily("callrouter_retention_run_seconds", said, value=last.seconds)
    said = "1 where the last one failed"
    yield GaugeMetricFamily("callrouter_retention_failed", said, value=1 if last.failed else 0)
    deleted = CounterMetricFamily(
        "callrouter_retention_deleted", "What was deleted because it was older than it is kept", labels=["kind"]
    )
    for kind, many in last.deleted.items():
        deleted.add_metric([kind], many)
    yield deleted


def _sizes(sources: Sources) -> Iterable[Metric]:
    """What grows only if something is wrong."""
    if sources.tasks is not None:
        said = "Tasks of the engine's loop; none belongs to a call"
        yield GaugeMetricFamily("callrouter_tasks", said, value=sources.tasks())
    if sources.kept_calls is not None:
        said = "Calls in the engine's own journal: in progress, or not in the record yet"
        yield GaugeMetricFamily("callrouter_journal_calls", said, value=sources.kept_calls())
    if sources.journal_refused is not None:
        said, refused = "1 while the disk takes nothing of calls in progress", 1 if sources.journal_refused() else 0
        yield GaugeMetricFamily("callrouter_journal_disk_refuses", said, value=refused)
    if sources.database is not None:
        said = "Entries of ours in Asterisk's own database, once a minute"
        entries = GaugeMetricFamily("callrouter_astdb_entries", said, labels=["family"])
        for family, count in sources.database().items():
            entries.add_metric([family], count)
        yield entries


def _link(link: LinkCounters) -> Iterable[Metric]:
    counters = {
        "reconnects": ("Log-ins to Asterisk after the first", max(0, link.connections - 1)),
        "connect_failures": ("Attempts to connect or log in that failed", link.failures),
        "events_received": ("Events that came from Asterisk", link.events_received),
        "events_dropped": ("Events dropped before they were decoded, because nobody wants them", link.events_dropped),
        "command_results": ("AGI commands that Asterisk answered", link.results),
        "actions_failed": ("Actions that Asterisk answered with an error", link.actions_failed),
    }
    for name, (documentation, value) in counters.items():
        yield CounterMetricFamily(f"callrouter_ami_{name}", documentation, value=value)


def _calls_of_ours(sources: Sources) -> Iterator[Metric]:
    """Callbacks, and calls that tell somebody of a message."""
    for name, said, outcomes in (
        ("callrouter_callback_calls", "Calls placed for callbacks, by what became of them", sources.callbacks),
        (
            "callrouter_message_calls",
            "Calls placed to tell somebody of a message, by what became of them",
            sources.message_calls,
        ),
    ):
        if outcomes is not None:
            ended = CounterMetricFamily(name, said, labels=["outcome"])
            for outcome, count in outcomes().items():
                ended.add_metric([outcome], count)
            yield ended
    for name, said, under_way in (
        (
            "callrouter_callbacks_under_way",
            "Callbacks that wait in a queue, are rung or talk",
            sources.callbacks_under_way,
        ),
        (
            "callrouter_message_calls_under_way",
            "People who are rung for a message, or listen to it",
            sources.message_calls_under_way,
        ),
    ):
        if under_way is not None:
            yield GaugeMetricFamily(name, said, value=under_way())


def _refused(counts: Mapping[str, int]) -> Iterable[Metric]:
    """The sum is there before anything was refused: the rate of a series that has just appeared is nothing."""
    yield CounterMetricFamily(
        "callrouter_refused_calls",
        "Calls that Asterisk refused because a limit was reached",
        value=sum(counts.values()),
    )
    by_client = CounterMetricFamily(
        "callrouter_client_refused_calls", "Those of them beyond a client's own limit", labels=["client"]
    )
    for client, count in counts.items():
        if client:
            by_client.add_metric([client], count)
    yield by_client


def _writer(writer: WriterCounters) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "callrouter_writer_backlog_calls", "Calls that ended and are not in PostgreSQL yet", value=writer.backlog
    )
    yield GaugeMetricFamily(
        "callrouter_writer_oldest_seconds", "For how long the oldest of them has waited", value=writer.oldest_seconds
    )
    yield GaugeMetricFamily(
        "callrouter_writer_memory_calls", "Those of them that stand in memory alone", value=writer.memory_calls
    )
    yield GaugeMetricFamily(
        "callrouter_writer_memory_limit_calls",
        "So many stand in memory at most, while the disk takes calls",
        value=writer.memory_limit,
    )
    yield GaugeMetricFamily(
        "callrouter_writer_disk_refuses",
        "1 while PostgreSQL is away and the disk takes no calls, either",
        value=1 if writer.disk_refuses else 0,
    )
    yield CounterMetricFamily(
        "callrouter_writer_written_calls", "Calls committed to PostgreSQL", value=writer.written_total
    )
    yield CounterMetricFamily(
        "callrouter_writer_failed_calls", "Calls that PostgreSQL refused, set aside", value=writer.failed_total
    )
