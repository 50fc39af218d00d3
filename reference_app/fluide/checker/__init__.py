"""A small checker of written French: rules over words and the signs between them, nothing learnt.

It finds what its rules name and nothing else, and would rather be silent than wrong: a word that
may be right where it stands is not flagged. docs/french-checker.md lists the rules and what they
do not see.

    tokens      words, and what stands between them
    lexicon     nouns with their gender, sounds at the start of words
    verbs       forms of frequent verbs
    rules       the rules by name, and what a rule finds
    typography, spelling, elision, agreement, homophones
                the rules themselves
    check       all of them over a text, and the corrected text
"""
