"""Where those modules of `callrouter.store.outgoing` are tested whose name no test file has.

far_leg                          test_book.py
names                            test_book.py, ../../api/test_calling_back.py
by_hand, worklist   ../../api/test_calling_back.py
"""
