"""One engine at a time at a PBX, by every order of a model and on a real Asterisk.

claim     test_many.py
watcher   test_standby.py
"""
