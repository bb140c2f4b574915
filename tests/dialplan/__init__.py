"""Where those modules of `callrouter.dialplan` are tested whose name no test file has.

compile                 test_broken_files.py, test_sharing.py
document_part, issues   test_broken_files.py, test_check.py
documents, scope        test_broken_files.py, test_full_language.py
sounds                  ../test_speech.py
verbs                   test_broken_files.py, test_full_language.py, test_new_verb.py, test_outside.py
voices                  language/test_languages.py, test_outside.py
"""
