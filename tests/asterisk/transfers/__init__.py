"""Where the modules of `callrouter.asterisk.transfers` are tested; `desks` is the place that agents work at.

given   test_blind.py
"""
