"""People told of messages, systems of calls: on a real PostgreSQL, with real receivers, and a clock that tests move.

due_clock     test_clock_set.py
listening     test_working.py
parcels       test_sending.py
undelivered   test_bodies.py
"""
