"""The command `klaviyo-sql`: one module a command, and what they share in files named after it."""
