"""Which of a client's forms is for a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from callrouter.core.forms.form import Form
from callrouter.core.schedule import Schedule


def form_for(
    forms: Iterable[Form],
    *,
    at: datetime,
    schedules: Mapping[str, Schedule],
    in_list: Callable[[str], bool],
    kind: str,
) -> Form | None:
    """The first form, in the file's order, that is for a call at an aware instant; None: the client has none for it.

    `in_list` says whether a list, by name, holds the caller. `kind` is the node that put the caller through
    (`Plan.kind_of`); empty where there is no call, or nobody was reached: then no form that asks for kinds is for it.
    """

    def is_open(hours: str) -> bool:
        return schedules[hours].at(at).open

    return next((form for form in forms if form.when.holds(is_open=is_open, in_list=in_list, kind=kind)), None)
