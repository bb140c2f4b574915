"""Who is sent a report of each month, as the client's file says it under `reports`."""

from __future__ import annotations

from collections.abc import Mapping

from callrouter.core.dispatch import Means, Reach
from callrouter.core.dispatch.monthly import LANGUAGES, MonthlyReport
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.scope import NameScope


def reports_of(scope: NameScope, file: ClientFile, people: Mapping[str, Reach]) -> tuple[MonthlyReport, ...]:
    """The client's own; a contact is sent one of them."""
    found: dict[str, MonthlyReport] = {}
    for place, block in enumerate(file.reports):
        reach = people.get(block.to)
        if reach is None:
            hint = closest(block.to, people)
            meant = f' (did you mean "{hint}"?)' if hint else ""
            scope.fail(f"there is no contact {shown(block.to)}{meant}", "reports", place)
        elif not reach.address(Means.EMAIL):
            scope.fail(f"{shown(block.to)} has no email, and a report is sent by mail", "reports", place)
        elif block.to in found:
            scope.fail(f"{shown(block.to)} is sent a report already: write one for each contact", "reports", place)
        else:
            language = block.language or next(
                (one for one in (reach.language, file.language) if one in LANGUAGES), "en"
            )
            found[block.to] = MonthlyReport(
                to=block.to,
                minute=block.at.hour * 60 + block.at.minute,
                language=language,
                line=scope.document.line("reports", place),
            )
    return tuple(found.values())
