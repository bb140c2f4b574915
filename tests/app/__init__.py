"""Where those modules of `callrouter.app` are tested whose name no test file has.

engine         ../acceptance/test_stories.py, ../acceptance/test_start.py
history        test_reload_history.py
http           ../api/test_engine_app.py
publishing     test_reload_history.py, ../cli/test_dialplan.py
storage        ../acceptance/test_database_refuses.py
up             test_up_watch.py, test_up_reload.py
watch          test_reload.py, ../acceptance/test_live_editing.py
web            ../acceptance/test_stories.py, ../acceptance/test_start.py
web_services   ../acceptance/test_stories.py
"""
