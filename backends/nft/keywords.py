"""Words of nft's grammar: `table inet WORD` is a syntax error for each (tried with nft 1.0.6)."""

KEYWORDS = frozenset(
    """
accept add ah all and arp bridge cgroup chain comment comp constant continue counter cpu create ct
day dccp define delete describe device dnat drop dst dup dynamic ecn element elements eq esp ether
exists expires export exthdr fib flags flow flowtable flush frag fwd ge goto gt handle hbh hook hour
ibriport ibrname icmp icmpv6 igmp iif iifgroup iifname iiftype import include inet insert interval
ip ip6 jhash jump le limit list log lshift lt map mark masquerade meta meter mh missing monitor ne
netdev nftrace not notrack numgen obriport obrname offload oif oifgroup oifname oiftype or osf
policy priority queue quota random redefine redirect reject rename replace reset return rshift rt
rt0 rt2 rtclassid rule ruleset sctp secmark set size skgid snat socket srh symhash synproxy table
tcp th time timeout tproxy type typeof udp undefine update vlan vmap xor xt
""".split()
)
