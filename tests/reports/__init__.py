"""Reports: what is made of figures, and how it looks.

model, columns, lines, notes   test_making.py
beside                         test_reading.py, ../store/sections/test_sections.py
flat                           test_comma_separated.py
document                       test_printed.py
rendering                      test_reading.py
"""
