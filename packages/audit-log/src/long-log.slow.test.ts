/** A log long enough for a full tile of level 1: sequencing and verification at length, and attacks on what short logs do not have. */
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditEvent, type House, inJson, openHouse } from './log.test-support.ts';
import {
  createConsistencyProof,
  createInclusionProof,
  nodesFromTiles,
  verifyConsistency,
  verifyInclusion,
} from './proofs.ts';
import { TileBuilder } from './tiles.ts';
import { verifyLog } from './verify-log.ts';

/** Events; `STRONGROOM_LOG_EVENTS` asks for more, up to where the patience of a test ends. */
const SIZE = Number(process.env['STRONGROOM_LOG_EVENTS'] ?? 70_000);

const perSecond = (count: number, started: number): string =>
  Math.round((count / (performance.now() - started)) * 1000).toLocaleString('en');

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`a long log on ${engine.name}`, () => {
    let house: House;
    let keys: readonly string[];
    beforeAll(async () => {
      house = await openHouse(engine);
      await house.append(auditEvent());
      // Copies of one event: writing them one by one is measured elsewhere.
      await house.attack(
        `insert into audit_inbox (event) select jsonb_set(event::jsonb, '{0}', to_jsonb(gen_random_uuid()))::text
         from audit_inbox, generate_series(2, ${SIZE})`,
        "update audit_inbox set event = jsonb_set(event::jsonb, '{11}', 'null')::text, opening = null",
      );
    });
    afterAll(() => house.close());

    it('is sequenced in batches and verified in flat memory', async () => {
      let started = performance.now();
      expect(await house.auditLog.sequence()).toBe(SIZE);
      figure(`sequencing on ${engine.name}: ${perSecond(SIZE, started)} events/s`);
      keys = await house.auditLog.verifierKeys();
      const progress: number[] = [];
      started = performance.now();
      const verdict = await verifyLog(house.auditLog.source(), { keys, onProgress: (done) => progress.push(done) });
      figure(`verification on ${engine.name}: ${perSecond(SIZE, started)} events/s`);
      expect(verdict).toMatchObject({ ok: true, findings: [], size: SIZE, verifiedEntries: SIZE });
      expect(progress.at(-1)).toBe(SIZE);
      expect(progress.length).toBeGreaterThan(10);
    });

    it('is verified from JSON with the same result', async () => {
      const started = performance.now();
      const verdict = await verifyLog(inJson(house.auditLog.source()), { keys });
      figure(`verification from JSON on ${engine.name}: ${perSecond(SIZE, started)} events/s`);
      expect(verdict).toEqual(await house.auditLog.verify({ keys }));
    });

    it('stops when told to', async () => {
      const controller = new AbortController();
      const options = { keys, signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) };
      await expect(house.auditLog.verify(options)).rejects.toThrow('enough');
    });

    it('proves inclusion and consistency from its tiles', async () => {
      const source = house.auditLog.source();
      const { root } = await verifyLog(source, { keys });
      const tile = async (level: number, index: number, width: number) => {
        const [found] = await source.tiles([{ level, index, width }]);
        return found!.hashes;
      };
      for (const index of [0, 255, 256, 65_535, 65_536, SIZE - 1]) {
        const [entry] = await source.entries(index, index + 1);
        const proof = await createInclusionProof(nodesFromTiles(SIZE, tile), index, SIZE);
        expect(verifyInclusion({ index, size: SIZE, leaf: entry!.leafHash, root }, proof)).toBe(true);
      }
      const tree = new TileBuilder({ size: 0, edge: [] }, () => undefined);
      for (const { leafHash } of await source.entries(0, 40_000)) tree.append(leafHash);
      const proof = await createConsistencyProof(nodesFromTiles(SIZE, tile), 40_000, SIZE);
      expect(verifyConsistency({ older: 40_000, newer: SIZE, olderRoot: tree.root(), newerRoot: root }, proof)).toBe(
        true,
      );
    });

    it.each([
      ['hashes', 'hashes', 4096, 'tile 1/0'],
      ['root', 'root', 5, 'tile 1/0'],
    ])('reveals one changed byte in the %s of a tile of level 1', async (_, column, offset, place) => {
      const flip = `update audit_tiles set ${column} = set_byte(${column}, ${offset}, get_byte(${column}, ${offset}) # 1) where level = 1`;
      await house.attack(flip);
      const verdict = await verifyLog(house.auditLog.source(), { keys });
      expect(verdict.findings.map(({ where }) => where)).toContain(place);
      await house.attack(flip);
      expect(await verifyLog(house.auditLog.source(), { keys })).toMatchObject({ ok: true });
    });

    it('names a changed event far inside', async () => {
      await house.attack(
        "update audit_events set outcome = 'denied' where event_id = (select event_id from audit_leaves where index = 54321)",
      );
      const verdict = await verifyLog(house.auditLog.source(), { keys });
      expect(verdict.findings).toEqual([
        { where: 'event 54321', what: 'its stored columns are not those that were logged' },
      ]);
    });
  });
}

describe('the tree', () => {
  it('takes at least 100,000 leaves a second', () => {
    const leaves = Array.from({ length: 300_000 }, (_, index) => new Uint8Array(32).fill(index));
    const started = performance.now();
    let tiles = 0;
    const builder = new TileBuilder({ size: 0, edge: [] }, () => {
      tiles += 1;
    });
    for (const leaf of leaves) builder.append(leaf);
    builder.root();
    figure(`tree: ${perSecond(leaves.length, started)} leaves/s`);
    expect(tiles).toBe(Math.floor(leaves.length / 256) + Math.floor(leaves.length / 65_536));
  });
});
