"""What must hold in the data after a run, looked for in the database of our own stack."""
