/**
 * Floods of frames: at most 64 requests of a connection are in the application's hands, and each one
 * more is refused once.
 *
 * @module
 */

import { onlyFor, same, within } from "../rig/expect.ts";
import { type Load, type Row, type Scale, type Seen, wavesRow } from "../rig/waves_row.ts";
import { SORTS } from "../waves/frames.ts";

interface FramesLoad extends Load {
  readonly sort: number;
  readonly conns: number;
  readonly count: number;
  readonly perSecond: number;
  readonly ms: number;
}

const IN_FLIGHT = 64;

function loads(sort: number, full: { count: number; ms: number }): Record<Scale, FramesLoad> {
  return {
    full: { sort, conns: 8, perSecond: 200_000, ...full },
    small: { sort, conns: 4, count: 16_384, perSecond: 200_000, ms: 5_000 },
  };
}

/** Each request beyond those in flight was refused once. */
function refusedOnce(seen: Seen<FramesLoad>): string[] {
  const { before, after, fates, load } = seen;
  const requests = Number(fates["requests"]);
  const held = after.held - before.held;
  const refused = after.refused - before.refused;
  const silently = after.dropped - before.dropped; // no room for its 429
  return [
    ...same("connections that the server ended", fates.ended + fates.reset, 0),
    ...same("requests that the application got", held, IN_FLIGHT * load.conns),
    ...same("refused or dropped", refused + silently, requests - held),
    ...same("answers that came", Number(fates["answers"]), refused),
    ...onlyFor(seen),
  ];
}

function row(
  name: string,
  about: string,
  what: string,
  load: Record<Scale, FramesLoad>,
  expect: (seen: Seen<FramesLoad>) => string[],
): Row {
  return wavesRow<FramesLoad>({
    name,
    about,
    act: "frames",
    loads: load,
    words: ({ count, perSecond, ms }) =>
      count > 1_000_000 ? `${perSecond / 1_000} k ${what}/s, ${ms / 1_000} s` : `${count} ${what}`,
    config: () => ({}),
    expect,
    figures: ({ fates, after }) => ({
      "frames/s": Number(fates["perSecond"]),
      frames: Number(fates["frames"]),
      "most at once": after.mostAtOnce,
    }),
  });
}

const ENDLESS = 1_000_000_000;

/** See the module. */
export const FRAME_FLOODS: readonly Row[] = [
  row(
    "tiny-frames",
    "streams of one byte that are begun and never ended",
    "frames of 1 B",
    loads(SORTS.unfinished, { count: 131_072, ms: 30_000 }),
    refusedOnce,
  ),
  row(
    "id-flood",
    "requests under ever new ids that are never answered",
    "requests under new ids",
    loads(SORTS.ids, { count: ENDLESS, ms: 10_000 }),
    refusedOnce,
  ),
  row(
    "id-reuse",
    "requests under one id that is never answered",
    "requests under one id",
    loads(SORTS.reuse, { count: ENDLESS, ms: 10_000 }),
    refusedOnce,
  ),
  row(
    "resets",
    "streams that are begun and cancelled at once, over and over",
    "streams begun and cancelled",
    loads(SORTS.resets, { count: ENDLESS, ms: 10_000 }),
    (seen) => {
      const { after, fates } = seen;
      return [
        ...within("requests of a connection at once", after.mostAtOnce, 1, IN_FLIGHT),
        ...same("connections that the server ended", fates.ended + fates.reset, 0),
        ...onlyFor(seen),
      ];
    },
  ),
];
