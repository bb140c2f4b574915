"""Who is sent a report of each month, for a person."""

from __future__ import annotations

from callrouter.core.dispatch.monthly import MonthlyReport
from callrouter.core.plan import Plan


def described(plan: Plan, one: MonthlyReport) -> str:
    """`Cabinet Moreau's post box is sent it as PDF on the first, from 07:00 on, in French`."""
    reach = plan.people.get(one.to)
    called = reach.title if reach is not None else one.to
    language = {"fr": "French", "en": "English"}.get(one.language, one.language)
    at = f"{one.minute // 60:02d}:{one.minute % 60:02d}"
    return f"{called} is sent it as PDF by mail on the first, from {at} on, in {language}"
