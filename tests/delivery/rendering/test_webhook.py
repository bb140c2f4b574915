"""What web services are posted, by its schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
from hypothesis import given

from callrouter.core.dispatch import Means
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering.webhook import schema
from tests.delivery.rendering.parcels import LINK, NOTICE, PARCEL, PARCELS, parcel, spoken, told, written

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "message-events.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def posted(one: Parcel) -> dict[str, object]:
    """As a web service reads it; valid by the schema in the documents."""
    body: dict[str, object] = json.loads(written(Means.WEBHOOK, one))
    VALIDATOR.validate(body)
    return body


def test_the_schema_in_the_documents_is_this_one() -> None:
    """Renew it: .venv/bin/python -c 'import json; from callrouter.delivery.rendering import webhook;
    print(json.dumps(webhook.schema(), indent=1))' > docs/message-events.schema.json
    """
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_example() -> None:
    assert posted(parcel(told(recording=spoken(Path("m1.wav")), seconds=5.5, urgent=True))) == {
        "type": "message.taken.v1",
        "timestamp": "2026-11-30T13:05:09.123456Z",
        "data": {
            "delivery_id": PARCEL.delivery_id,
            "client": "cabinet-moreau",
            "client_name": "Cabinet du Dr Moreau",
            "contact": "doctor",
            "confidential": False,
            "messages": [
                {
                    "message_id": "m1",
                    "link": LINK,
                    "taken_at": "2026-11-30T13:05:09.123456Z",
                    "urgent": True,
                    "caller": {"number": "+33612340001", "name": "Jeanne Martin"},
                    "text": "Forte fièvre <38,5>.\nRappelez vite.",
                    "fields": [{"label": "Date of birth", "value": "1950-04-05"}],
                    "recording": {"name": "m1.wav", "content_type": "audio/wav", "seconds": 5.5},
                }
            ],
        },
    }


def test_of_a_confidential_one_ids_and_the_link_alone() -> None:
    assert posted(parcel(confidential=True))["data"] == {
        "delivery_id": PARCEL.delivery_id,
        "client": "cabinet-moreau",
        "contact": "doctor",
        "confidential": True,
        "messages": [{"message_id": "m1", "link": LINK}],
    }


def test_a_notice() -> None:
    assert posted(NOTICE) == {
        "type": "message.acknowledged.v1",
        "timestamp": "2026-11-30T13:09:00Z",
        "data": {
            "delivery_id": PARCEL.delivery_id,
            "client": "cabinet-moreau",
            "client_name": "Cabinet du Dr Moreau",
            "contact": "doctor",
            "confidential": False,
            "acknowledged_by": "Dr Petit",
            "messages": [{"message_id": "m1", "link": LINK, "taken_at": "2026-11-30T13:05:09.123456Z"}],
        },
    }


def test_what_a_machine_wrote_says_so() -> None:
    data = posted(parcel(told(transcript="rappelez", transcript_by="stt")))["data"]
    assert isinstance(data, dict)

    assert data["messages"][0]["transcript"] == {"text": "rappelez", "machine": "stt"}


def test_what_is_not_known_is_null() -> None:
    data = posted(parcel(told(caller_number="", link="")))["data"]
    assert isinstance(data, dict)
    [message] = data["messages"]

    assert (message["caller"]["number"], message["link"], message["recording"]) == (None, None, None)


@given(PARCELS)
def test_anything_is_valid(one: Parcel) -> None:
    posted(one)
