"""Expected routes: `check` plays each row of the table beside a client (`language.expected_file`)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from msgspec import Struct

from callrouter.core.call import Disposition
from callrouter.core.nodes.about import Family
from callrouter.core.plan import Plan, names_of
from callrouter.dialplan.documents.expected_file import MOST_CALLS, ExpectedCall, ExpectedCalls, client_files_of
from callrouter.dialplan.folder.catalogue import Catalogue
from callrouter.dialplan.issues import Issue, Severity, closest, shown
from callrouter.dialplan.language.reader import Document
from callrouter.dialplan.language.validation import validate, validate_part
from callrouter.questions import asking
from callrouter.questions.instants import remarks_on
from callrouter.questions.rehearsal import Rehearsal, rehearse


class _Row(Struct, frozen=True, kw_only=True):
    document: Document
    index: int
    call: ExpectedCall

    def issue(self, message: str, *path: str, suggestion: str = "", severity: Severity = Severity.ERROR) -> Issue:
        """A finding at this row, or at one of its values."""
        return Issue(
            file=self.document.file,
            line=self.document.line("calls", self.index, *path),
            field=".".join(("calls", str(self.index + 1), *path)),
            message=f"call {self.index + 1}: {message}",
            suggestion=suggestion,
            severity=severity,
        )


def run_expected(tables: Iterable[Document], catalogue: Catalogue, now: datetime | None = None) -> list[Issue]:
    """Rehearse the expected calls of tables that stand beside the clients; what differs is an issue.

    `now` is the instant after which `tue 10:00` is looked for; by default the present.
    """
    now = now or datetime.now(UTC)
    return [issue for table in tables for issue in _run(table, catalogue, now)]


def _run(document: Document, catalogue: Catalogue, now: datetime) -> Iterator[Issue]:
    if document.issues:
        yield from document.issues
        return
    # Judged call by call below: what is wrong with one hides none of the others.
    yield from validate(ExpectedCalls, document)[1]
    names = client_files_of(document.file)
    plan = next((plan for plan in catalogue.plans.values() if plan.source in names), None)
    if plan is None:
        if not catalogue.refused.intersection(names):
            message = f"there is no {names[0]} beside it whose callers these could be"
            meant = closest(names[0], [plan.source for plan in catalogue.plans.values()])
            yield Issue(file=document.file, line=0, message=message, suggestion=meant)
        return
    region = asking.region_of(plan, catalogue.region)
    for row in _rows(document):
        yield from _judge(row, plan, region, now)


def _rows(document: Document) -> Iterator[_Row]:
    """The calls that can be understood."""
    calls = document.value.get("calls") if isinstance(document.value, dict) else None
    listed = calls if isinstance(calls, list) else [calls] if calls is not None else []
    for index, written in enumerate(listed[:MOST_CALLS]):
        call, _ = validate_part(ExpectedCall, document, written, ("calls", index))
        if call is not None:
            yield _Row(document=document, index=index, call=call)


def _judge(row: _Row, plan: Plan, region: str, now: datetime) -> Iterator[Issue]:
    """What is wrong with a row, or with what came of it."""
    unknown = [row.issue(message, "expect", suggestion=meant) for message, meant in _unknown(plan, row.call.expect)]
    yield from unknown
    try:
        offered, script = asking.understood(row.call, plan, region, now)
    except asking.NotUnderstood as error:
        yield row.issue(f"{error.key}: {error}", error.key)
        return
    for remark in remarks_on(row.call.at, offered.at, plan):
        yield row.issue(f"at: {remark}", "at", severity=Severity.WARNING)
    if unknown:
        return
    rehearsal = rehearse(plan, offered, script)
    missed = [expected for expected in row.call.expect if not rehearsal.meets(expected)]
    if missed:
        yield row.issue(f"expected {' and '.join(missed)}, but {_came_to(plan, rehearsal)}", "expect")
    heard = " ".join(sound.text or sound.file for sound in rehearsal.heard)
    for words in row.call.hears or ():
        if words not in heard:
            yield row.issue(f"expected to hear {shown(words)}, but the caller heard {shown(heard, 160)}", "hears")


_OUTCOMES = ("queue", "dial", "redirect", "message", "callback", "reject", *Disposition)


def _unknown(plan: Plan, expected: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Expectations that no call could ever meet: what is wrong, and what was probably meant."""
    for one in expected:
        kind, colon, name = one.partition(":")
        if not colon:
            if one not in _OUTCOMES:
                first, _, rest = one.partition(" ")
                meant = f"{first}:{rest.strip()}" if first in _OUTCOMES and rest else closest(one, _OUTCOMES)
                yield f"{shown(one)} is no outcome", meant
            continue
        known = _names(plan, kind)
        if known is None and kind != "redirect":
            yield f"{shown(one)} is no outcome", closest(kind, ("node", *_OUTCOMES))
        elif known is not None and name not in known and " + " not in name:
            what = {"queue": "queue", "dial": "contact or rota"}.get(kind, "node")
            yield f"{plan.source} has no {what} {shown(name)}", closest(name, known)


def _names(plan: Plan, kind: str) -> frozenset[str] | None:
    """What may stand after the colon of an outcome; None: anything, or nothing."""
    match kind:
        case "node":
            return frozenset(name for node in plan.nodes for name in names_of(node))
        case "message" | "callback":
            keeping = (plan.nodes[name] for name, about in plan.about.items() if about.family is Family.KEEPS)
            nodes = (node.name for node in keeping if (node.kind == "callback") is (kind == "callback"))
            return frozenset(name for node in nodes for name in names_of(node))
        case "queue":
            return frozenset(asking.queues_in(plan))
        case "dial":
            return asking.dialled_in(plan)
        case _:
            return None


def _came_to(plan: Plan, rehearsal: Rehearsal) -> str:
    path = " → ".join(visit.node for visit in rehearsal.call.visits)
    last = rehearsal.call.visits[-1] if rehearsal.call.visits else None
    because = f" ({last.exit}{f': {last.because}' if last.because else ''})" if last else ""
    place = f", in {plan.where(last.node)}" if last else ""
    return f"the call came to {rehearsal.outcome}{place} by {path}{because}"
