"""Persons found, exported and erased by number."""
