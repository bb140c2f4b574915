"""Agents in the record.

rows      test_figures.py
spans     test_work.py
"""
