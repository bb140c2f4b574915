"""Where those modules of `callrouter.questions` are tested whose name no test file has.

ahead, examples          test_outcomes.py, diff/test_compare_holds.py
asking, instants         test_route.py, test_expected.py
decisions, once, waits   test_rehearsal.py, test_exploring.py, diff/test_compare_holds.py
"""
