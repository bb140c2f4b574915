"""What is looked at of a whole PBX.

queues_named   test_queue_check.py, ../../app/pbx/test_named_queues.py
"""
