"""Where those modules of `callrouter.dialplan.shared` are tested whose name no test file has.

calendars, snippets                 ../test_sharing.py
lists                               ../test_shared_lists.py
dialling, people, queues, reading   ../test_broken_folders.py
"""
