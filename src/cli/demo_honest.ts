/**
 * The well-behaved connection that the demonstration keeps open beside its attempts.
 *
 * @module
 */

import type { Connection } from "../connection.ts";
import { type CorrIds, corrIds, FLAGS, framed, type FramedConnection } from "../oap/mod.ts";
import { openInput, sha256 } from "../runtime/host_files.ts";
import { Transport } from "../transport.ts";
import type { Target } from "./demo_refusals.ts";
import type { HonestLine } from "./demo_report.ts";
import { type Answers, answersOf, FILE_APP } from "./send_file.ts";

/** Bytes of the file that each of its streams carries. */
const STREAM_BYTES = 200_000;
/** How long the receiver may take to tell that it closed. */
const CLOSE_MS = 10_000;

/** See the module. */
export class Honest {
  readonly #transport: Transport;
  readonly #connection: Connection;
  readonly #link: FramedConnection;
  readonly #answers: Answers;
  readonly #ids: CorrIds = corrIds();
  readonly #bytes: Uint8Array;
  readonly #sha256: string;
  #sent = 0;
  #confirmed = 0;

  private constructor(transport: Transport, connection: Connection, bytes: Uint8Array) {
    this.#transport = transport;
    this.#connection = connection;
    this.#link = framed(connection);
    this.#answers = answersOf(this.#link);
    this.#bytes = bytes;
    const digest = sha256();
    digest.update(bytes);
    this.#sha256 = digest.hex();
  }

  /**
   * Connects, with the start of a file to send.
   *
   * @param target The receiver.
   * @param file The file.
   */
  static async connect(target: Target, file: string): Promise<Honest> {
    const bytes = await startOf(file);
    const transport = new Transport({ bind_addr: null });
    const connection = await transport.dial(`tls://${target.address}`, { tls: { ca: target.ca } });
    const honest = new Honest(transport, connection, bytes);
    await honest.#link.hello("ron-transport/demo");
    return honest;
  }

  /** Sends one stream and looks at the receiver's confirmation. Never rejects. */
  async sendOne(): Promise<void> {
    this.#sent++;
    const corrId = this.#ids.next();
    try {
      const answer = this.#answers.to(corrId);
      const head = { flags: FLAGS.REQ, code: 0, appProtoId: FILE_APP, tenantId: 0n, corrId };
      const [receipt] = await Promise.all([answer, this.#link.sendStream(this.#bytes, head)]);
      if (receipt.sha256 === this.#sha256) this.#confirmed++;
    } catch {
      // Not confirmed: the count tells.
    }
  }

  /** Sends a last stream, closes in order, and asks the receiver how it saw that. */
  async finish({ receiver }: Target): Promise<HonestLine> {
    await this.sendOne();
    const port = this.#connection.info.local?.port ?? 0;
    await this.#link.close();
    const closed = (await receiver.closedFrom(port, CLOSE_MS))?.kind ?? "not told";
    await this.#transport.close();
    const [sent, confirmed] = [this.#sent, this.#confirmed];
    return { sent, confirmed, closed, held: sent === confirmed && closed === "closed" };
  }
}

async function startOf(path: string): Promise<Uint8Array> {
  const file = await openInput(path);
  try {
    const bytes = new Uint8Array(Math.min(STREAM_BYTES, file.size));
    return bytes.subarray(0, await file.read(bytes));
  } finally {
    await file.close();
  }
}
