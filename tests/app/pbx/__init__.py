"""Between the engine and its PBX's queues and telephones: where modules are tested whose name no test file has.

watches   ../../asterisk/pbx/test_queue_check.py, ../../acceptance/test_start.py
"""
