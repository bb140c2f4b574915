"""Where those modules of `callrouter.store.figures` are tested whose name no test file has.

asking, making, model, reading, rows   test_rebuilding.py
days, measuring, summed, zones         test_rebuilding.py
cutting, folding, months               test_rebuilding.py
encoding                               test_visits.py
keeping                                test_watch.py
"""
