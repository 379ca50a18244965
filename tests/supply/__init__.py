"""What we build from and how we write it: rules for the code, secrets in the history, licences, the list of parts."""
