"""Bulk operations (B-38): asked for in one request, worked off through a queue.

The request answers at once with the operation; a worker (``python -m reference_app.bulk.worker``)
does it in chunks, at most so many items a second, so that those who wait for an answer are not
slowed by somebody's import. Decision 0082.
"""
