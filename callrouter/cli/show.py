"""`callrouter show`: a client's tree as text, Mermaid or SVG, or a week of its hours."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.show.derived import derived_by, in_words
from callrouter.errors import DialplanError, UsageError


def show(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A client's file, or a folder of them.")],
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flow chart.")] = False,
    svg: Annotated[bool, typer.Option("--svg", help="As one SVG file: callrouter show FILE --svg > tree.svg.")] = False,
    hours: Annotated[
        str, typer.Option(metavar="WEEK", help="The opening hours of 2026-W52, or of the week of 2026-12-25.")
    ] = "",
    alone: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="What Asterisk does without the engine: two weeks from now, 2026-12-25T09:00 or tue 10:00.",
        ),
    ] = "",
) -> None:
    """Draw a client's tree, or show a week of its hours, or what Asterisk does without the engine."""
    if mermaid + svg + bool(hours) + bool(alone) > 1:
        raise UsageError("--mermaid, --svg, --hours and --alone show different things: give one of them")
    catalogue = load_directory(path, PaperSpeech())
    folder = path.is_dir()
    plans = [plan for plan in catalogue.plans.values() if folder or plan.source == path.name]
    if not plans:
        own = [issue for issue in catalogue.issues if issue.file in catalogue.refused]
        raise DialplanError("nothing to show, the file cannot be served:\n" + "\n".join(str(issue) for issue in own))
    if svg and len(plans) > 1:
        raise UsageError("an SVG holds one tree: name one client's file")
    if alone:
        print("\n\n".join(_alone(plan, alone) for plan in plans))
        return
    monday = _monday(hours) if hours else None
    print("\n\n".join(_shown(plan, monday, mermaid=mermaid, svg=svg) for plan in plans))
    if not (mermaid or svg or monday):
        found = list(in_words(derived_by({plan.client: plan for plan in plans}, catalogue.queues)))
        print("\n".join(["", *found]) if found else "", end="\n" if found else "")


def _monday(written: str) -> date:
    from callrouter.dialplan.show.week import monday_of

    try:
        return monday_of(written)
    except ValueError as error:
        raise UsageError(f"--hours: {error}") from None


def _alone(plan: Plan, written: str) -> str:
    from callrouter.questions.alone import told
    from callrouter.questions.instants import instant_of

    now = datetime.now(UTC)
    try:
        since = now if written == "now" else instant_of(written, plan, now)
    except ValueError as error:
        raise UsageError(f"--alone: {error}") from None
    return "\n".join(told(plan, since))


def _shown(plan: Plan, monday: date | None, *, mermaid: bool, svg: bool) -> str:
    """What was asked for; only that is imported."""
    if monday:
        from callrouter.dialplan.show import week

        return "\n".join(week.hours_of_week(plan, monday))
    if mermaid:
        from callrouter.dialplan.show import mermaid as drawing_in_words

        return drawing_in_words.mermaid(plan)
    if svg:
        from callrouter.dialplan.show import svg as drawing

        return drawing.svg(plan)
    from callrouter.dialplan.show import text as render

    return render.tree(plan)
