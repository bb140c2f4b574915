"""Where those modules of `callrouter.asterisk.agents` are tested whose name no test file has.

answers, feature_codes   test_log_in.py
derived_crew             ../../dialplan/shared/test_crew.py, test_preferred.py
last_crew, moves         test_roster.py
at_work                                 ../../acceptance/test_agents.py
directory                               ../transfers/test_blind.py
members, mending                        test_comparison.py
"""
