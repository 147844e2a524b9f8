"""Texts in the policy language for tests to read: each construct of it, at least once."""

from __future__ import annotations

from typing import Final

SHOP: Final = """\
# what the design of the language shows
policy default-deny in shop for pods { isolate ingress, egress }

policy api in shop for pods(app=api, tier in (front, edge), track not in (canary), team, !legacy) {
  allow tcp/8080, tcp/metrics from pods(app=web), pods(app=prom) in ns/monitoring
  allow tcp/5432 to pods(app=db)  # its database
}

policy edge in shop labels(owner=net) annotations(note="a \\"b\\"\\n", empty="") for pods(app=edge) {
  allow tcp/30000-32767, sctp, udp/53 from 10.0.0.0/8 except (10.1.0.0/16, 10.2.0.0/16), 2001:db8::/32
}

policy open in lab for pods { allow from any  isolate egress }
policy egress-only for pods() { isolate only egress allow from pods }

set rfc1918 = 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16
set clients = pods(app=web), pods(app=job) in ns(env in (prod, stage)), @rfc1918
set everyone = any
service dns  = udp/53, tcp/53
service ping = icmp/echo-request, icmpv6/128

policy db in shop for pods(app=db) {
  allow tcp/5432, @ping, any/sql from @clients log "db " as clients-to-db until 2027-01-31
  allow @dns to @everyone as "to any" log
  allow to svc/dns in ns/kube-system, svc/db, 10.0.0.0/8 except 10.1.0.0/16, nodes(role=worker), nodes
}

cluster policy guard-rails tier admin priority 10 for ns(env=prod) {
  pass from ns(team=sre)
  deny tcp/22, tcp/3389 from ns(env=dev) log as no-dev-ssh
  allow @dns to pods(k8s-app=kube-dns) in ns/kube-system
  deny to 169.254.169.254/32
}
cluster policy baseline tier baseline priority 100 labels(a=b) for pods(app) in ns {
  allow from ns/ingress-nginx
  deny from any
}
cluster policy kubelet tier admin for ns { allow tcp/10250 to nodes(role=worker) }
cluster policy empty tier admin for ns/shop { }
"""
KEYWORDS_AS_NAMES: Final = """\
policy in in in labels(labels=for, for="in") for pods(in in (in, not), not not in (not), !pods, allow) {
  allow tcp/any, udp/from from pods(ns=ns) in ns/in, @as as allow
  allow @to to svc/in in ns/in as deny log "allow" until 2030-01-01 isolate ingress
}
set as = ns(except in (except)), pods
service to = any/in
set set = any service service = tcp policy policy for pods(policy) { allow @service to @set }
cluster policy policy tier admin for pods(tier=admin) in ns(priority) { deny from nodes(in) }
"""
TEXTS: Final = {
    "the shop": SHOP,
    "keywords as names": KEYWORDS_AS_NAMES,
    "nothing": "",
    "only a comment": "# nothing",
    "an include": 'include "common.npc" include "a\\u0062"',
    "no blanks where none are needed": "policy a for pods(x=y,z in(a,b),w){allow@b from@c,10.0.0.0/8}",
    "other line ends": "set a = # one\r\n10.0.0.0/8 # two\r,\x0b fd00::/64",
}
"""By what is in them."""

ASSERTIONS: Final = {
    "nothing": "",
    "each construct": """\
# what shall hold
include "common.npc"
set dev = ns(env=dev), @offices
service web = tcp/80, tcp/443
deny tcp from ns(env=dev) to ns(env=prod) as no-dev-in-prod
allow tcp/5432 from pods(app=api) in ns/shop to pods(app=db) in ns/shop  # its database
allow @web, icmp from any to svc/web in ns/shop as "the shop"
deny from @dev, 10.0.0.0/8 except 10.1.0.0/16, nodes to ns/prod, 2001:db8::/32
""",
    "keywords as names": "deny from ns/to, pods(from=to) in ns/allow to ns/deny as as deny from ns to ns",
}
