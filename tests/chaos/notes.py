"""What the telephones, the web service and the harness of a round wrote down. Plain values: nothing here comes from
Asterisk or from us. Instants are in seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NEVER = 0.0
"""In place of an instant of what did not happen."""


@dataclass(kw_only=True)
class Stretch:
    """A sound that a telephone heard without a pause: a key of `sounds.HERTZ`, or `other`."""

    name: str
    since: float
    until: float


@dataclass(kw_only=True)
class Press:
    """A key, when it went down."""

    key: str
    at: float
    taken: bool = False
    """The caller heard what it stands for."""


@dataclass(kw_only=True)
class Caller:
    """One caller, and all that their telephone did and heard."""

    kind: str
    number: str
    did: str
    dialled_at: float = NEVER
    reached: bool = False
    """The PBX answered something to the INVITE."""
    status: int = 0
    """Of the final response; 0: there was none."""
    answered_at: float = NEVER
    ended_at: float = NEVER
    hung_up: bool = False
    """They ended it, not the PBX."""
    heard: list[Stretch] = field(default_factory=list)
    pressed: list[Press] = field(default_factory=list)
    keyed: list[str] = field(default_factory=list)
    """Numbers that they keyed as a whole, in order."""
    spoke_at: float = NEVER
    spoke_until: float = NEVER
    rang_at: float = NEVER
    """They heard that it rings (180), or sound before the answer (183), or the answer."""


@dataclass(kw_only=True)
class Ring:
    """One ring of the telephone of an agent, a contact, or a caller who is called back."""

    phone: str
    kind: str
    """`agent`, `contact` or `callback` (the caller who asked for one), by whose telephone it is."""
    call: str
    """The call's id, as the INVITE says it; empty: it says none."""
    number: str
    """Who calls, as the telephone showed it."""
    began_at: float
    answered_at: float = NEVER
    ended_at: float = NEVER
    hung_up: bool = False
    status: int = 0
    heard: list[Stretch] = field(default_factory=list)


@dataclass(kw_only=True)
class Asked:
    """A request to the web service."""

    at: float
    path: str
    call: str
    key: str
    """Its Idempotency-Key; empty: none."""
    done_at: float = NEVER
    """When it was answered, or whoever had asked was gone."""


@dataclass(kw_only=True)
class Fault:
    """What was done to the machine, and when."""

    name: str
    at: float = NEVER
    healed_at: float = NEVER
    """Whatever was killed was started again, or what was stopped goes on."""
    in_control_at: float = NEVER
    """A caller who dialled after the fault heard an engine's answer."""
    drained_at: float = NEVER
    """Every row of calls that had ended was in the database."""


@dataclass(kw_only=True)
class Notes:
    """Of one round."""

    seed: str
    callers: list[Caller] = field(default_factory=list)
    rings: list[Ring] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    held_up_seconds: float = 0.0
    """The longest time for which this process, which writes all of it down, could not: a busy machine."""
    processor_share: float = 0.0
    """How much of one processor this process took while callers called: they are to miss as little of it as can be."""
