"""Where those modules of `callrouter.dialplan.language` are tested whose name no test file has.

conditions, fields, validation   ../test_broken_files.py
own_texts                        ../test_full_language.py
timezones                        ../shared/test_hours.py
"""
