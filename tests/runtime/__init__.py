"""Where those modules of `callrouter.runtime` are tested whose name no test file has.

calls, ports   test_driver.py
listeners      test_interests.py
own_thread     test_heavy_answers.py
reload         ../app/test_reload.py
"""
