/** Ids of requests and streams, for the tests of what keeps them. */
import { encodeFrame, FLAGS } from "../../../src/oap/mod.ts";

/** What names a request of a connection. */
export interface Id {
  readonly tenantId: bigint;
  readonly appProtoId: number;
  readonly corrId: bigint;
}

/** A frame of this id, as its 38 bytes. */
export function header({ tenantId, appProtoId, corrId }: Id): DataView {
  const payload = new Uint8Array(0);
  const bytes = encodeFrame({ flags: FLAGS.REQ, code: 0, appProtoId, tenantId, corrId, payload });
  return new DataView(bytes.buffer, bytes.byteOffset);
}

/** The id as the key of a plain map. */
export function name({ tenantId, appProtoId, corrId }: Id): string {
  return `${tenantId}/${appProtoId}/${corrId}`;
}
