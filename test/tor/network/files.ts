/**
 * The files of a private Tor network: what each node is told, and what Arti is.
 *
 * @module
 */

/** What a node does: votes, relays, or lets streams out. */
export type Role = "authority" | "relay" | "exit";

/** One node, as `network.json` has it. */
export interface NodeFacts {
  readonly name: string;
  readonly role: Role;
  /** Its data directory. */
  readonly dir: string;
  readonly orPort: number;
  /** Of authorities; 0 for others. */
  readonly dirPort: number;
  /** RSA fingerprint, hex. */
  readonly rsa: string;
  /** Ed25519 identity, base64. */
  readonly ed25519: string;
  /** Fingerprint of an authority's identity key, hex. */
  readonly v3ident: string;
}

/** Seven nodes: the least with which a service has its own introduction and rendezvous points. */
export const NODES: readonly { readonly name: string; readonly role: Role }[] = [
  { name: "auth0", role: "authority" },
  { name: "auth1", role: "authority" },
  { name: "auth2", role: "authority" },
  { name: "relay0", role: "relay" },
  { name: "relay1", role: "relay" },
  { name: "exit0", role: "exit" },
  { name: "exit1", role: "exit" },
];

/**
 * For all: everything on loopback, and shortened waits. `OutboundBindAddress` keeps streams on
 * loopback, as an exit policy for 127.0.0.0/8 alone would be summed up as "no exit".
 */
const ALL = (node: NodeFacts): string =>
  `TestingTorNetwork 1
AssumeReachable 1
DataDirectory ${node.dir}
Nickname ${node.name}
Address 127.0.0.1
ORPort 127.0.0.1:${node.orPort} IPv4Only
SocksPort 0
RunAsDaemon 0
Log notice file ${node.dir}/notice.log
ShutdownWaitLength 0
ContactInfo test@test.test
NumCPUs 1
Schedulers Vanilla
OutboundBindAddress 127.0.0.1
ServerDNSDetectHijacking 0
ServerDNSResolvConfFile ${node.dir}/resolv.conf
ServerDNSAllowBrokenConfig 1
V3AuthNIntervalsValid 2
ExtendAllowPrivateAddresses 1
ClientRejectInternalAddresses 0
PathsNeededToBuildCircuits 0.25
DirCache 1
`;

/**
 * `cbtdisabled`, `cbtinitialtimeout`: a circuit has 5 s. On loopback it takes milliseconds, and clients would learn
 * timeouts from that, which a machine that is busy for a moment does not keep; until they have built a hundred they
 * would wait 60 s for one. That matters, as now and then a circuit is not answered: every 11 s a relay (tor 0.4.9.11)
 * ends circuits that are idle, takes those of a connection on which it has sent no cell yet for idle since 1970, and of
 * the ends of several circuits sends the first only. It happens to about one client of some hundreds, as each builds
 * circuits as soon as it has connected to its guard. Arti 0.47 heeds `cbtinitialtimeout` only with `cbtdisabled`.
 */
const OF_ROLE: Readonly<Record<Role, (node: NodeFacts) => string>> = {
  authority: ({ dirPort }) =>
    `AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
DirPort 127.0.0.1:${dirPort} IPv4Only
V3AuthVotingInterval 10
V3AuthVoteDelay 2
V3AuthDistDelay 2
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
TestingAuthDirTimeToLearnReachability 0
AuthDirMaxServersPerAddr 0
AuthDirTestReachability 0
MinUptimeHidServDirectoryV2 0 seconds
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
TestingMinExitFlagThreshold 0
ConsensusParams cc_alg=2 cbtdisabled=1 cbtinitialtimeout=5000
ExitPolicy reject *:*
`,
  relay: () => "ExitRelay 0\nExitPolicy reject *:*\n",
  exit: () =>
    `ExitRelay 1
ExitPolicyRejectPrivate 0
ExitPolicyRejectLocalInterfaces 0
IPv6Exit 0
ExitPolicy accept *:*
`,
};

function authorities(nodes: readonly NodeFacts[]): readonly NodeFacts[] {
  return nodes.filter(({ role }) => role === "authority");
}

/**
 * A node's torrc.
 *
 * @param node The node.
 * @param nodes All of the network.
 * @param owner Process whose end ends the node as well; 0 for none.
 */
export function torrc(node: NodeFacts, nodes: readonly NodeFacts[], owner: number): string {
  const trusted = authorities(nodes).map(({ name, orPort, dirPort, v3ident, rsa }) =>
    `DirAuthority ${name} orport=${orPort} no-v2 v3ident=${v3ident} 127.0.0.1:${dirPort} ${rsa}\n`
  );
  const owned = owner === 0 ? "" : `__OwningControllerProcess ${owner}\n`;
  return ALL(node) + OF_ROLE[node.role](node) + owned + trusted.join("");
}

/**
 * The network as Arti's configuration: `config` of `start()`.
 *
 * @param nodes All of the network.
 * @param caches Nodes that a client without a directory asks for one.
 */
export function artiToml(nodes: readonly NodeFacts[], caches: readonly NodeFacts[]): string {
  const list = (items: readonly string[]): string => `[${items.join(", ")}]`;
  const of = authorities(nodes);
  const ports = list(of.map(({ orPort }) => `["127.0.0.1:${orPort}"]`));
  const fallbacks = caches.map(({ rsa, ed25519, orPort }) =>
    `[[tor_network.fallback_caches]]
rsa_identity = "${rsa}"
ed_identity = "${ed25519}"
orports = ["127.0.0.1:${orPort}"]
`
  );
  return `[tor_network.authorities]
v3idents = ${list(of.map(({ v3ident }) => `"${v3ident}"`))}
uploads = ${ports}
downloads = ${ports}
votes = ${ports}
${fallbacks.join("")}
[address_filter]
allow_local_addrs = true
allow_onion_addrs = true
[path_rules]
ipv4_subnet_family_prefix = 33
ipv6_subnet_family_prefix = 129
[circuit_timing]
hs_dir_requery_interval = "1 second"
`;
}
