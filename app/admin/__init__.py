"""What administrators see and decide: the approval queue, people, the audit trail.  The rules stand in the services."""
