"""Pictures: well-formed, without scripts, and as large as the figures."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from callrouter.reports.chart import COLOURS, drawn
from callrouter.reports.making import Subject
from callrouter.reports.model import By, Report
from callrouter.reports.words import Language

from .made import by_day, by_hour, by_weekday, line, of_everybody, report

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("found", [by_day(), by_hour(), by_weekday(), of_everybody(), report(By.CLIENT, {})])
def test_it_is_well_formed_and_within_its_frame(found: Report) -> None:
    root = ElementTree.fromstring(drawn(found, Language.FRENCH))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])

    for bar in root.iter(f"{SVG}rect"):
        left, top = float(bar.get("x", 0)), float(bar.get("y", 0))
        assert 0 <= left <= left + float(bar.attrib["width"]) <= width
        assert 0 <= top <= top + float(bar.attrib["height"]) <= height
    assert not list(root.iter(f"{SVG}script"))


def test_bars_are_as_long_as_their_figures() -> None:
    found = report(By.WEEKDAY, {Subject(1): line(100), Subject(2): line(50, abandoned=25)})
    bars = list(ElementTree.fromstring(drawn(found, Language.ENGLISH)).iter(f"{SVG}rect"))
    tall = {
        name: [float(bar.attrib["height"]) for bar in bars if bar.get("fill") == COLOURS[name]][1:]
        for name in ("answered", "abandoned")
    }

    assert tall["answered"][1] == pytest.approx(tall["answered"][0] / 2, abs=0.1)
    assert tall["abandoned"] == pytest.approx([0, tall["answered"][0] / 4], abs=0.1)


def test_names_are_text() -> None:
    found = report(By.QUEUE, {Subject('<script>alert(1)</script> & "x"'): line(1)})
    root = ElementTree.fromstring(drawn(found, Language.ENGLISH))

    assert '<script>alert(1)</script> & "x"' in [text.text for text in root.iter(f"{SVG}text")]
