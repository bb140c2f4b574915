"""Where those modules of `callrouter.dialplan.language` are tested whose name no test file has.

conditions, validation   ../test_broken_files.py
dates                    ../test_dates.py, ../shared/test_rotas_as_written.py
fields                   ../test_broken_files.py, ../reference/test_schema.py
identities               ../shared/test_identities.py
keys                     ../test_broken_files.py
own_texts                ../test_full_language.py
prompts, templates       ../test_broken_files.py, ../test_outside.py
timezones                ../test_broken_files.py, ../shared/test_hours.py
waiting_texts            test_languages.py
words                    ../test_new_verb.py, ../../questions/diff/test_compare.py
"""
