"""Where those modules of `callrouter.store` are tested whose name no test file has.

callbacks, notification_spool                 test_notifications.py
calls, gaps, messages, paging, plans          test_reads.py
refusals, spool, writer                       test_recorder.py
rows                                          test_trace.py
tables                                        test_schema.py
"""
