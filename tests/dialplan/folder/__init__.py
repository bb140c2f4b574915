"""Where those modules of `callrouter.dialplan.folder` are tested whose name no test file has.

loader        test_catalogue.py, ../test_sharing.py
look          ../../app/test_reload.py
publish       ../../app/test_reload_history.py
revisions     ../../cli/test_questions.py
sound_files   ../../test_speech.py
"""
