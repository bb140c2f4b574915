"""Figures that stand beside those of calls.

abandoned, callbacks, handling, messages, spread, whose     test_sections.py
"""
