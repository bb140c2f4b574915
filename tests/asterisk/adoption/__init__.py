"""Live calls of an engine that was killed, and the next one on the same Asterisk: `successors` makes both.

adopting, snapshot                test_asked.py, test_people.py, test_left_alone.py, test_conversations.py
"""
