"""Where the modules of `callrouter.asterisk.transfers` are tested; `desks` is the place that agents work at.

consultations   test_announced.py, test_codes.py
given           test_blind.py
"""
