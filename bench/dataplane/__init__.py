"""What rulesets cost the packets: npc's, none, connection tracking alone, a rule for each connection."""
