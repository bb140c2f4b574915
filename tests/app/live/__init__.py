"""What is live, from one engine to the next.

live_plans          test_last_live.py
"""
