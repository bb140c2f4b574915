"""What became of mail: `bounces` are mails of the kinds that come back, written by ourselves after their shapes.

noting   test_entrance.py, test_postfix.py
parts    test_reading.py, ../../fuzz/test_reports.py
"""
