"""A tariff as an operator writes it, in YAML: read, and judged, each mistake with its line and its mend."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, TypeVar

from msgspec import Struct
from pydantic import Field

from callrouter.consumption.money import CURRENCIES
from callrouter.consumption.tariff import ZERO, Minutes, Monthly, NotBilled, Surcharge, Tariff, Tier, Time
from callrouter.core.call import Disposition
from callrouter.dialplan.issues import Issue, Severity, closest, errors, shown
from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import (
    Before,
    Block,
    Flag,
    Line,
    Name,
    OneOf,
    OneOrMany,
    Read,
    Texts,
    as_list,
    as_mapping,
)
from callrouter.dialplan.language.reader import Document, read
from callrouter.dialplan.language.validation import validate

_PRICE = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,6}))?", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,3})?) ?%", re.ASCII)
_MOST: Final = 1_000_000
"""Pieces or minutes of a month."""
_LONGEST_STEP: Final = 3600

B = TypeVar("B", bound=Block)


def _price(value: object) -> Decimal:
    word = values.text(value).strip()
    if not _PRICE.fullmatch(word):
        if _PRICE.fullmatch(meant := word.replace(",", ".").rstrip(" €")):
            raise ValueError(f'{shown(word)} is no price: write "{meant}"')
        if word.startswith("-"):
            raise ValueError(f"{shown(word)} is below nothing: a tariff only asks; leave out what costs nothing")
        raise ValueError(f'{shown(word)} is no price: write "0.85", with a point and no currency, to six digits')
    return Decimal(word)


def _share(value: object) -> Decimal:
    word = values.text(value).strip()
    found = _PERCENT.fullmatch(word)
    if found is None:
        bare = word.removesuffix("%").strip().replace(",", ".")
        mend = f'write "{bare}%"' if _PERCENT.fullmatch(f"{bare}%") else 'write "20%"'
        raise ValueError(f"{shown(word)} is no percentage: {mend}")
    return Decimal(found[1]) / 100


def _currency(value: object) -> str:
    word = values.text(value).strip()
    if word not in CURRENCIES:
        hint = {"€": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "£": "GBP"}.get(word.lower(), "")
        hint = hint or (word.upper() if word.upper() in CURRENCIES else closest(word.upper(), CURRENCIES))
        meant = f' (did you mean "{hint}"?)' if hint else f": write one of {', '.join(CURRENCIES)}"
        raise ValueError(f"{shown(word)} is no currency that is known{meant}")
    return word


def _pieces(value: object) -> int:
    word = values.text(value).strip()
    if not re.fullmatch(r"[0-9]{1,7}", word, re.ASCII) or not 1 <= int(word) <= _MOST:
        raise ValueError(f"{shown(word)} is not a whole number from 1 to {_MOST}")
    return int(word)


def _whole_seconds(value: object) -> int:
    word = values.text(value).strip()
    if word in ("0", "0s", "0m"):
        raise ValueError(f'{shown(word)} is no step: write "1s" to bill by the second')
    seconds = values.duration(value)
    if seconds != int(seconds) or not 1 <= seconds <= _LONGEST_STEP:
        raise ValueError(f"{shown(word)} is not a number of whole seconds, from 1s to 1h")
    return int(seconds)


def _limit(value: object) -> int:
    seconds = values.duration(value)
    if seconds != int(seconds):
        raise ValueError(f"{shown(value)} is not a number of whole seconds")
    return int(seconds)


def _hours(value: object) -> tuple[tuple[int, int], ...]:
    return values.week_parts(value)


_A_PRICE = {"type": ["number", "string"], "pattern": r"^[0-9]{1,6}(\.[0-9]{1,6})?$", "examples": [0.85]}
Price = Annotated[Decimal, Read(_price, _A_PRICE)]
Vat = Annotated[Decimal, Read(_share, {"type": "string", "pattern": "^[0-9]{1,2}([.][0-9]{1,3})? ?%$"})]
Currency = Annotated[str, Read(_currency, {"enum": list(CURRENCIES)})]
Pieces = Annotated[int, Read(_pieces, {"type": "integer", "minimum": 1, "maximum": _MOST})]
Steps = Annotated[int, Read(_whole_seconds, {"type": "string", "examples": ["60s", "1s"]})]
Limit = Annotated[int, Read(_limit, {"type": "string", "examples": ["10s"]})]
Counted = Annotated[str, OneOf(*(str(one) for one in Time))]
Outcomes = Annotated[str, OneOf(*(str(one) for one in Disposition))]
Hours = Annotated[tuple[tuple[int, int], ...], Read(_hours, {"type": "string", "examples": ["sat 12:00..mon 08:00"]})]


class TierBlock(Block):
    """A price up to a number of pieces or minutes of the month."""

    missing: ClassVar[Mapping[str, str]] = {"price": 'write what each costs, as in "0.80"'}

    up_to: Pieces | None = None
    price: Price


class PiecesBlock(Block):
    """What each costs: one price, or tiers."""

    price: Price | None = None
    tiers: Annotated[tuple[TierBlock, ...], Before(as_list), Field(min_length=1)] | None = None


class MinutesBlock(PiecesBlock):
    """What a minute of conversation costs, and how it is rounded."""

    missing: ClassVar[Mapping[str, str]] = {
        "first": 'write the least that is billed of a conversation, "60s", or "1s" for each second',
        "step": 'write to what is rounded up beyond it, "30s", or "1s" for each second',
    }

    first: Steps
    step: Steps
    counts: Annotated[tuple[Counted, ...], Before(as_list), Field(min_length=1), OneOrMany()] = ("talk",)
    put_through: Flag = True
    callbacks: Flag = True


class MonthlyBlock(Block):
    """A month's flat rate."""

    missing: ClassVar[Mapping[str, str]] = {"fee": 'write what a whole month costs, as in "49.00"'}

    fee: Price
    calls: Pieces | None = None
    minutes: Pieces | None = None


class NotBilledBlock(Block):
    """Which calls cost nothing."""

    missing: ClassVar[Mapping[str, str]] = {
        "outcomes": "write which, as in [rejected, left_early, self_served, failed, abandoned]"
    }

    outcomes: Annotated[tuple[Outcomes, ...], Before(as_list), OneOrMany()]
    abandoned_within: Limit = 0
    shorter_than: Limit = 0
    nodes: Annotated[tuple[Name, ...], Before(as_list), OneOrMany()] = ()
    fields: Annotated[dict[Name, Texts], Before(as_mapping), Field(default_factory=dict)]


class SurchargeBlock(Block):
    """What is added at some hours."""

    missing: ClassVar[Mapping[str, str]] = {"name": 'write as what it stands on the invoice, as in "Evenings"'}

    name: Line
    hours: Annotated[tuple[Hours, ...], Before(as_list), OneOrMany()] = ()
    holidays: Line | None = None
    call: Price = ZERO
    minute: Price = ZERO


class TariffFile(Block):
    """A tariff."""

    missing: ClassVar[Mapping[str, str]] = {
        "tariff": "name it, as in tariff: secretariat-2026",
        "currency": "write EUR",
        "vat": 'write "20%", or "0%" where none is owed',
        "not_billed": "write { outcomes: [rejected, left_early, self_served, failed, abandoned] }",
    }

    tariff: Name
    currency: Currency
    vat: Vat
    monthly: MonthlyBlock | None = None
    minimum: Price = ZERO
    calls: PiecesBlock | None = None
    minutes: MinutesBlock | None = None
    callbacks: PiecesBlock | None = None
    messages: PiecesBlock | None = None
    sms: PiecesBlock | None = None
    not_billed: NotBilledBlock
    surcharges: Annotated[tuple[SurchargeBlock, ...], Before(as_list)] = ()


class ReadTariff(Struct, frozen=True, kw_only=True):
    """What was read of a file."""

    text: str
    tariff: Tariff | None
    """None where there are errors."""
    issues: Sequence[Issue]

    @property
    def version(self) -> str:
        """By which it is known: the beginning of the hash of its text."""
        return version_of(self.text)


def version_of(text: str) -> str:
    """12 hexadecimal digits: what is written otherwise is another version."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_tariff(content: bytes, name: str) -> ReadTariff:
    """A tariff, and all that is wrong with it; nothing is raised."""
    document = read(content, name)
    found, wrong = validate(TariffFile, document) if document.value is not None else (None, [])
    issues = [*document.issues, *wrong]
    if found is not None:
        issues += _judged(found, document)
    is_right = found is not None and not errors(issues)
    text = content.decode("utf-8-sig", errors="replace")
    return ReadTariff(text=text, tariff=_tariff(found) if found is not None and is_right else None, issues=issues)


def _judged(found: TariffFile, document: Document) -> Iterator[Issue]:
    for key in ("calls", "minutes", "callbacks", "messages", "sms"):
        block: PiecesBlock | None = getattr(found, key)
        if block is not None:
            yield from _judged_tiers(block, key, document)
    billed = (found.calls, found.minutes, found.callbacks, found.messages, found.sms, found.monthly)
    if not any(one is not None for one in billed) and not found.minimum:
        yield document.issue("bills nothing: write monthly, calls, minutes or minimum")
    monthly = found.monthly
    for key in ("calls", "minutes"):
        included = getattr(monthly, key) if monthly else None
        if included is not None and getattr(found, key) is None:
            wrong = (
                f"{included} {key} are included, and nothing says what more of them cost: write {key}: {{ price: … }}"
            )
            yield document.issue(f"monthly.{key}: {wrong}", "monthly", key)
    if found.minutes is not None and found.minutes.put_through is False and "talk" not in found.minutes.counts:
        yield document.issue(
            "minutes.put_through: is about talk, which counts does not name: leave it out", "minutes", "put_through"
        )
    yield from _judged_outcomes(found, document)
    yield from _judged_surcharges(found.surcharges, document)


def _judged_tiers(block: PiecesBlock, key: str, document: Document) -> Iterator[Issue]:
    if (block.price is None) == (block.tiers is None):
        two = block.price is not None
        wrong = "has a price and tiers: leave one out" if two else "has neither price nor tiers: write price"
        yield document.issue(f"{key}: {wrong}", key)
    tiers = block.tiers or ()
    for number, (before, after) in enumerate(pairwise(tiers), start=1):
        at = (key, "tiers", number)
        if before.up_to is None:
            wrong = f"{key}: tier {number} has no up_to, so no call reaches tier {number + 1}: write up_to"
            yield document.issue(wrong, key, "tiers", number - 1)
        elif after.up_to is not None and after.up_to <= before.up_to:
            wrong = (
                f"{key}: tier {number + 1} ends at {after.up_to}, within the one before, which ends at {before.up_to}"
            )
            yield document.issue(f"{wrong}: tiers go upwards and do not overlap", *at, "up_to")
    if tiers and tiers[-1].up_to is not None:
        wrong = f"{key}: nothing says what more than {tiers[-1].up_to} cost: write a last tier without up_to"
        yield document.issue(wrong, key, "tiers", len(tiers) - 1, "up_to")


def _judged_outcomes(found: TariffFile, document: Document) -> Iterator[Issue]:
    not_billed = found.not_billed
    if set(not_billed.outcomes) == {str(one) for one in Disposition}:
        yield document.issue("not_billed.outcomes: names all there are: no call is billed", "not_billed", "outcomes")
    if not_billed.abandoned_within and Disposition.ABANDONED in not_billed.outcomes:
        wrong = "no abandoned call is billed, short or not: leave it out, or abandoned out of outcomes"
        yield _warning(document, f"not_billed.abandoned_within: {wrong}", "not_billed", "abandoned_within")
    usually = {Disposition.REJECTED, Disposition.FAILED} - set(not_billed.outcomes)
    for one in sorted(usually):
        wrong = f"{one} calls are billed: few clients take that on; name it in outcomes unless it was agreed so"
        yield _warning(document, f"not_billed.outcomes: {wrong}", "not_billed", "outcomes")


def _judged_surcharges(surcharges: Sequence[SurchargeBlock], document: Document) -> Iterator[Issue]:
    known: set[str] = set()
    for number, one in enumerate(surcharges):
        at = ("surcharges", number)
        if one.name in known:
            yield document.issue(f"surcharges: {shown(one.name)} stands here twice: give each its own name", *at)
        known.add(one.name)
        if not one.hours and one.holidays is None:
            yield document.issue(f"surcharges: {shown(one.name)} holds no time: write hours or holidays", *at)
        if not one.call and not one.minute:
            yield document.issue(f"surcharges: {shown(one.name)} adds nothing: write call or minute", *at)
        if one.holidays is not None:
            from callrouter.dialplan.shared.public_holidays import OWN_LANGUAGE, public_holidays

            try:
                public_holidays(one.holidays, OWN_LANGUAGE, 2026)
            except ValueError as error:
                yield document.issue(f"surcharges: holidays: {error}", *at, "holidays")


def _warning(document: Document, message: str, *path: str | int) -> Issue:
    return Issue(
        file=document.file,
        line=document.line(*path),
        field=".".join(map(str, path)),
        message=message,
        severity=Severity.WARNING,
    )


def _tariff(found: TariffFile) -> Tariff:
    monthly, minutes, not_billed = found.monthly, found.minutes, found.not_billed
    return Tariff(
        name=found.tariff,
        currency=found.currency,
        vat=found.vat,
        monthly=Monthly(fee=monthly.fee, calls=monthly.calls or 0, minutes=monthly.minutes or 0) if monthly else None,
        minimum=found.minimum,
        calls=_tiers(found.calls),
        minutes=None
        if minutes is None
        else Minutes(
            tiers=_tiers(minutes),
            first_seconds=minutes.first,
            step_seconds=minutes.step,
            counts=frozenset(Time(one) for one in minutes.counts),
            put_through=minutes.put_through,
            callbacks=minutes.callbacks,
        ),
        callbacks=_tiers(found.callbacks),
        messages=_tiers(found.messages),
        sms=_tiers(found.sms),
        not_billed=NotBilled(
            outcomes=frozenset(Disposition(one) for one in not_billed.outcomes),
            abandoned_within_seconds=not_billed.abandoned_within,
            shorter_than_seconds=not_billed.shorter_than,
            nodes=frozenset(not_billed.nodes),
            fields={name: frozenset(said) for name, said in not_billed.fields.items()},
        ),
        surcharges=tuple(
            Surcharge(
                name=one.name,
                week=tuple(part for parts in one.hours for part in parts),
                holidays=one.holidays or "",
                call=one.call,
                minute=one.minute,
            )
            for one in found.surcharges
        ),
    )


def _tiers(block: PiecesBlock | None) -> tuple[Tier, ...]:
    if block is None:
        return ()
    if block.price is not None:
        return (Tier(price=block.price),)
    return tuple(Tier(price=one.price, up_to=one.up_to) for one in block.tiers or ())


def schema() -> dict[str, Any]:
    """The JSON Schema of a tariff's file, for editors that know types."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TariffFile.model_json_schema()}
