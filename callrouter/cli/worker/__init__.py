"""`callrouter worker`: tells people of messages (`command`)."""

from callrouter.cli.worker.command import worker as worker
