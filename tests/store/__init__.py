"""Where those modules of `callrouter.store` are tested whose name no test file has.

callbacks, notification_spool                 test_notifications.py
calls, gaps, messages, paging, plans          test_reads.py
refusals                                      test_recorder.py
tables                                        test_schema.py
writing                                       test_recorder.py, test_revisions.py, test_trace.py
"""
