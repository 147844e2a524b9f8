"""Editor support under editors/ colours what the language is."""
