"""Where those modules of `callrouter.api` are tested whose name no test file has.

calls, filters, live, problems, stats             test_web_app.py
answers                                           test_web_app.py
callbacks, worklist                               test_calling_back.py
conversations                                     test_control.py, test_supervision.py
engine_client, readiness                          test_engine_app.py
pbx                                               ../app/pbx/test_unit.py, ../acceptance/test_asterisk_death.py
retention                                         test_person.py
schemas                                           test_openapi.py
sound                                             test_recordings.py
status                                            ../cli/test_dialplan.py
"""
