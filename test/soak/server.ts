/**
 * The server of a soak: TCP and TLS listeners of one transport, as a host would have them.
 *
 * @module
 */

import { Transport, type TransportCounters } from "../../mod.ts";
import { FLAGS, framed } from "../../src/oap/mod.ts";
import { throwAwayCertificate } from "../../src/testing/certificate.ts";
import { type Held, measure } from "../attack/rig/memory.ts";
import { serveCommands, uncaught } from "../attack/rig/program.ts";

/** Where it listens, and the root to trust. */
export interface SoakTarget {
  readonly tcp: number;
  readonly tls: number;
  readonly ca: string;
}

/** What it holds, after a collection of garbage, and what it has counted. */
export interface SoakSample {
  readonly memory: Held;
  readonly counters: TransportCounters;
  readonly uncaught: readonly string[];
}

let transport: Transport | undefined;
const nothing = new Uint8Array(0);

async function start(): Promise<SoakTarget> {
  const certificate = await throwAwayCertificate();
  const server = transport = new Transport({}, {});
  const listen = async (scheme: "tcp" | "tls"): Promise<number> => {
    const listener = await server.listen({
      address: `${scheme}://127.0.0.1:0`,
      ...(scheme === "tls" ? { tls: () => certificate } : {}),
      onConnection: (connection) => {
        const peer = framed(connection);
        peer.onBatch((batch) =>
          batch.forEach(({ flags, appProtoId, tenantId, corrId, payload }) => {
            if ((flags & FLAGS.REQ) === 0 || (flags & FLAGS.END) === 0) return;
            const whole = (flags & FLAGS.START) !== 0;
            const head = { flags: FLAGS.RESP | FLAGS.START | FLAGS.END, code: 200 };
            const answer = { ...head, appProtoId, tenantId, corrId };
            peer.trySend({ ...answer, payload: whole ? payload : nothing });
          })
        );
        return peer.closed.then(() => {});
      },
    });
    return listener.address.port ?? 0;
  };
  return { tcp: await listen("tcp"), tls: await listen("tls"), ca: certificate.cert };
}

async function sample(): Promise<SoakSample> {
  return { memory: await measure(), counters: transport!.counters(), uncaught };
}

await serveCommands({ start, sample });
