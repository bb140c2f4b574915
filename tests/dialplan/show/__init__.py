"""Where those modules of `callrouter.dialplan.show` are tested whose name no test file has.

forms             ../test_forms.py, ../../questions/diff/test_forms.py
layout, mermaid   test_svg.py
reports           ../test_reports.py
retention         ../test_retention.py
subscriptions     ../test_subscriptions.py
text              ../test_demo_clients.py, ../test_full_language.py
"""
