"""Events of a group's subscription, told to addresses of its own (B-45 to B-49).

An event is written by the database with what it tells of, and so are its deliveries; the worker
(``python -m reference_app.webhooks.worker``) sends them, signed, up to three times. Decisions 0088
and 0089.
"""
