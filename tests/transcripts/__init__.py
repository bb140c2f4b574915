"""Recordings written down: by programs that are really run, one of them a real recogniser (`recogniser`).

port      test_recogniser.py
"""
