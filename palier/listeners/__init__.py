"""Load listeners: thousands of open sockets that wait for plan changes, in one process.

``python -m palier.listeners --url URL --accounts FILE --count N --out FILE``

They answer three questions about a system under load: how long a change takes from its commit to
its receipt, how large the message is, and whether every listener of the tenant, and no other, got
every change. What they saw is in the file; palier.invariants compares it with the database.
"""
