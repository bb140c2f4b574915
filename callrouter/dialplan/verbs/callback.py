"""`callback`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from callrouter.core.effects import ReadAs, Sound
from callrouter.core.identity import Identity, Shows
from callrouter.core.nodes import CallbackNode, Node
from callrouter.core.nodes.callback import Automatic
from callrouter.core.read_aloud import PromptPart, SpokenVariable
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Block, Count, Name, Positive, Target
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.own_texts import CALLBACK_ASK, CALLBACK_CHOICES, CALLBACK_NUMBER
from callrouter.dialplan.language.prompts import Prompts, Retry
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb, as_whom

MOST_ATTEMPTS = 20
MOST_DAYS = 30


class AutomaticBlock(Block):
    """How callrouter calls back by itself."""

    missing: ClassVar[Mapping[str, str]] = {"queue": "say whose agents call back"}

    queue: Name
    """A queue of `shared/queues.yaml`: its agents call back."""
    priority: Count = 0
    """As a caller's in the queue: higher ones are answered first."""
    brief: Prompts | None = None
    """Whispered to the agent before the caller is rung: that it is a callback, and for whom. Without values of the
    call."""
    ring: Annotated[Positive, bounds.RING] = 30.0
    """How long the caller is rung."""
    attempts: Count = 3
    """How often a caller who does not answer is rung, 1 to 20."""
    pause: Positive = 900.0
    """How long nobody rings them after an attempt that failed, as in 15m."""
    days: Count = 3
    """After so many times 24 hours the callback is given up, 1 to 30."""
    hours: Name | None = None
    """The client's hours in which callers are rung; by default at any time at which an agent is free."""
    identity: IdentityBlock | None = None
    """Whose number they see; by default what the client's `identity` says. Not `show: caller`: that is who is rung."""


class CallbackBlock(Block):
    """Offer to call back."""

    missing: ClassVar[Mapping[str, str]] = {
        "done": "say where the call goes once the callback is booked",
        "declined": "say where a caller who wants no callback goes",
        "no_input": "say where a caller who presses nothing goes",
        "no_match": "say where a caller who presses an unknown key goes",
    }

    prompt: Prompts | None = None
    """Said first; the number and what 1, 2 and 3 do follow by themselves."""
    timeout: Annotated[Positive, bounds.TIMEOUT] = 5.0
    """The longest silence after the question, and between two keys."""
    done: Target
    """The callback is booked."""
    declined: Target
    """The caller does not want one."""
    no_input: Retry
    """Where silence leads, and after how many tries."""
    no_match: Retry
    """Where wrong keys lead, and after how many tries."""
    automatic: AutomaticBlock | None = None
    """callrouter calls back; without it somebody has to, who reads /api/callbacks."""


def build(names: Names, name: str, block: CallbackBlock) -> Node:
    """Its own sentences, in the client's language, besides what is written."""
    here = ("nodes", name, "callback")
    silent, unknown = block.no_input, block.no_match
    number, choices, ask = (names.own_voice(text, *here) for text in (CALLBACK_NUMBER, CALLBACK_CHOICES, CALLBACK_ASK))
    figures = names.figures(ReadAs.TELEPHONE, *here)
    offer: tuple[PromptPart, ...] = (
        *number,
        SpokenVariable(variable="number", read_as=ReadAs.TELEPHONE, language=names.language, figures=figures),
        *choices,
    )
    return CallbackNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(
            name,
            "callback",
            ("done", block.done, ("done",)),
            ("declined", block.declined, ("declined",)),
            ("no_input", silent.then, ("no_input", "then")),
            ("no_match", unknown.then, ("no_match", "then")),
        ),
        sounds=names.voices(block.prompt, *here, "prompt", before=offer),
        number_sounds=number,
        choice_sounds=choices,
        ask_sounds=ask,
        region=names.country,
        dialling=names.dialling,
        language=names.language,
        figures=figures,
        timeout_seconds=block.timeout,
        no_input_retries=silent.retry,
        no_match_retries=unknown.retry,
        no_input_sounds=names.voices(silent.prompt, *here, "no_input", "prompt", before=offer),
        no_match_sounds=names.voices(unknown.prompt, *here, "no_match", "prompt", before=offer),
        automatic=_automatic(names, block.automatic, *here, "automatic") if block.automatic else None,
    )


def _automatic(names: Names, block: AutomaticBlock, *here: str) -> Automatic:
    """Its queue and its hours must be known; when it rings, the call is over, and its values with it."""
    preference = names.line_of(block.queue, *here, "queue")
    for key, most in (("attempts", MOST_ATTEMPTS), ("days", MOST_DAYS)):
        if not 1 <= getattr(block, key) <= most:
            names.fail(f"{key} must be from 1 to {most}", *here, key)
    if block.hours is not None and block.hours not in names.schedules:
        suggestion = closest(block.hours, names.schedules)
        names.fail(f"the client has no hours called {shown(block.hours)}", *here, "hours", suggestion=suggestion)
    brief = names.voices(block.brief, *here, "brief")
    sounds = tuple(part for part in brief if isinstance(part, Sound))
    if len(sounds) != len(brief):
        names.fail("values of the call are not known any more when the caller is called back", *here, "brief")
    return Automatic(
        queue=block.queue,
        preference=preference,
        priority=block.priority,
        brief=sounds,
        ring_seconds=block.ring,
        attempts=block.attempts,
        pause_seconds=block.pause,
        days=block.days,
        hours=f"{names.hours_prefix}{block.hours}" if block.hours else "",
        identity=_identity(names, block.identity, *here, "identity") if block.identity else None,
    )


def _identity(names: Names, block: IdentityBlock, *here: str) -> Identity | None:
    if block.show == Shows.CALLER:
        names.fail("show: the caller is whom we call back: write operator or client", *here, "show")
        return None
    return names.identity(block, *here)


def describe(node: CallbackNode) -> str:
    """What is said, and whose agents call back."""
    words = said(node.sounds)
    how = node.automatic
    who = f" ({how.preference})" if how and how.preference else ""
    called_by = f"called back by queue {how.queue}{who}{as_whom(how.identity)}" if how else ""
    return ", ".join(part for part in (words, called_by) if part)


CALLBACK = Verb(name="callback", node=CallbackNode, block=CallbackBlock, build=build, describe=describe)
