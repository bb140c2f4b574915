"""The ways to deliver, one module each: `webhook` posts to a client's web service, `mail` hands to the operator's mail
server, `sms` to an SMS gateway.

A new one is listed here, by hand, so that a search finds it.
"""

from __future__ import annotations

from typing import Final

from callrouter.delivery.channel import Channel
from callrouter.delivery.channels.mail import Mail
from callrouter.delivery.channels.sms import Sms
from callrouter.delivery.channels.webhook import Webhook

CHANNELS: Final[tuple[type[Channel], ...]] = (Webhook, Mail, Sms)
