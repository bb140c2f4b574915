"""Where those modules of `callrouter.normalisation` are tested whose name no test file has.

english, french, french_numbers, french_values, french_words, borrowed_words, rules   test_phrases.py
"""
