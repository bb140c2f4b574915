"""The ways to deliver, one module each: `webhook` posts to a client's web service.

A new one is listed here, by hand, so that a search finds it.
"""

from __future__ import annotations

from typing import Final

from callrouter.delivery.channel import Channel
from callrouter.delivery.channels.webhook import Webhook

CHANNELS: Final[tuple[type[Channel], ...]] = (Webhook,)
