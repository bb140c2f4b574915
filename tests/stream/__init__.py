"""Where those modules of `callrouter.stream` are tested whose name no test file has.

cards    test_making.py
reader   test_hub.py
"""
