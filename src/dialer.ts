/**
 * One attempt to connect.
 *
 * @module
 */

import type { Address } from "./address.ts";
import type { ConfigSnapshot } from "./config/config.ts";
import { Connection } from "./connection.ts";
import type { ConnectionTable } from "./connection_table.ts";
import { deferred } from "./deferred.ts";
import { TransportError } from "./errors.ts";
import type { DialOptions, TransportHooks } from "./options.ts";
import { type Runtime, TlsMaterialError } from "./runtime/runtime.ts";
import { gate } from "./tls/gate.ts";
import { clientTls, materialError, pqRule } from "./tls/material.ts";

/**
 * Connects once; the link's own deadline is `dial_timeout`.
 *
 * @throws {TransportError} The cause of the link's close; the signal's reason when aborted.
 */
export async function dial(
  runtime: Runtime,
  table: ConnectionTable,
  config: ConfigSnapshot,
  address: Address,
  options: DialOptions,
  { roots }: Pick<TransportHooks, "roots">,
): Promise<Connection> {
  const { signal } = options;
  signal?.throwIfAborted();
  const tls = address.transport === "tls"
    // A certificate names no path: one for this host is asked for, unless the caller names another.
    ? await clientTls(address.hostname ?? "localhost", options.tls, config, roots)
    : undefined;
  signal?.throwIfAborted();
  const opened = deferred<Connection>();
  const link = table.dialling(address, tls?.alpn ?? [], {
    onOpen: (link) => opened.resolve(new Connection(link)),
    onClosed: (_link, reason) =>
      opened.reject(
        reason.error ?? new TransportError("io_closed", "The dial was given up", { op: "dial" }),
      ),
  });
  const onAbort = (): void => {
    opened.reject(signal!.reason);
    link.abort();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  const rules = {
    tls: tls !== undefined,
    alpn: tls?.alpn ?? [],
    ...pqRule(config),
    authorize: options.authorize,
  };
  runtime.connect(address, tls, gate(link, rules)).then(
    (pending) => link.hold(pending),
    (cause) => {
      if (cause instanceof TlsMaterialError) link.fail(materialError(cause, "dial"));
      link.onClose({ type: "system", cause });
    },
  );
  try {
    return await opened.promise;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
