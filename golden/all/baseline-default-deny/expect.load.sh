#!/bin/sh
# Compiled by npc for iptables: all endpoints of the inventory.
# Load with load.sh, or in this order: npc.ipset, npc.v4.rules and npc.v6.rules, the jumps.
#
# Usage: sh load.sh            load
#        sh load.sh --check    do iptables-restore and ip6tables-restore take the rules? Nothing is loaded
#        sh load.sh --remove   take npc's rules and sets away: everything passes
#
# Safe to run again: sets are swapped, each rule file is one transaction, a jump is inserted once, and
# chains and sets of an earlier load that are no longer used are removed at the end.
# IPTABLES, IP6TABLES and IPSET may name other programs: IPTABLES=iptables-legacy IP6TABLES=ip6tables-legacy.
# NPC_LOCK is the file that keeps two loads apart (/run/npc-load.lock).
set -eu
cd "$(dirname "$0")"
iptables=${IPTABLES:-iptables}
ip6tables=${IP6TABLES:-ip6tables}
ipset=${IPSET:-ipset}

if [ $# -gt 1 ] || { [ $# = 1 ] && [ "$1" != --check ] && [ "$1" != --remove ]; }; then
	sed -n 's/^# \(Usage\|      \)/\1/p' "$(basename "$0")" >&2
	exit 2
fi

if [ "${1:-}" = --check ]; then
	# In a network namespace of its own, which is gone afterwards: the rules need the sets.
	exec unshare --net sh -euc '
		"$3" restore -exist < npc.ipset
		"$1-restore" --test --noflush < npc.v4.rules
		"$2-restore" --test --noflush < npc.v6.rules
	' check "$iptables" "$ip6tables" "$ipset"
fi

# Two loads at a time would fill and swap each other's sets.
if command -v flock >/dev/null; then
	exec 9>>"${NPC_LOCK:-/run/npc-load.lock}"
	flock -w 300 9
fi

# iptables-nft and iptables-legacy do not see each other's rules: what one still enforces, the other cannot replace.
for other in iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft; do
	case $other in ip6*) chosen=$ip6tables ;; *) chosen=$iptables ;; esac
	command -v "$other-save" >/dev/null && [ "$("$other" -V)" != "$("$chosen" -V)" ] || continue
	if "$other-save" 2>/dev/null | grep -q '^:NPC-FORWARD '; then
		echo "load.sh: $other has rules of npc, which would stay in force beside those of $chosen." >&2
		echo "load.sh: load with $other, or remove its chains that begin with NPC- first." >&2
		exit 1
	fi
done

unhook() { # program, built-in chain, own chain
	while "$1" -w 60 -D "$2" -j "$3" 2>/dev/null; do :; done
}
sweep() { # program, rule file: remove the own chains that the file does not declare
	stale=$("$1-save" -t filter | awk '
		FILENAME != "-" { if (/^:/) keep[$1] = 1; next }
		/^:NPC-/ && !($1 in keep) { name = substr($1, 2); flush = flush "-F " name "\n"; remove = remove "-X " name "\n" }
		END { if (flush != "") printf "*filter\n%s%sCOMMIT\n", flush, remove }
	' "$2" -)
	[ -z "$stale" ] || printf '%s\n' "$stale" | "$1-restore" -w 60 --noflush
}
sweep_sets() { # file: remove the own sets that the file does not make
	command -v "$ipset" >/dev/null || return 0
	"$ipset" list -n | awk '
		FILENAME != "-" { if ($1 == "create") keep[$2] = 1; next }
		/^npc-/ && !($1 in keep)
	' "$1" - | while read -r name; do
		"$ipset" destroy "$name" || echo "load.sh: the set $name stays: something else uses it." >&2
	done
}

if [ "${1:-}" = --remove ]; then
	for built_in in FORWARD INPUT OUTPUT; do
		unhook "$iptables" "$built_in" "NPC-$built_in"
		unhook "$ip6tables" "$built_in" "NPC-$built_in"
	done
	sweep "$iptables" /dev/null
	sweep "$ip6tables" /dev/null
	sweep_sets /dev/null
	exit
fi

# 1. The sets, which the rules refer to.
"$ipset" restore -exist < npc.ipset

# 2. For each family the rules, in one transaction, in which only the chains that they declare are touched; then one
# jump from each built-in chain, before all other rules. Where others have put rules above an older jump, it moves.
hook() { # program, built-in chain, own chain
	[ "$("$1" -w 60 -S "$2" 1)" != "-A $2 -j $3" ] || return 0
	old=$("$1" -w 60 -S "$2" | sed -n "s/^-A $2 -j $3\$/-D $2 -j $3/p")
	printf '*filter\n%s\n-I %s 1 -j %s\nCOMMIT\n' "$old" "$2" "$3" | "$1-restore" -w 60 --noflush
}
"$iptables-restore" -w 60 --noflush < npc.v4.rules
hook "$iptables" FORWARD NPC-FORWARD
"$ip6tables-restore" -w 60 --noflush < npc.v6.rules
hook "$ip6tables" FORWARD NPC-FORWARD

# 3. What an earlier load left.
unhook "$iptables" INPUT NPC-INPUT
unhook "$ip6tables" INPUT NPC-INPUT
unhook "$iptables" OUTPUT NPC-OUTPUT
unhook "$ip6tables" OUTPUT NPC-OUTPUT
sweep "$iptables" npc.v4.rules
sweep "$ip6tables" npc.v6.rules
sweep_sets npc.ipset
