"""Calendar synchronisation (docs/requirements/domain.md, part C).

| Module | Noun |
|---|---|
| ``calendars`` | which calendars may be asked, and how |
| ``fetch`` | an answer of a platform, within bounds |
| ``feed`` | a feed's text as events; pure |
| ``merge`` | events into reservations |
| ``policy`` | how often and when a task is tried again; pure |
| ``slots`` | whose turn is when; pure |
| ``queue`` | the tasks in the database |
| ``worker``, ``scheduler`` | the two processes |
| ``proxy``, ``routes`` | what owners see of it |
"""
