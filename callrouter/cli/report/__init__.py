"""`callrouter report`: figures as people print them; `command` is what it does."""

from callrouter.cli.report.command import report as report
