"""Tariffs and what they make of calls, by examples that were computed by hand.

tariff, money       test_rating.py
items, statement    test_rating.py
"""
