"""Statements of consumption, as they are printed.

words, table, screen, document     test_rendering.py
comma_separated                    test_rendering.py
"""
