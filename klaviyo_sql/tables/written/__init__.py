"""What of the account can be written, one file per subject."""
