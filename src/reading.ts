/**
 * The read side of a link: what may be received, what is held, and when reading pauses.
 *
 * @module
 */

import type { Counters } from "./counters.ts";
import { TransportError } from "./errors.ts";
import { Intake, type IntakeOwner } from "./intake.ts";
import type { ByteAccount } from "./limits/byte_account.ts";
import type { ByteBudget } from "./limits/byte_budget.ts";
import type { Limits } from "./limits/limits.ts";
import type { PaceScope } from "./limits/lane.ts";
import type { Pacer } from "./limits/pacer.ts";
import type { Peer } from "./limits/peers.ts";
import { release } from "./release.ts";
import { ReceiveWindow, WIDE_BYTES } from "./receive_window.ts";
import type { SinkReport } from "./sink.ts";

/** What the read side needs of its link. */
export interface ReadingOwner {
  /** Gives bytes to the sink; `undefined` once the link is not open any more. */
  push(bytes: Uint8Array, owned: boolean): SinkReport | undefined;
  /** The socket's reading stops, or goes on. */
  flow(on: boolean): void;
  /** What the sink said. */
  onReport(report: SinkReport): void;
  /** Our rates keep bytes back, or no longer do. */
  onPaced(on: boolean): void;
  /** The connection cannot go on. */
  fail(error: TransportError): void;
}

/** Why reading is paused; bits. */
const SINK = 1;
const PACE = 2;

/** See the module. Invariant: reading is paused while any bit is set. */
export class Reading implements IntakeOwner {
  readonly #owner: ReadingOwner;
  readonly #counters: Counters;
  readonly #budget: ByteBudget;
  readonly #account: ByteAccount;
  readonly #window: ReceiveWindow;
  readonly #pacer: Pacer;
  /** Made when a rate first applies. */
  #intake: Intake | undefined = undefined;
  #peer: Peer | undefined = undefined;
  #paused = 0;
  #receiving = false;
  #retained = 0;
  #owed = 0;

  /** @param owner The link. @param limits The transport's. @param account What is held counts there. @param counters Where pauses count. */
  constructor(owner: ReadingOwner, limits: Limits, account: ByteAccount, counters: Counters) {
    this.#owner = owner;
    this.#counters = counters;
    this.#budget = limits.budget;
    this.#account = account;
    this.#window = new ReceiveWindow(account);
    this.#pacer = limits.ingress;
  }

  /** Most bytes of the next receive. What is owed to a frame whose memory is reserved has its place already. */
  get receiveBytes(): number {
    const placed = this.#owed >= WIDE_BYTES && this.#account.reserved > 0 && !this.#limited;
    return placed ? WIDE_BYTES : this.#window.bytes;
  }

  /** Bytes that wait for tokens. */
  get held(): number {
    return this.#intake === undefined ? 0 : this.#intake.held;
  }

  /** Whose rates apply. */
  belong(peer: Peer | undefined): void {
    this.#peer = peer;
  }

  /** Bytes came. Returns whether reading goes on. */
  receive(bytes: Uint8Array, owned: boolean): boolean {
    this.#receiving = true;
    if (!this.#limited) {
      this.#window.received(bytes.length);
      this.#push(bytes, owned);
    } else {
      this.#intake ??= this.#makeIntake();
      if (this.#intake.take(bytes, owned)) this.#push(bytes, owned);
      else if (this.#charge()) this.#window.narrow();
    }
    this.#receiving = false;
    return this.#paused === 0;
  }

  deliver(bytes: Uint8Array): void {
    this.#push(bytes, true);
  }

  onHold(scope: PaceScope): void {
    this.#counters.paused(scope);
    this.#owner.onPaced(true);
    this.#pause(PACE, true);
  }

  onFree(): void {
    this.#charge();
    this.#owner.onPaced(false);
    this.#pause(PACE, false);
  }

  /** The sink takes bytes again, and so many are owed. */
  resume(owed: number): void {
    this.#owed = owed;
    this.#pause(SINK, false);
    this.#intake?.stop(false);
  }

  /** What the sink keeps has changed; `finished`: what was reserved is part of it, or gone. */
  retain(bytes: number, finished: boolean): void {
    this.#retained = bytes;
    if (finished) this.#account.finish(bytes + this.held);
    else this.#charge();
  }

  /** Reserves memory for a frame; see `Carrier.reserve`. */
  reserve(bytes: number, onGrant: () => void): boolean {
    // When memory is short, the place of a wide receive is the frame's: else it would count as much as
    // a part of a second frame, and the peer as one that holds much.
    if (bytes > 0 && 2 * this.#budget.used > this.#budget.bytes) this.#window.narrow();
    if (this.#account.reserve(bytes, onGrant)) return true;
    this.#counters.paused("budget");
    return false;
  }

  /** Nothing is handed on any more; what still comes is read, and dropped by the link. */
  drain(): void {
    this.close();
    this.#account.retain(this.#retained);
    this.#pause(SINK | PACE, false);
  }

  /** Drops what is held. */
  close(): void {
    this.#intake?.close();
  }

  #makeIntake(): Intake {
    const intake = new Intake(this, this.#pacer, this.#peer);
    intake.stop((this.#paused & SINK) !== 0);
    return intake;
  }

  /** Whether any rate applies. */
  get #limited(): boolean {
    return this.held > 0 || this.#pacer.limits(this.#peer);
  }

  #push(bytes: Uint8Array, owned: boolean): void {
    const report = this.#owner.push(bytes, owned);
    if (report === undefined) return;
    if (owned && report.kept === false) release(bytes);
    this.#retained = report.retained;
    this.#owed = report.owed;
    if (!this.#charge()) return;
    this.#owner.onReport(report);
    if (report.pause) this.#window.narrow();
    this.#intake?.stop(report.pause);
    this.#pause(SINK, report.pause);
  }

  /** Charges what is kept to the budget. What it cannot take has come already: the connection goes. */
  #charge(): boolean {
    const bytes = this.#retained + this.held;
    if (this.#account.retain(bytes)) return true;
    const { used, bytes: all } = this.#budget;
    this.#owner.fail(
      new TransportError(
        "busy",
        `No room for ${bytes} received bytes: ${used} of the budget's ${all} are in use, or this peer's share is`,
        { op: "read" },
      ),
    );
    return false;
  }

  #pause(bits: number, on: boolean): void {
    const before = this.#paused;
    this.#paused = on ? before | bits : before & ~bits;
    if (this.#receiving) return; // the answer to the receive says it
    if (before === 0 && this.#paused !== 0) this.#owner.flow(false);
    else if (before !== 0 && this.#paused === 0) this.#owner.flow(true);
  }
}
