"""`callrouter report`: figures as people print them. `command` is what it does, `progress` what it says meanwhile."""

from callrouter.cli.report.command import report as report
