"""YAML as texts that know their line, and nothing of what YAML 1.1 would make of them."""

from __future__ import annotations

import pytest

from callrouter.dialplan.language.reader import MAX_BYTES, read


def test_every_scalar_stays_text() -> None:
    """`on`, `no`, times, numbers with a leading zero, dates and `~` are what is written; only nothing is None."""
    text = b"a: on\nb: no\nc: 08:00\nd: 0612345678\ne: 2026-12-24\nf: ~\ng: 1e3\nh: 0x1F\ni: null\nj:\nk: ''\n"

    assert read(text, "x").value == {
        "a": "on",
        "b": "no",
        "c": "08:00",
        "d": "0612345678",
        "e": "2026-12-24",
        "f": "~",
        "g": "1e3",
        "h": "0x1F",
        "i": "null",
        "j": None,
        "k": "",
    }


def test_every_value_knows_its_line() -> None:
    """Of a mapping's value the line of its key; of a list's its own; unknown parts of a path are skipped."""
    document = read(b"a:\n  b:\n    - one\n    - { c: two }\nd: three\n", "x")

    assert document.line("a", "b") == 2
    assert document.line("a", "b", 1, "c") == 4
    assert document.line("d", 0, "say") == 5
    assert document.line("nowhere") == 1
    assert document.known("a", "gone", "b") == ("a", "b")


def test_a_byte_order_mark_is_no_mistake() -> None:
    """Windows editors write one."""
    assert read(b"\xef\xbb\xbfa: \xc3\xa9", "x").value == {"a": "é"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "x: is empty"),
        (b"# nothing\n", "x: is empty"),
        (b"---\n", "x: is empty"),
        (b"a: [" * 100, "x:1: is nested more than 40 deep"),
        (b"[" * 1_000_000, "x:1: is nested more than 40 deep"),
        (b"- " * 400_000, "x:1: is nested more than 40 deep"),
        (b"x" * (MAX_BYTES + 1), "x: is larger than 1024 KiB: no client's tree needs that"),
        (b"? [a]\n: b\n", "x:1: a key must be a text"),
        (b"a: \xff", "x:1: byte 0xff is not UTF-8: save the file as UTF-8"),
        (b"a: |\n\tb", "x:2: the line begins with a tab: indent with spaces"),
    ],
)
def test_what_cannot_be_read_is_one_issue(content: bytes, sentence: str) -> None:
    """One sentence, no exception, in no time."""
    assert [str(issue) for issue in read(content, "x").issues] == [sentence]


def test_a_bomb_of_aliases_is_refused_at_its_first_alias() -> None:
    """Nothing is expanded."""
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    document = read("\n".join(rows).encode(), "x")

    assert [issue.line for issue in document.issues] == [2]
    assert document.value is None


def test_a_second_key_is_named_and_its_value_thrown_away() -> None:
    """The first one counts, and lines of the second do not leak into it."""
    document = read(b"a: { b: 1 }\nc: 2\na: { b: 3, b: 4 }\n", "x")

    assert document.value == {"a": {"b": "1"}, "c": "2"}
    assert document.line("a", "b") == 1
    assert [issue.line for issue in document.issues] == [3, 3]


def test_what_was_thrown_away_lends_its_lines_to_nobody() -> None:
    """Lines are known by the identity of mappings and lists, which something else may get when one is gone."""
    twice = "".join(f"a: {{ b: [{number}] }}\n" for number in range(200))
    document = read(
        f"{twice}? [x]\n: {{ b: y }}\n{''.join(f'k{n}: text {n}{chr(10)}' for n in range(500))}".encode(), "x"
    )

    assert [document.line(f"k{number}", "b", 0) for number in range(500)] == list(range(203, 703))
    assert document.known("k0", "b", 0) == ("k0",)
