"""School groups: the tenants of E-Pilot, as those see them who run the service."""
