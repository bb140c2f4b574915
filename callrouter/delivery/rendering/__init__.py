"""Writes what one contact is told as mail, as SMS or for a web service; pure, but that recordings are read.

`letter` says what mail says, in parts, and `mail` makes a message of RFC 5322 of them, with `headers` that hold any
name and the `recordings` that are there; `sms` has the few words of an SMS, and `gsm` counts how many parts they take;
`telephone` has what is said in a call, and `webhook` the JSON that web services are posted, and its schema,
`subscribed` what subscriptions are posted of messages, `report` a mail with a report enclosed. `words` are the
languages, and `people` writes numbers, instants and foreign texts as people may read them.
"""

from __future__ import annotations

from typing import assert_never

from callrouter.core.dispatch import Means
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering import mail, sms, webhook

__all__ = ["body_of"]


def body_of(means: Means, parcel: Parcel, *, sender: str, domain: str) -> str:
    """What is sent: a whole message of RFC 5322 but for its To (the channel's), the text of an SMS, or JSON.

    Written again of the same parcel it has the same Message-ID, so that whoever gets it twice can tell. Reads
    recordings: call it beside a loop that others wait for.

    Args:
        means: the way it goes.
        parcel: what is told.
        sender: the address that mail comes from.
        domain: the one that Message-IDs end with.
    """
    match means:
        case Means.EMAIL:
            return mail.of(parcel, sender=sender, domain=domain)
        case Means.SMS:
            return sms.of(parcel)
        case Means.WEBHOOK:
            return webhook.of(parcel)
        case Means.PHONE:
            raise ValueError("what is said by telephone is not written: `outgoing` says it")
        case _:
            assert_never(means)
