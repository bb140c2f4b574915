"""Where those modules of `callrouter.dialplan.shared` are tested whose name no test file has.

almanac                             ../test_dates.py
calendars, snippets                 ../test_sharing.py, test_rotas_as_written.py
lists                               ../test_shared_lists.py
dialling, people, queues, reading   ../test_broken_folders.py
derived                             ../folder/test_derived_bound.py, ../../asterisk/teams/test_handover.py
"""
