"""Where those modules of `callrouter.app` are tested whose name no test file has.

dialplans      test_reload.py
engine         ../acceptance/test_stories.py, ../acceptance/test_start.py
history        test_reload_history.py
leading        test_standby.py, test_upgrade.py, ../asterisk/leading/test_standby.py
operations     ../api/test_engine_app.py, ../cli/test_dialplan.py
publishing     test_reload_history.py, ../cli/test_dialplan.py
records        ../acceptance/test_database_refuses.py
storage        ../acceptance/test_database_refuses.py
up             test_up_watch.py, test_up_reload.py
watch          test_reload.py, ../acceptance/test_live_editing.py
worker         ../acceptance/test_told.py
"""
