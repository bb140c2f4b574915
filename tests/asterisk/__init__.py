"""Where those modules of `callrouter.asterisk` are tested whose name no test file has.

actions, batch, log_in, session   test_link.py
arrivals, line, notes             test_switch.py
catch_up                          test_switch.py, test_agi_traps.py
commands                          test_asyncagi.py
ended_row                         test_journal.py
"""
