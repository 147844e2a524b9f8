"""The reader of Open vSwitch's flows."""
