/**
 * Ten attacks on a log by whoever owns its database, some of whom stole its signing keys as well: the verdict on each, and a build without one
 * check that misses it.
 */
import { newUuid } from '@strongroom/kernel';
import { figure } from '@strongroom/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventLeaf, type EventColumns } from './entry.ts';
import { type Cosigner, newCosigner } from './log.test-support.ts';
import { memoryLog, memorySource, plainEvents, type Stored } from './memory-log.test-support.ts';
import { parsePolicy } from './policy.ts';
import { formatVerifierKey } from './signed-note.ts';
import { type FullTile, partialTiles } from './tiles.ts';
import { verifyLog, type Standing, type VerifyOptions } from './verify-log.ts';
import { type Build, buildWithout, type Removal } from './weakened-build.test-support.ts';

const ORIGIN = 'strongroom/attacked';
/** Two full tiles, a partial one, and a partial one above them. */
const SIZE = 600;
const EARLIER = 550;
const VICTIM = 300;

const keys = [newCosigner(ORIGIN, 'ed25519'), newCosigner(ORIGIN, 'ml-dsa-44')] as const;
const witness = newCosigner('witness.example', 'ml-dsa-44');
const policy = parsePolicy(`witness w ${formatVerifierKey(witness.key)}\nquorum w\n`);

const events = plainEvents(SIZE).map((event, index) => (index === VICTIM ? { ...event, outcome: 'denied' } : event));
const sizes = [EARLIER];
const history = (
  of: readonly EventColumns[],
  leafOf: Build['eventLeaf'],
  signers: readonly Cosigner[] = keys,
): Stored => memoryLog(of, { origin: ORIGIN, signers, leafOf, sizes });

const changed = (index: number, change: Partial<EventColumns>): EventColumns[] =>
  events.with(index, { ...events[index]!, ...change });

/** The event, its leaf and the tile over it: everything that can be made to fit without a key. */
function withHashes(stored: Stored, rows: readonly EventColumns[], leafOf: Build['eventLeaf']): Stored {
  const { leaves, tiles } = history(rows, leafOf, []);
  return { ...stored, events: rows, leaves, tiles };
}

const swap = <Item>(items: readonly Item[], left: number, right: number): Item[] =>
  items.with(left, items[right]!).with(right, items[left]!);

type Tile = Pick<FullTile, 'hashes' | 'root'>;

function swapTiles(stored: Stored, exchanged: (own: Tile, other: Tile) => Tile): Stored {
  const [left, right] = [stored.tiles.get('0/0')!, stored.tiles.get('0/1')!];
  return {
    ...stored,
    tiles: new Map([...stored.tiles, ['0/0', exchanged(left, right)], ['0/1', exchanged(right, left)]]),
  };
}

/** Without looking at what the newest checkpoint says about all entries together. */
const noRoot: Removal = ['verify-log.ts', 'if (!equalBytes(this.#builder.root(), checkpoint.root))', 'if (false)'];
const noEarlierRoots: Removal = ['internal/judgement.ts', 'if (!equalBytes(root, expected))', 'if (false)'];
const noMissing: Removal = [
  'verify-log.ts',
  'this.#report(`leaf ${index}`, entry === undefined',
  'void (entry === undefined',
];
const noTiles: readonly Removal[] = [
  ['verify-log.ts', 'fromLeaves, tile: rest, tileName', 'fromLeaves, tile: null, tileName'],
  ['verify-log.ts', 'if (!equalBytes(root, computed)) this.#report', 'if (false) this.#report'],
  ['verify-log.ts', 'if (hashes !== null && !equalBytes(hashes, computed))', 'if (false)'],
  ['verify-log.ts', "    this.#report(tileName(place), 'it has the wrong length');\n", ''],
];

interface Attack {
  readonly name: string;
  readonly by: (stored: Stored, leafOf: Build['eventLeaf']) => Stored;
  /** What the verifier knows from elsewhere. */
  readonly knows?: (honest: Stored) => Partial<VerifyOptions>;
  readonly verdict: Standing;
  readonly where: string;
  /** The build that misses it: what is taken out. */
  readonly without: readonly Removal[];
}

const remembered = ({ checkpoints }: Stored) => ({ remembered: checkpoints.at(-1)! });
const earlier = ({ checkpoints }: Stored) => ({ remembered: checkpoints[0]! });

const attacks: readonly Attack[] = [
  {
    name: 'edit a value',
    by: (stored) => ({ ...stored, events: changed(VICTIM, { outcome: 'success' }) }),
    verdict: 'INVALID',
    where: `event ${VICTIM}`,
    without: [['check-entry.ts', 'return eventLeaf(event);', 'return null;']],
  },
  {
    name: 'edit a value and all hashes over it',
    by: (stored, leafOf) => withHashes(stored, changed(VICTIM, { outcome: 'success' }), leafOf),
    verdict: 'INVALID',
    where: `checkpoint ${SIZE}`,
    without: [noRoot, noEarlierRoots],
  },
  {
    name: 're-sign history with the stolen log keys',
    by: (_, leafOf) => history(changed(VICTIM, { outcome: 'success' }), leafOf),
    knows: remembered,
    verdict: 'DIVERGED',
    where: `remembered checkpoint ${SIZE}`,
    without: [noEarlierRoots],
  },
  {
    name: 'cut the tail',
    by: ({ checkpoints }, leafOf) => ({
      ...history(events.slice(0, EARLIER), leafOf, []),
      checkpoints: checkpoints.slice(0, 1),
    }),
    knows: remembered,
    verdict: 'DIVERGED',
    where: `checkpoint ${EARLIER}`,
    without: [['internal/judgement.ts', 'if (seen <= size) continue;', 'if (seen !== size || true) continue;']],
  },
  {
    name: 'restore an old backup and go on from there',
    by: (_, leafOf) =>
      history(
        [...events.slice(0, EARLIER), ...events.slice(EARLIER).map((event) => ({ ...event, eventId: newUuid() }))],
        leafOf,
      ),
    knows: remembered,
    verdict: 'DIVERGED',
    where: `remembered checkpoint ${SIZE}`,
    // To compare sizes alone is not enough: the new log is as long as the old one was.
    without: [noEarlierRoots],
  },
  {
    name: 'fork: show one history here and another there',
    by: (_, leafOf) => history(changed(SIZE - 1, { outcome: 'denied' }), leafOf),
    knows: ({ checkpoints }) => ({ seen: [checkpoints.at(-1)!.note] }),
    verdict: 'DIVERGED',
    where: `checkpoint ${SIZE} seen elsewhere`,
    without: [['internal/judgement.ts', 'for (const note of seen) {', 'for (const note of [] as string[]) {']],
  },
  {
    name: 'backdate an event',
    by: (stored) => ({
      ...stored,
      events: changed(VICTIM, { occurredAt: events[VICTIM]!.occurredAt - 86_400_000_000 }),
    }),
    verdict: 'INVALID',
    where: `event ${VICTIM}`,
    // A log whose hash leaves the time out.
    without: [['entry.ts', 'this.#time(2, event.occurredAt);', '']],
  },
  {
    name: 'drop one event and close the gap',
    by: (stored, leafOf) => withHashes(stored, events.toSpliced(VICTIM, 1), leafOf),
    verdict: 'INVALID',
    where: `leaf ${SIZE - 1}`,
    // Each event has its hash, but nothing says how many there are.
    without: [noRoot, noEarlierRoots, noMissing, ...noTiles],
  },
  {
    name: 'reorder two events',
    by: (stored, leafOf) => withHashes(stored, swap(events, 10, VICTIM), leafOf),
    verdict: 'INVALID',
    where: `checkpoint ${SIZE}`,
    without: [noRoot, noEarlierRoots],
  },
  {
    name: 'swap the hashes of two tiles',
    by: (stored) => swapTiles(stored, ({ root }, { hashes }) => ({ root, hashes })),
    verdict: 'INVALID',
    where: 'tile 0/0',
    without: noTiles,
  },
  {
    name: 'swap two tiles with what vouches for them',
    by: (stored) => swapTiles(stored, (_, other) => other),
    verdict: 'INVALID',
    // Tile and root tell one story, event and leaf another. The first is believed, so the wrong places are named; the verdict is right.
    where: 'leaf 0',
    without: noTiles,
  },
];

describe('an attacker who owns the database', () => {
  const vkeys = keys.map(({ vkey }) => vkey);
  let honest: Stored;
  const judge = (stored: Stored, options: Partial<VerifyOptions> = {}) =>
    verifyLog(memorySource(stored), { keys: vkeys, ...options });

  beforeAll(() => {
    honest = history(events, eventLeaf);
  });

  it('finds a log that is sound, whoever looks at it', async () => {
    expect(partialTiles(SIZE).length).toBe(2);
    for (const options of [{}, remembered(honest), earlier(honest), { seen: [honest.checkpoints[0]!.note] }]) {
      expect(await judge(honest, options)).toMatchObject({ ok: true, standing: 'UNANCHORED', findings: [] });
    }
  });

  it.each(attacks)('cannot $name: $verdict', async ({ by, knows, verdict, where, without }) => {
    const judged = await judge(by(honest, eventLeaf), knows?.(honest));
    expect(judged).toMatchObject({ ok: false, standing: verdict });
    expect(judged.findings.map((finding) => finding.where)).toContain(where);

    const weak = await buildWithout(without);
    const weakHonest = history(events, weak.eventLeaf);
    const options = { keys: vkeys, ...knows?.(weakHonest) };
    const missed = await weak.verifyLog(memorySource(by(weakHonest, weak.eventLeaf)), options);
    expect(missed).toMatchObject({ ok: true, findings: [] });
  });

  it('with the keys as well is stopped by memory and by witnesses alone, and that is what the verdict says', async () => {
    const cosigned: Stored = {
      ...honest,
      checkpoints: honest.checkpoints.map((one) => ({ ...one, note: witness.cosign(one.note, 1_790_000_000) })),
    };
    expect(await judge(cosigned, { policy })).toMatchObject({ ok: true, standing: 'WITNESSED', witnessedSize: SIZE });
    const resigned = history(changed(VICTIM, { outcome: 'success' }), eventLeaf);
    // No witness saw this history: it is sound and stands on the word of the log alone.
    expect(await judge(resigned, { policy })).toMatchObject({ ok: true, standing: 'UNANCHORED', witnessedSize: 0 });
    // Cosignatures of the old history do not fit the new one.
    const stolen = resigned.checkpoints.map((one, place) => ({
      ...one,
      note: one.note + cosigned.checkpoints[place]!.note.slice(honest.checkpoints[place]!.note.length),
    }));
    expect(await judge({ ...resigned, checkpoints: stolen }, { policy })).toMatchObject({ standing: 'INVALID' });
    // Whoever remembers nothing and asks no witness is told no more than that.
    for (const unnoticed of [resigned, { ...history(events.slice(0, EARLIER), eventLeaf) }]) {
      expect(await judge(unnoticed)).toMatchObject({ ok: true, standing: 'UNANCHORED' });
    }
    figure(`${attacks.length} attacks detected, each missed by a build without one check`);
  });
});
