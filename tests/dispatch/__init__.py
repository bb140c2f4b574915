"""People told of messages: on a real PostgreSQL, with real receivers, and a clock that the tests move.

listening   test_working.py
parcels     test_sending.py
"""
