"""The front end: what is read, and what is said about input that is wrong."""
