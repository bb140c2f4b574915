"""Where those modules of `callrouter.store.person` are tested whose name no test file has.

exporting, finding, late, naming, outside, places, receipts   test_erasing.py
"""
