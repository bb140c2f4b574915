"""Where those modules of `callrouter.store` are tested whose name no test file has.

callbacks, notification_spool                 test_notifications.py
calls, taking_part                            test_call_pages.py
gaps, paging, plans                           test_reads.py
indexing                                      test_call_pages.py
dispatch                                      ../dispatch/test_sweeping.py, ../dispatch/test_working.py
connecting, pool                              test_database_vanishes.py
refusals                                      test_recorder.py
tables                                        test_schema.py
writing                                       test_recorder.py, test_revisions.py, test_trace.py
"""
