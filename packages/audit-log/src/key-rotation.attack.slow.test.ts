/**
 * Attacks on a change of the log's keys, by somebody who has keys of their own, some of whom stole former ones of the log: the verdict on each, and a build
 * without one check that misses it.
 */
import { figure } from '@strongroom/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type EventColumns, eventLeaf, KEY_ROTATION } from './entry.ts';
import { rotationDetails } from './key-succession.ts';
import type { LogSource } from './log-source.ts';
import { type Cosigner, newCosigner } from './log.test-support.ts';
import { memoryLog, memorySource, plainEvents } from './memory-log.test-support.ts';
import { createTlogProof, formatTlogProof, parseTlogProof } from './tlog-proof.ts';
import { verifyLog, type Standing } from './verify-log.ts';
import { buildWithout, type Removal } from './weakened-build.test-support.ts';

const ORIGIN = 'strongroom/attacked';
/** Entries under the checkpoint with which the keys change, and under the newest. */
const CHANGE = 10;
const SIZE = 20;

type Pair = readonly [Cosigner, Cosigner];
const pair = (): Pair => [newCosigner(ORIGIN, 'ed25519'), newCosigner(ORIGIN, 'ml-dsa-44')];
const [first, second, stranger] = [pair(), pair(), pair()];
const keysOf = (signers: readonly Cosigner[]) => signers.map(({ key }) => key);

const events = plainEvents(SIZE);
/** The same log, in which the entry before `size` changes the keys. */
const changing = (
  of: readonly EventColumns[],
  size: number,
  former: readonly Cosigner[],
  successor: readonly Cosigner[],
): readonly EventColumns[] =>
  of.with(size - 1, {
    ...of[size - 1]!,
    type: KEY_ROTATION,
    details: rotationDetails(keysOf(former), keysOf(successor)),
  });
const honestEvents = changing(events, CHANGE, first, second);

const log = (of: readonly EventColumns[], signers: readonly Cosigner[]): LogSource =>
  memorySource(memoryLog(of, { origin: ORIGIN, signers, leafOf: eventLeaf }));
const handover = (of: readonly EventColumns[], size: number, signers: readonly Cosigner[]): Promise<string> =>
  createTlogProof(log(of.slice(0, size), signers), size - 1);
const showing = (source: LogSource, handovers: readonly string[]): LogSource => ({
  ...source,
  handovers: async () => handovers,
});

interface Attack {
  readonly name: string;
  readonly source: () => Promise<LogSource>;
  readonly verdict: Standing;
  readonly where: string;
  /** The build that misses it: what is taken out. */
  readonly without: Removal;
}

const FILE = 'key-succession.ts';

const attacks: readonly Attack[] = [
  {
    name: 'sign with keys that nobody announced',
    source: async () => log(events, stranger),
    verdict: 'INVALID',
    where: `checkpoint ${SIZE}`,
    without: ['checkpoint.ts', 'if (signed === undefined) {', 'if (signed === undefined) continue; else if (false) {'],
  },
  {
    name: 'announce keys without those before them',
    async source() {
      const rows = changing(events, CHANGE, first, stranger);
      return showing(log(rows, stranger), [await handover(rows, CHANGE, stranger)]);
    },
    verdict: 'INVALID',
    where: 'keys',
    without: [
      FILE,
      'await checkpointVerifier(asked(former))).verify(signed)',
      'await checkpointVerifier(asked(successor))).verify(signed)',
    ],
  },
  {
    name: 'announce keys by keys that were never trusted',
    async source() {
      const rows = changing(events, CHANGE, second, stranger);
      return showing(log(rows, stranger), [await handover(rows, CHANGE, [...second, ...stranger])]);
    },
    verdict: 'INVALID',
    where: `checkpoint ${SIZE}`,
    without: [FILE, 'idsOf(asked(keys)) === idsOf(trusted)', 'true'],
  },
  {
    name: 'put their own signatures under an honest checkpoint and an announcement beside it',
    async source() {
      const rows = changing(events, CHANGE, first, stranger);
      const announced = parseTlogProof(await handover(rows, CHANGE, stranger));
      const honest = (await log(events.slice(0, CHANGE), first).newestCheckpoint())!.note;
      const checkpoint = stranger.reduce((note, signer) => signer.cosign(note, 1_790_000_000 + CHANGE), honest);
      return showing(log(events, stranger), [formatTlogProof({ ...announced, checkpoint })]);
    },
    verdict: 'INVALID',
    where: 'keys',
    without: [FILE, '!verifyInclusion({ index, size, leaf, root }, path)', 'false'],
  },
  {
    name: 'go on with the former keys',
    async source() {
      return showing(log(honestEvents, first), [await handover(honestEvents, CHANGE, [...first, ...second])]);
    },
    verdict: 'INVALID',
    where: `checkpoint ${SIZE}`,
    without: [FILE, 'epochs.findLast(({ after }) => after < size || after === 0)!', 'epochs[0]!'],
  },
  {
    name: 'go on with the former keys and hide the change',
    source: async () => log(honestEvents, first),
    verdict: 'INVALID',
    where: `event ${CHANGE - 1}`,
    without: [
      'internal/judgement.ts',
      'if (this.verifier.handovers.some(',
      'if (this.verifier.handovers.length === 0 || this.verifier.handovers.some(',
    ],
  },
  {
    name: 'announce the former keys again',
    async source() {
      const rows = changing(honestEvents, CHANGE + 5, second, first);
      return showing(log(rows, first), [
        await handover(rows, CHANGE, [...first, ...second]),
        await handover(rows, CHANGE + 5, [...second, ...first]),
      ]);
    },
    verdict: 'INVALID',
    where: 'keys',
    without: [FILE, '!successor.some((key) => used.has(formatVerifierKey(key)))', 'true'],
  },
  {
    name: 'announce only the weaker of two kinds of keys',
    async source() {
      const rows = changing(events, CHANGE, first, [stranger[0]]);
      return showing(log(rows, [stranger[0]]), [await handover(rows, CHANGE, [...first, stranger[0]])]);
    },
    verdict: 'INVALID',
    where: 'keys',
    without: [FILE, 'isWeaker || names.size !== 1', 'names.size !== 1'],
  },
  {
    name: 'change the keys in another history than the one they show',
    async source() {
      const other = events.with(3, { ...events[3]!, outcome: 'denied' });
      return showing(log(changing(other, CHANGE, first, second), second), [
        await handover(honestEvents, CHANGE, [...first, ...second]),
      ]);
    },
    verdict: 'DIVERGED',
    where: `checkpoint ${CHANGE}, with which the keys changed`,
    without: [
      'internal/judgement.ts',
      'for (const checkpoint of verifier.handovers) {',
      'for (const checkpoint of []) {',
    ],
  },
];

describe('a thief of keys', () => {
  const keys = first.map(({ vkey }) => vkey);
  let honest: LogSource;
  beforeAll(async () => {
    honest = showing(log(honestEvents, second), [await handover(honestEvents, CHANGE, [...first, ...second])]);
  });

  it('is not needed for a verdict: the honest log passes', async () => {
    const followed = { keys: second.map(({ vkey }) => vkey), standing: 'UNANCHORED' };
    expect(await verifyLog(honest, { keys })).toMatchObject({ ok: true, ...followed });
    expect(await verifyLog(honest, { keys: followed.keys })).toMatchObject({ ok: true, ...followed });
  });

  it.each(attacks)('cannot $name: $verdict', async ({ source, verdict, where, without }) => {
    const judged = await verifyLog(await source(), { keys });
    expect(judged).toMatchObject({ ok: false, standing: verdict });
    expect(judged.findings.map((finding) => finding.where)).toContain(where);
    const weak = await buildWithout([without]);
    expect(await weak.verifyLog(await source(), { keys })).toMatchObject({ ok: true, findings: [] });
  });

  it('of the former keys makes a fork that only memory and witnesses reveal, and the verdict says no more', async () => {
    // Another history from the beginning, without the change, by who stole the former keys.
    const fork = log(events, first);
    expect(await verifyLog(fork, { keys })).toMatchObject({ ok: true, standing: 'UNANCHORED' });
    const { size, root, keys: present } = await verifyLog(honest, { keys });
    expect(await verifyLog(fork, { keys, remembered: { size, root } })).toMatchObject({ standing: 'DIVERGED' });
    // Whoever followed trusts the former keys no more.
    expect(await verifyLog(fork, { keys: present })).toMatchObject({ standing: 'INVALID' });
    figure(`${attacks.length} attacks on a change of keys detected, each missed by a build without one check`);
  });
});
