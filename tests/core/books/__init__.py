"""Tests of `callrouter.core.books`."""
