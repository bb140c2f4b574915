"""Where those modules of `callrouter.questions.diff` are tested whose name no test file has.

diagram, experience, same_tree, side, side_by_side   test_compare.py, test_compare_holds.py
subscriptions                                        ../../dialplan/test_subscriptions.py
told                                                 ../../cli/test_questions.py
wording, wording_conditions, wording_times           test_compare.py
"""
