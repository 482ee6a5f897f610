/**
 * What each runtime can do when it cannot accept for want of a descriptor.
 *
 * @module
 */

import type { Server, Socket } from "node:net";
import type { AcceptRemedy } from "./accept_watch.ts";
import type { SocketAddress } from "./runtime.ts";

/** The part of `node:fs` that is used. */
interface DescriptorFiles {
  openSync(path: string, flags: "r"): number;
  closeSync(fd: number): void;
  readFileSync(path: string, encoding: "utf8"): string;
}

/**
 * What the runtime can do.
 *
 * @param runtime Which one.
 * @param server A bound server of `node:net`; nothing for a listener of Bun's own.
 * @param address Where it listens.
 */
export async function acceptRemedy(
  runtime: "deno" | "bun" | "node",
  server: Server | undefined,
  address: SocketAddress,
): Promise<AcceptRemedy> {
  if (runtime === "deno") {
    const { _handle } = server as unknown as { _handle: DenoHandle };
    return denoRemedy(_handle, "path" in address ? address.path : undefined);
  }
  const files = await import("node:fs");
  return runtime === "bun" ? bunRemedy(files) : nodeRemedy(files);
}

/** The descriptor of an accepted socket, where the runtime tells: Node and Bun. */
export function descriptorOf(raw: Socket): number | undefined {
  const fd = (raw as unknown as { _handle?: { fd?: unknown } | null })._handle?.fd;
  return typeof fd === "number" ? fd : undefined;
}

/**
 * Deno (2.9.5): a failed accept leaves its listener without a waker, and nothing polls it again. Any
 * call that marks the handle as changed does. For TCP that is `listen`, which finds the socket
 * listening and leaves it as it is; for a pipe it is `connect`, which fails with EINVAL on a socket
 * that listens. Connections that wait in the queue are then accepted, none is lost.
 *
 * @param own The listener's handle, private to Deno.
 * @param path Where a pipe listens.
 */
function denoRemedy(own: DenoHandle, path: string | undefined): AcceptRemedy {
  const Handle = own.constructor as new (type: number) => DenoHandle;
  return {
    limit: Infinity,
    refuses: false,
    available() {
      // The handle is the only way to a descriptor that wants no permission: a copy of its own.
      const fd = own.fdForIpc();
      if (fd < 0) return false;
      const copy = new Handle(SERVER);
      copy.open(fd);
      copy.close();
      return true;
    },
    resume() {
      if (path === undefined) own.listen(BACKLOG);
      else own.connect({ oncomplete() {} }, path);
    },
    release() {},
  };
}

const SERVER = 1;
const BACKLOG = 511;

interface DenoHandle {
  /** A copy of the descriptor, or -1. */
  fdForIpc(): number;
  open(fd: number): number;
  listen(backlog: number): number;
  connect(request: { oncomplete(): void }, path: string): number;
  close(): void;
}

/** Node: accepting recovers by itself, what it cannot hold is dropped. It is only told. */
function nodeRemedy(files: DescriptorFiles): AcceptRemedy {
  return {
    limit: limitOf(files),
    refuses: false,
    available: () => open(files, (fd) => files.closeSync(fd)),
    resume() {},
    release() {},
  };
}

/**
 * Bun (1.4.5): it must never find itself unable to accept, or it tries again without pause. One
 * descriptor is held in reserve. When no other is left it is let go, so that each connection can be
 * accepted, to be closed at once.
 */
function bunRemedy(files: DescriptorFiles): AcceptRemedy {
  let reserve: number | undefined;
  const release = (): void => {
    if (reserve !== undefined) files.closeSync(reserve);
    reserve = undefined;
  };
  const take = (): boolean => reserve !== undefined || open(files, (fd) => void (reserve = fd));
  take();
  return {
    limit: limitOf(files),
    refuses: true,
    available() {
      if (take() && open(files, (fd) => files.closeSync(fd))) return true;
      release();
      return false;
    },
    resume() {},
    release,
  };
}

/** Opens what every process may open. Only a full table is a failure: what is forbidden says nothing. */
function open(files: DescriptorFiles, use: (fd: number) => void): boolean {
  try {
    use(files.openSync("/dev/null", "r"));
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    return code !== "EMFILE" && code !== "ENFILE";
  }
}

function limitOf(files: DescriptorFiles): number {
  try {
    const text = files.readFileSync("/proc/self/limits", "utf8");
    return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Infinity);
  } catch {
    return Infinity; // no Linux: the looks by the clock are left
  }
}
