"""`callrouter show`: a client's tree as text, Mermaid or SVG, or a week of its hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from callrouter.cli.arguments import Parser
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.errors import DialplanError

SUMMARY: Final = "Draw a client's tree as text, as a Mermaid flow chart or as SVG, or show a week of its hours."


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Raises:
        DialplanError: the file is wrong.
    """
    parser = Parser(prog="callrouter show", description=SUMMARY)
    parser.add_argument("path", type=Path, metavar="FILE", help="a client's file, or a folder of them")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--mermaid", action="store_true", help="as a Mermaid flow chart")
    how.add_argument("--svg", action="store_true", help="as one SVG file: callrouter show FILE --svg > tree.svg")
    how.add_argument("--hours", metavar="WEEK", help="the opening hours of 2026-W52, or of the week of 2026-12-25")
    asked = parser.parse_args(arguments)
    catalogue = load_directory(asked.path, PaperSpeech())
    folder = asked.path.is_dir()
    plans = [plan for plan in catalogue.plans.values() if folder or plan.source == asked.path.name]
    if not plans:
        own = [issue for issue in catalogue.issues if issue.file in catalogue.refused]
        raise DialplanError("nothing to show, the file cannot be served:\n" + "\n".join(str(issue) for issue in own))
    if asked.svg and len(plans) > 1:
        parser.error("an SVG holds one tree: name one client's file")
    monday = None
    if asked.hours:
        from callrouter.questions.week import monday_of

        try:
            monday = monday_of(asked.hours)
        except ValueError as error:
            parser.error(f"--hours: {error}")
    print("\n\n".join(_shown(plan, monday, mermaid=asked.mermaid, svg=asked.svg) for plan in plans))
    return 0


def _shown(plan: Plan, monday: date | None, *, mermaid: bool, svg: bool) -> str:
    """What was asked for; only that is imported."""
    if monday:
        from callrouter.questions import week

        return "\n".join(week.hours_of_week(plan, monday))
    if mermaid:
        from callrouter.dialplan.show import mermaid as drawing_in_words

        return drawing_in_words.mermaid(plan)
    if svg:
        from callrouter.dialplan.show import svg as drawing

        return drawing.svg(plan)
    from callrouter.dialplan.show import text as render

    return render.tree(plan)
