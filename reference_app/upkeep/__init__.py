"""What keeps the data in order: archive, clean-up, vacuum, backup and restore (B-161 ... B-171).

``python -m reference_app.upkeep COMMAND``; an operator's tools, run beside the application as the
owner of the tables. docs/operations.md says when.
"""
