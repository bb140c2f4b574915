"""SMS as whoever receives it reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.dispatch import Means
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering import gsm
from tests.delivery.rendering.parcels import LINK, NOTICE, PARCELS, parcel, spoken, told, written


def sms(one: Parcel) -> str:
    return written(Means.SMS, one)


def test_the_example() -> None:
    one = parcel(told(urgent=True, recording=spoken(Path("gone.wav")), seconds=35))

    assert sms(one) == (
        "URGENT - Cabinet du Dr Moreau: message from Jeanne Martin, 14:05\n06 12 34 00 01\n"
        "Forte fièvre <38,5>. Rappelez vite.\nDate of birth: 1950-04-05\nspoken message of 0:35\n"
        f"Read it and take it on: {LINK}"
    )
    assert sms(NOTICE) == f"Cabinet du Dr Moreau: Dr Petit has taken on the message of 14:05\nRead it: {LINK}"
    assert sms(parcel(confidential=True, language="fr")) == (
        f"Cabinet du Dr Moreau : un message confidentiel\nLe lire et le prendre en charge : {LINK}"
    )
    assert sms(parcel(told(link=""), confidential=True)) == (
        "Cabinet du Dr Moreau: a confidential message\nAsk the answering service for it."
    )


def test_how_to_answer_is_never_cut() -> None:
    """Nor is it said where no answer reaches us; of several messages one code takes all on."""
    short = sms(parcel(told(), reply_code="K7M3P"))
    long = sms(parcel(told(text="word " * 500), reply_code="K7M3P", language="fr"))
    several = sms(parcel(*(told(message_id=f"m{n}", text="word " * 50) for n in range(30)), reply_code="K7M3P"))

    assert short.endswith(f"\nRead it and take it on: {LINK}\nOr answer K7M3P to take it on")
    assert long.endswith(f"...\nLe lire et le prendre en charge : {LINK}\nOu répondez K7M3P pour le prendre en charge")
    assert several.endswith("\nOr answer K7M3P to take it on")
    assert [gsm.parts(one) <= 3 for one in (short, long, several)] == [True] * 3


def test_a_code_that_opens_a_message_says_nothing_of_it() -> None:
    """One part: it is there at once."""
    for language, said in (
        ("en", "Cabinet du Dr Moreau: 012345 is your code for the message of 14:05."),
        ("fr", "Cabinet du Dr Moreau : 012345 est votre code pour le message de 14:05."),
    ):
        text = sms(parcel(told(urgent=True), kind="code", code="012345", confidential=True, language=language))
        assert text.startswith(said)
        assert gsm.parts(text) == 1
        assert all(word not in text for word in ("Martin", "fièvre", "URGENT", LINK))


def test_what_a_machine_wrote_says_so() -> None:
    """Of what is confidential it stays in the house with the rest."""
    one = told(text="", transcript="rappelez\nmoi", transcript_by="stt", recording=spoken(Path("gone.wav")), seconds=5)

    assert "\nspoken message of 0:05\n(by machine) rappelez moi\n" in sms(parcel(one))
    assert "rappelez" not in sms(parcel(one, confidential=True))


def test_accents_that_the_alphabet_does_not_have_do_not_cost_half_of_the_room() -> None:
    text = sms(parcel(told(caller_name="François Hôte", text="« L’œil… »")))

    assert "Francois Hote" in text
    assert '" L\'oeil... "' in text
    assert gsm.parts(text) == 2


def test_another_script_is_sent_as_it_is() -> None:
    text = sms(parcel(told(caller_name="Иван Петров", text="Перезвоните " * 40)))

    assert "Иван Петров" in text
    assert gsm.parts(text) == 3
    assert text.endswith(f"...\nRead it and take it on: {LINK}")


def test_what_is_too_long_is_cut_before_its_link() -> None:
    text = sms(parcel(told(text="word " * 500)))

    assert gsm.parts(text) == 3
    assert text.endswith(f"...\nRead it and take it on: {LINK}")
    assert 450 <= len(text) <= 459


@pytest.mark.parametrize(("count", "shown"), [(2, 2), (4, 4), (5, 3), (40, 3)])
def test_several_messages_in_one(count: int, shown: int) -> None:
    """As many as there is room for, each with its whole link, and how many more there are."""
    links = [f"https://calls.example/m/{number:043}" for number in range(count)]
    text = sms(parcel(*(told(link=link, caller_name=f"Ann {n}", urgent=n == 0) for n, link in enumerate(links))))

    assert text.startswith(
        f"URGENT - Cabinet du Dr Moreau: {count} messages\nURGENT 30/11 14:05 Ann 0 06 12 34 00 01 {links[0]}\n"
    )
    assert [link in text for link in links] == [True] * shown + [False] * (count - shown)
    assert text.endswith(f"\nand {count - shown} more" if count > shown else links[-1])
    assert gsm.parts(text) <= 3


@given(PARCELS, st.sampled_from(("", LINK, "https://calls.example/" + "x" * 150)))
def test_three_parts_at_most_and_a_link_is_whole(one: Parcel, link: str) -> None:
    """Whatever names hold; no character is cut, and nothing that governs a screen is left."""
    first, *others = one.messages
    one = parcel(
        told(**{name: getattr(first, name) for name in first.__struct_fields__} | {"link": link}),
        *others,
        **{name: getattr(one, name) for name in one.__struct_fields__ if name != "messages"},
    )
    text = sms(one)

    assert gsm.parts(text) <= 3
    assert link in text
    assert text.encode()
    assert not {char for char in text if ord(char) < 32} - {"\n"}
    assert not set("\u202e\u2066\ud800\u2028") & set(text)


@given(st.lists(st.sampled_from(("ж\u0301", "🇫🇷", "👩\u200d👧", "👍🏽")), min_size=80, max_size=120))
def test_it_is_cut_between_characters(signs: list[str]) -> None:
    text = sms(parcel(told(caller_name="", text="".join(signs), fields=(), link=""), client_name=""))
    said = text.split("\n")[-1].removesuffix("...")

    assert "".join(signs).startswith(said)
    assert gsm.clusters(said) == signs[: len(gsm.clusters(said))]
