"""A message as it is said to whoever is rung for it."""

from __future__ import annotations

from pathlib import Path

from callrouter.delivery.rendering import telephone
from tests.delivery.rendering.parcels import parcel, spoken, told


def test_the_example() -> None:
    """Before the key nothing is said but for whom it is, and from whom."""
    said = telephone.of(parcel(told(urgent=True)))

    assert said.greeting == "Message for Dr Moreau, from Cabinet du Dr Moreau. To hear it, press 1."
    assert said.message == (
        "Urgent. From Jeanne Martin, 06 12 34 00 01. Taken at 14:05. Forte fièvre <38,5>. Rappelez vite. "
        "Date of birth: 1950-04-05."
    )
    assert not said.plays
    assert said.choice.startswith("To take it on, press 1.")


def test_a_recording_is_played_after_who_it_is_from() -> None:
    """Of a message that was spoken there may be no words."""
    said = telephone.of(parcel(told(text="", fields=(), recording=spoken(Path("there.wav")))))

    assert said.plays
    assert said.message.endswith("The caller says:")


def test_a_confidential_message_is_not_read_out() -> None:
    """Whoever answers, and presses a key, may be somebody else."""
    said = telephone.of(parcel(told(recording=spoken(Path("there.wav"))), confidential=True, language="fr"))

    assert said.language == "fr"
    assert not said.plays
    assert "confidentiel" in said.message
    assert "Martin" not in said.message + said.greeting


def test_a_language_that_nobody_has_translated_is_english() -> None:
    """As in mail."""
    assert telephone.of(parcel(told(), language="pl")).language == "en"


def test_a_withheld_number_and_no_name() -> None:
    """It is said that there is none."""
    said = telephone.of(parcel(told(caller_number="", caller_name="")))

    assert "From number withheld." in said.message


def test_what_takes_too_long_is_cut() -> None:
    """Nobody listens for ten minutes."""
    assert len(telephone.of(parcel(told(text="word " * 2000))).message) <= telephone.LONGEST
