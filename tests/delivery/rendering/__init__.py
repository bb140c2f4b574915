"""Where those modules of `callrouter.delivery.rendering` are tested whose name no test file has.

headers, letter, recordings, words   test_mail.py
report                               ../../dispatch/test_reporting.py
subscribed                           ../../dispatch/test_telling.py
"""
