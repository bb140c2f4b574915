"""Where those modules of `callrouter.outgoing` are tested whose name no test file has; callbacks on a real Asterisk and
PostgreSQL are tested in ../asterisk/test_callbacks.py, calls that tell of messages in ../asterisk/test_telling.py.

due, ports, rules, trouble   test_callbacks.py
message_ports                ../asterisk/test_telling.py
"""
