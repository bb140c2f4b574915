"""Lets `python -m callrouter` do what the `callrouter` command does."""

from callrouter.cli import main

main()
