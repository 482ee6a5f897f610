/**
 * Between a finished handshake and delivery: what it settled is checked, and a caller may refuse it.
 *
 * @module
 */

import type { ConnectionInfo } from "../connection.ts";
import { TransportError } from "../errors.ts";
import { keep } from "../keep.ts";
import type { Socket, SocketFault, SocketHandler, TlsInfo } from "../runtime/runtime.ts";
import type { Authorize } from "./options.ts";

/** What a gate needs of a link. */
export interface Gated extends SocketHandler {
  readonly signal: AbortSignal;
  readonly isClosed: boolean;
  /** What the connection's facts will be once `socket` is open. */
  infoOf(socket: Socket): ConnectionInfo;
  /** Ends it for a reason. */
  fail(error: TransportError): void;
}

/** What must hold of a connection. */
export interface GateRules {
  /** Whether it must be TLS, and then 1.3. */
  readonly tls: boolean;
  /** Protocols of which one must have been agreed on; empty: none needed. */
  readonly alpn: readonly string[];
  /** The only kind of key exchange allowed, if there is one. */
  readonly pq?: "off" | "hybrid" | undefined;
  /** Asked last. */
  readonly authorize: Authorize | undefined;
}

/** Puts the rules before a link; without any, the link itself is given back. */
export function gate(link: Gated, rules: GateRules): SocketHandler {
  return rules.tls || rules.authorize !== undefined ? new Gate(link, rules) : link;
}

/** The handler of a socket until its link may have it, and a pass-through from then on. */
class Gate implements SocketHandler {
  readonly #link: Gated;
  readonly #rules: GateRules;
  #open = false;
  #held: Uint8Array[] = []; // one receive, and what a runtime still delivers once it is paused
  #ended = false;

  constructor(link: Gated, rules: GateRules) {
    this.#link = link;
    this.#rules = rules;
  }

  get receiveBytes(): number {
    return this.#link.receiveBytes;
  }

  onOpen(socket: Socket): void {
    const { authorize, ...rules } = this.#rules;
    const why = rules.tls ? refusal(socket.info.tls, rules) : undefined;
    if (why !== undefined) return this.#link.fail(tlsError(why, "remote"));
    if (authorize === undefined || this.#link.isClosed) return this.#pass(socket);
    socket.pause();
    void this.#ask(authorize, socket);
  }

  onBytes(bytes: Uint8Array, owned: boolean): boolean {
    if (this.#open) return this.#link.onBytes(bytes, owned);
    this.#held.push(keep(bytes, owned));
    return false;
  }

  onWritten(n: number): void {
    this.#link.onWritten(n);
  }

  onDrain(): void {
    this.#link.onDrain();
  }

  onEnd(): void {
    if (this.#open) this.#link.onEnd();
    else this.#ended = true;
  }

  onClose(fault: SocketFault | undefined): void {
    this.#held = [];
    this.#open = true;
    this.#link.onClose(fault);
  }

  async #ask(authorize: Authorize, socket: Socket): Promise<void> {
    const link = this.#link;
    try {
      const verdict: unknown = await authorize(link.infoOf(socket), link.signal);
      if (link.isClosed) return;
      if (verdict === true || verdict === undefined) this.#pass(socket);
      else link.fail(this.#refused(undefined));
    } catch (cause) {
      if (!link.isClosed) link.fail(this.#refused(cause));
    }
  }

  /** The cause stays with the caller, whose hook threw it; its text may hold anything. */
  #refused(cause: unknown): TransportError {
    const options = { op: "handshake", ...(cause === undefined ? {} : { cause }) };
    // The kind of a peer's refused credentials: a certificate's with TLS, a Unix peer's otherwise.
    const kind = this.#rules.tls ? "tls" : "peer_limit";
    return new TransportError(kind, "authorize() refused the connection", options);
  }

  #pass(socket: Socket): void {
    const link = this.#link;
    link.onOpen(socket);
    this.#open = true;
    let flowing = true;
    for (const bytes of this.#held) flowing = link.onBytes(bytes, true);
    this.#held = [];
    if (this.#ended) link.onEnd();
    if (flowing && this.#rules.authorize !== undefined) socket.resume();
  }
}

function refusal(
  tls: TlsInfo | undefined,
  { alpn, pq }: Pick<GateRules, "alpn" | "pq">,
): string | undefined {
  if (tls?.version !== "TLSv1.3") return `TLS 1.3 is needed, got ${tls?.version ?? "none"}`;
  if (alpn.length > 0 && (tls.alpn === undefined || !alpn.includes(tls.alpn))) {
    const chosen = tls.alpn === undefined ? "chose none" : `chose ${tls.alpn.slice(0, 32)}`;
    return `The peer must agree on one of the protocols ${alpn.join(", ")} by ALPN, but ${chosen}`;
  }
  if (pq !== undefined && tls.pq !== "unknown" && tls.pq !== pq) {
    return `Key exchange must be ${pq} (pq.enforce), got ${tls.group ?? tls.pq}`;
  }
  return undefined;
}

function tlsError(what: string, origin: "local" | "remote"): TransportError {
  return new TransportError("tls", what, { op: "handshake", origin });
}
