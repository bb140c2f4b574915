"""Teams and telephones as sections of Asterisk's files. Needs the standard library only (see `document`).

The sections inherit from templates of queues.conf and pjsip.conf: `[team]` and `[line]`, `[phone]` and its like.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from callrouter.asterisk.teams.document import Team

EVERY_REASON: Final = "paused,penalty,inuse,ringing,unavailable,invalid,unknown,wrapup"
"""Every reason for which app_queue may take a member not to be there (app_queue.c, parse_empty_options)."""


def queue_section(team: Team) -> str:
    """A team's section of queues.conf."""
    settings = {
        "strategy": team.strategy,
        "timeout": team.ring_seconds,
        "retry": team.retry_seconds,
        "wrapuptime": team.wrap_up_seconds,
        "maxlen": team.max_callers,
        "weight": team.weight or None,
        "defaultrule": team.name if team.next_level_seconds else None,
    }
    template = "line" if team.strategy else "team"
    lines = [f"{key} = {value}" for key, value in settings.items() if value is not None]
    return "\n".join([f"[{team.name}]({template})", *lines, *member_lines(team)])


def member_lines(team: Team) -> list[str]:
    """Who is a member by the file."""
    return [f"member => {one.interface},{team.penalty(one.agent)},{one.agent},{one.interface}" for one in team.members]


def rule_section(team: Team) -> str:
    """A team's section of queuerules.conf: after how long callers are offered to further levels; empty without.

    A rule changes only a limit that is set already: extensions.conf sets it to the first level for a queue with a rule.
    """
    if not team.next_level_seconds:
        return ""
    steps = range(1, max(team.levels.values(), default=1))
    lines = [f"penaltychange => {team.next_level_seconds * step},{step}" for step in steps]
    return "\n".join([f"[{team.name}]", *lines])


def closed_section(name: str) -> str:
    """A queue on its way out, in which nobody waits any more: whoever would join it goes on at once, as if it was
    empty, and so does whoever slipped in.
    """
    return f"[{name}](team)\njoinempty = {EVERY_REASON}\nleavewhenempty = {EVERY_REASON}"


def phone_sections(name: str, secret: str, contact: str | None = None) -> str:
    """A telephone's sections of pjsip.conf: it registers, or stands at a fixed address (`contact`: HOST:PORT)."""
    aor = f"contact = sip:{name}@{contact}\nmax_contacts = 0" if contact else ""
    return (
        f"[{name}](phone)\nauth = {name}\naors = {name}\ncallerid = {name} <{name}>\n"
        f"[{name}](phone-auth)\nusername = {name}\npassword = {secret}\n"
        f"[{name}](phone-aor)\n{aor}\n"
    )


def phone_extension(name: str) -> str:
    """A telephone's extension of [callrouter-phones].

    A transferred caller whom the colleague does not answer goes to the fallback (callrouter-unreached). Of one who was
    answered Dial() ends the routine that they were transferred out of: the engine hears of it, or, if there is none any
    more, the fallback sees by CR_OVER that their conversation is over. What is recorded of a caller is begun anew for
    whoever talks to them now; an agent's channel has the name of the recording, too, but no CR_DID.
    """
    return (
        f"exten => {name},1,Set(CR_OVER=${{CR_STATE}})\n"
        ' same => n,GosubIf($["${CR_DID}" != "" & "${CR_RECORDED}" != ""]?callrouter-conversation,anew,1)\n'
        f" same => n,Dial(PJSIP/{name},30,ir)\n"
        " same => n,Set(CR_OVER=)\n"
        ' same => n,GotoIf($["${DIALSTATUS}" != "ANSWER"]?callrouter-unreached,s,1)\n'
        " same => n,Hangup()"
    )


def whole(sections: Iterable[str], about: str) -> str:
    """A file of such sections, with a first line that says whose it is."""
    return "\n".join([f"; {about} Written by callrouter: changes made here are lost.", *sections, ""])
