"""Payments (B-50): a provider behind a Protocol, and one that behaves like a card processor.

Before a provider is asked the payment is written, with the key it is asked with; what it answers is
written by functions of the database alone. Decision 0090.
"""
