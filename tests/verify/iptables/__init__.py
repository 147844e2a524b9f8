"""The reader of iptables rulesets."""
