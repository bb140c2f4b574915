"""Tariffs, as files: mutated ones, and what their months come to.

The law: whatever is written is a tariff or has a finding with a line of the file; and a tariff rates calls exactly:
what they come to in portions, each corrected by the next, is what they come to together.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from callrouter.consumption.document import read_tariff
from callrouter.consumption.statement import difference
from tests.consumption.made import call, lines, part
from tests.fuzz.tally import Draw, cases, count

_HANDBOOK: Final = Path(__file__).resolve().parents[2] / "docs" / "operator.md"
GENUINE: Final = re.findall(r"```yaml\n(tariff:.*?)```", _HANDBOOK.read_text(), re.DOTALL)[0]
LINES: Final = GENUINE.splitlines()
HOSTILE: Final = [
    "calls: { price: 1e9 }",
    "calls: { price: ١ }",
    "vat: 100%",
    "vat: NaN%",
    "minimum: 999999.999999",
    "minutes: { price: 0.000001, first: 1h, step: 1s }",
    "minutes: { price: 1, first: 0.5s, step: 1h }",
    "monthly: { fee: 0, calls: 1000000, minutes: 1000000 }",
    "surcharges: { name: a, hours: [sun 23:59-00:01, daily 00:00-24:00], minute: 1 }",
    "surcharges: [ { name: a, holidays: FR-57, call: 1 }, { name: a, holidays: '', call: 1 } ]",
    "not_billed: []",
    "not_billed: { outcomes: [] }",
    "not_billed: { outcomes: rejected, fields: { a: { b: c } } }",
    "currency: XPF",
    "tariff: &a [*a]",
    "calls: { tiers: [] }",
    "calls: { tiers: [ [ [ [] ] ] ] }",
    "? [a]: b",
    "\x00",
    "\u2028: 1",
]


@st.composite
def documents(draw: st.DrawFn) -> str:
    """The handbook's, with lines dropped, doubled, moved, forged and numbers changed."""
    found = list(LINES)
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(found) - 1)) if found else 0
        match draw(st.integers(0, 4)):
            case 0:
                del found[place : place + 1]
            case 1:
                found.insert(place, draw(st.sampled_from(LINES)))
            case 2:
                found.insert(place, draw(st.sampled_from(HOSTILE)))
            case 3:
                number = draw(st.sampled_from(["0", "1", "-1", "0.005", "10000000", "1,5", ""]))
                found[place : place + 1] = [
                    re.sub(r"[0-9.]+", number, one, count=1) for one in found[place : place + 1]
                ]
            case _:
                key = draw(st.sampled_from(HOSTILE)).partition(":")[0]
                found = [one for one in found if not one.startswith(key)] + [draw(st.sampled_from(HOSTILE))]
    return "\n".join(found) + "\n"


@cases(100, 0.02)
@given(documents(), st.lists(st.integers(0, 4_000), max_size=12), st.data())
def test_a_tariff_or_a_finding(written: str, talks: list[int], data: st.DataObject) -> None:
    count("tariffs")
    draw: Draw = data.draw
    found = read_tariff(written.encode(errors="surrogatepass"), "t.yaml")
    assert found.tariff is not None or found.issues
    assert all(0 <= one.line <= written.count("\n") + 1 and one.message for one in found.issues)
    if found.tariff is None:
        return
    by = part(found.tariff)
    items = [call(number, talk, wrap_up_seconds=draw(st.integers(0, 90))) for number, talk in enumerate(talks)]
    count("tariffs that can be set")
    issued = lines(items[: len(items) // 2], by)
    issued += difference(lines(items, by), issued)
    whole = lines(items, by)

    assert sum((one.amount for one in issued), Decimal(0)) == sum((one.amount for one in whole), Decimal(0))
