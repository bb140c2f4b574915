"""What is wrong with a tariff is said with its line, and with what to write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from callrouter.consumption.document import read_tariff, schema, version_of
from callrouter.consumption.tariff import Time
from callrouter.core.call import Disposition
from callrouter.dialplan.issues import Severity
from tests.consumption.made import HEAD, NOT_BILLED, tariff

DOCS = Path(__file__).resolve().parents[2] / "docs"


def said(says: str, head: str = HEAD, tail: str = NOT_BILLED) -> list[str]:
    """The findings of a file."""
    return [str(one) for one in read_tariff((head + says + "\n" + tail).encode(), "t.yaml").issues]


@pytest.mark.parametrize(
    ("says", "finding"),
    [
        ("call: { price: 1 }", 't.yaml:4: unknown key "call" (did you mean "calls"?)'),
        ("calls: { price: -1 }", 't.yaml:4: calls.price: "-1" is below nothing'),
        ('calls: { price: "0,85" }', 't.yaml:4: calls.price: "0,85" is no price: write "0.85"'),
        ("calls: {}", "t.yaml:4: calls: has neither price nor tiers: write price"),
        (
            "calls: { tiers: [ { up_to: 9, price: 1 }, { up_to: 5, price: 2 }, { price: 3 } ] }",
            "t.yaml:4: calls: tier 2 ends at 5, within the one before, which ends at 9: tiers go upwards",
        ),
        ("calls: { tiers: [ { up_to: 9, price: 1 } ] }", "t.yaml:4: calls: nothing says what more than 9 cost"),
        ("calls: { tiers: [ { price: 1 }, { price: 2 } ] }", "t.yaml:4: calls: tier 1 has no up_to"),
        ("minutes: { price: 1, first: 60s, step: 0 }", 't.yaml:4: minutes.step: "0" is no step: write "1s"'),
        ("minutes: { price: 1, step: 1s }", 't.yaml:4: "first" is missing: write the least that is billed'),
        (
            "minutes: { price: 1, first: 1s, step: 1s, counts: [talk, wrapup] }",
            't.yaml:4: minutes.counts.2: "wrapup" is none of talk, hold, wrap_up (did you mean "wrap_up"?)',
        ),
        ("monthly: { fee: 9, calls: 5 }", "t.yaml:4: monthly.calls: 5 calls are included, and nothing says"),
        ("surcharges: { name: nuit, call: 1 }\nminimum: 1", 't.yaml:4: surcharges: "nuit" holds no time'),
        ("surcharges: { name: a, holidays: FRA, call: 1 }\nminimum: 1", "t.yaml:4: surcharges: holidays: holidays of"),
        ("", "t.yaml:1: bills nothing: write monthly, calls, minutes or minimum"),
    ],
)
def test_a_mistake_has_its_line_and_its_mend(says: str, finding: str) -> None:
    assert any(one.startswith(finding) for one in said(says)), said(says)


@pytest.mark.parametrize(
    ("head", "finding"),
    [
        (
            "tariff: a\ncurrency: euro\nvat: 20%\n",
            'currency: "euro" is no currency that is known (did you mean "EUR"?)',
        ),
        ("tariff: a\ncurrency: EUR\nvat: 20\n", 'vat: "20" is no percentage: write "20%"'),
    ],
)
def test_of_its_head(head: str, finding: str) -> None:
    assert finding in said("calls: { price: 1 }", head)[0]


def test_outcomes_are_those_of_calls() -> None:
    (one,) = said("calls: { price: 1 }", tail="not_billed: { outcomes: [rejected, failled] }\n")

    assert one.endswith('(did you mean "failed"?)')
    (missing,) = said("calls: { price: 1 }", tail="")
    assert '"not_billed" is missing: write { outcomes: [rejected' in missing


def test_what_few_want_is_a_warning() -> None:
    found = read_tariff((HEAD + "calls: { price: 1 }\nnot_billed: { outcomes: [rejected] }\n").encode(), "t.yaml")

    assert [one.severity for one in found.issues] == [Severity.WARNING]
    assert found.tariff is not None
    assert found.tariff.not_billed.outcomes == {Disposition.REJECTED}


def test_a_version_is_what_is_written() -> None:
    found = read_tariff((HEAD + "calls: { price: 1 }\n" + NOT_BILLED).encode(), "t.yaml")

    assert found.version == version_of(found.text)
    assert len(found.version) == 12
    assert tariff("minutes: { price: 1, first: 1s, step: 1s }\n").minutes.counts == {Time.TALK}  # type: ignore[union-attr]


def test_the_handbooks_example_can_be_set() -> None:
    """As it stands there, and an editor that knows its types agrees."""
    (example,) = re.findall(r"```yaml\n(tariff:.*?)```", (DOCS / "operator.md").read_text(), re.DOTALL)
    found = read_tariff(example.encode(), "t.yaml")

    assert (found.tariff is not None, found.issues) == (True, [])
    jsonschema.validate(yaml.safe_load(example), schema())


def test_the_schema_is_published() -> None:
    """`callrouter schema --tariff` prints it."""
    assert json.loads((DOCS / "tariff.schema.json").read_text()) == schema()


@given(st.text(st.sampled_from("abcflst:{}[]-0159.% \n\"'_,&*!\t€"), max_size=80) | st.binary(max_size=40).map(repr))
def test_whatever_is_written_is_a_tariff_or_a_finding(written: str) -> None:
    for text in (written, HEAD + NOT_BILLED + written):
        found = read_tariff(text.encode(), "t.yaml")
        assert found.tariff is not None or found.issues
