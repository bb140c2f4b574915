"""Where those modules of `callrouter.outgoing` are tested whose name no test file has; callbacks on a real Asterisk and
PostgreSQL are tested in ../asterisk/test_callbacks.py.

due, ports, rules, trouble   test_callbacks.py
telling                      ../asterisk/test_telling.py
message_ports                ../asterisk/test_telling.py
"""
