"""Where those modules of `callrouter.dialplan` are tested whose name no test file has.

builders, node_block, scope, verbs   test_broken_files.py, test_full_language.py
compile                              test_broken_files.py, test_sharing.py
documents                            test_broken_files.py, test_full_language.py
issues                               test_broken_files.py, test_check.py
outside_builders                     test_outside.py
sounds                               ../test_speech.py
"""
