"""Tests. Each says in its first line what holds; broken files and case files stand beside those that read them.

Where those modules of `callrouter` are tested whose name no test file has.

errors    test_house.py
testing   core/test_playbook.py
"""
