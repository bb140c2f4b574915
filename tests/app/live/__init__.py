"""What is live, from one engine to the next.

compiling           test_disk_plans.py, test_last_live.py
first_load          test_last_live.py
live_plans          test_last_live.py, test_keeper.py
on_disk             ../../acceptance/test_told.py
"""
