"""Where those modules of `callrouter.dialplan.language` are tested whose name no test file has.

conditions, validation   ../test_broken_files.py
fields                   ../test_broken_files.py, ../reference/test_schema.py
own_texts                ../test_full_language.py
timezones                ../test_broken_files.py, ../shared/test_hours.py
"""
