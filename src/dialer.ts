/**
 * One attempt to connect.
 *
 * @module
 */

import type { CloseReason } from "./close_reason.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import { Connection } from "./connection.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { TransportError } from "./errors.ts";
import type { Link, LinkEvents } from "./link.ts";
import type { DialOptions, TransportHooks } from "./options.ts";
import type { ResolvedAddress } from "./resolve_address.ts";
import { type PendingSocket, type Runtime, TlsMaterialError } from "./runtime/runtime.ts";
import { gate } from "./tls/gate.ts";
import { clientTls, materialError, pqRule } from "./tls/material.ts";

/** Tells a dial of its link once, and then holds nothing for it: a link keeps what it tells. */
class Dialled implements LinkEvents {
  #opened: Deferred<Connection> | undefined;

  constructor(opened: Deferred<Connection>) {
    this.#opened = opened;
  }

  onOpen(link: Link): void {
    this.#opened?.resolve(new Connection(link));
    this.#opened = undefined;
  }

  onClosed(_link: Link, { error }: CloseReason): void {
    this.#opened?.reject(
      error ?? new TransportError("io_closed", "The dial was given up", { op: "dial" }),
    );
    this.#opened = undefined;
  }
}

/**
 * Connects once; the link's own deadline is `dial_timeout`.
 *
 * @throws {TransportError} The cause of the link's close; the signal's reason when aborted.
 */
export async function dial(
  runtime: Runtime,
  table: ConnectionTable,
  config: ConfigSnapshot,
  { address, secured }: ResolvedAddress,
  options: DialOptions,
  { roots }: Pick<TransportHooks, "roots">,
): Promise<Connection> {
  const { signal } = options;
  signal?.throwIfAborted();
  const opened = deferred<Connection>();
  const link = table.dialling(address, new Dialled(opened));
  const onAbort = (): void => {
    opened.reject(signal!.reason);
    link.abort();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  // From here on the link's deadline runs, while a source of certificates takes its time too.
  const connect = async (): Promise<PendingSocket | undefined> => {
    const tls = secured
      // A certificate names no path: one for this host is asked for, unless the caller names another.
      ? await clientTls(address.hostname ?? "localhost", options.tls, config, roots)
      : undefined;
    if (link.isClosed) return undefined;
    const rules = {
      tls: tls !== undefined,
      alpn: tls?.alpn ?? [],
      ...pqRule(config),
      authorize: options.authorize,
    };
    return await runtime.connect(address, tls, gate(link, rules));
  };
  connect().then(
    (pending) => pending === undefined ? link.onClose(undefined) : link.hold(pending),
    (cause) => {
      const error = cause instanceof TlsMaterialError ? materialError(cause, "dial") : cause;
      opened.reject(error);
      link.fail(TransportError.from(error, "io_closed", { op: "dial" }));
      link.onClose({ type: "system", cause });
    },
  );
  try {
    return await opened.promise;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
