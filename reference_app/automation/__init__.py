"""The life of subscriptions (B-40 to B-44): notices, renewals, grace and suspension.

``python -m reference_app.automation`` looks at every group once an hour, in chunks. What is due
follows from the row and the day alone, and the day is given: a pass that was missed is made up for,
and one that is done again does nothing. Decisions 0086 and 0087.
"""
