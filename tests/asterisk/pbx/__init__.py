"""What is looked at of a whole PBX, and where what has no test file of its name is tested.

queue_differences   test_queue_check.py
queues_named        test_queue_check.py, ../../app/pbx/test_named_queues.py
outgoing            ../test_outgoing.py
placed_calls        ../test_outgoing.py
message_calls       ../test_telling.py
astdb               test_refused.py, ../test_outgoing.py, ../test_journal.py
"""
