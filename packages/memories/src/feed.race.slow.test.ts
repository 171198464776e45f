import { newUuid, type Uuid } from '@strongroom/kernel';
import { openDatabase, type Database } from '@strongroom/storage';
import { databases, type TestEngine } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { House, manifests, memoryBody, randomToken, type Answer, type Person } from './house.test-support.ts';
import type { Change, Changes, MemoryList, MemoryVersion, Written } from './wire.ts';

/** Writers at the same time; on PostgreSQL half of them on each of two servers. */
const WRITERS = 8;
/** Writes of each. */
const WRITES = 60;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`while others write, on ${engine.name}`, () => {
    const opened: Database[] = [];
    let houses: readonly House[];
    let anna: Person;
    beforeAll(async () => {
      houses = await start(engine, opened);
      anna = await houses[0]!.founder();
    });
    afterAll(async () => {
      for (const database of opened) await database.close();
    });

    /** Retries what the limiter refuses, which is not what is tested here. */
    async function send<Body>(at: number, request: string, body?: unknown): Promise<Answer<Body>> {
      for (;;) {
        const answer = await houses[at % houses.length]!.send<Body>(anna, request, body);
        if (answer.status !== 429) return answer;
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
    }

    it('a walk through 1,000 memories sees each exactly once', async () => {
      const space = await houses[0]!.space(anna);
      const at = `/v1/spaces/${space}/memories`;
      const ids = new Set<string>();
      for (let batch = 0; batch < 10; batch += 1) {
        const items = Array.from({ length: 100 }, () => ({ ...memoryBody(), expectedVersion: 0 }));
        for (const { id } of items) ids.add(id);
        expect((await send(batch, `POST ${at}/batch`, { items })).status).toBe(200);
      }
      const walk = { going: true };
      const writer = async (number: number) => {
        let count = 0;
        while (walk.going) {
          count += 1;
          // Ids from long ago and from now: some fall behind the reader's position, some before it.
          const id = newUuid(count % 2 === 0 ? Date.now() : 1_000_000_000_000 + count);
          expect((await send(number, `POST ${at}`, memoryBody(id))).status).toBe(201);
        }
        return count;
      };
      const writers = [writer(0), writer(1)];
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor === null ? '' : `&cursor=${cursor}`;
        const page: Answer<MemoryList> = await send<MemoryList>(0, `GET ${at}?limit=23${query}`);
        seen.push(...page.body.items.map((item) => item.id));
        cursor = page.body.next;
      } while (cursor !== null);
      walk.going = false;
      const written = await Promise.all(writers);
      expect(Math.min(...written)).toBeGreaterThan(2);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => ids.has(id))).toHaveLength(1000);
      expect(seen).toEqual(seen.toSorted());
    });

    it('a reader that follows the feed ends with exactly what is stored, and never sees an earlier change later', async () => {
      const space = await houses[0]!.space(anna);
      const at = `/v1/spaces/${space}/memories`;
      const shared = memoryBody();
      await send(0, `POST ${at}`, shared);
      const left = { writers: WRITERS };
      let conflicts = 0;
      let changes = 1;
      const writer = async (number: number) => {
        const own: { id: Uuid; version: number }[] = [];
        for (let step = 0; step < WRITES; step += 1) {
          const kind = (step + number) % 6;
          const target = own.at(-1);
          if (kind === 0 || target === undefined) {
            const body = memoryBody();
            expect((await send(number, `POST ${at}`, body)).status).toBe(201);
            own.push({ id: body.id, version: 1 });
            changes += 1;
          } else if (kind < 3) {
            const body = { expectedVersion: target.version, epoch: 1, token: randomToken() };
            expect((await send(number, `PUT ${at}/${target.id}`, body)).status).toBe(200);
            target.version += 1;
            changes += 1;
          } else if (kind === 3) {
            expect((await send(number, `DELETE ${at}/${target.id}?expectedVersion=${target.version}`)).status).toBe(
              200,
            );
            own.pop();
            changes += 1;
          } else if (kind === 4) {
            const items = Array.from({ length: 5 }, () => ({ ...memoryBody(), expectedVersion: 0 }));
            const answer = await send<{ items: Written[] }>(number, `POST ${at}/batch`, { items });
            expect(answer.status).toBe(200);
            changes += 5;
          } else {
            // Everybody changes the same memory: one of those who expect the same version wins.
            const { version } = (await send<MemoryVersion>(number, `GET ${at}/${shared.id}`)).body;
            const body = { expectedVersion: version, epoch: 1, token: randomToken() };
            const answer = await send(number, `PUT ${at}/${shared.id}`, body);
            expect([200, 409]).toContain(answer.status);
            if (answer.status === 200) changes += 1;
            else conflicts += 1;
          }
        }
        left.writers -= 1;
      };

      const replica = new Map<string, Change>();
      let position = 0;
      const follow = async (server: number) => {
        const page = (await send<Changes>(server, `GET /v1/spaces/${space}/changes?after=${position}&limit=17`)).body;
        for (const item of page.items) {
          expect(item.sequence).toBeGreaterThan(position);
          expect(item.version).toBeGreaterThan(replica.get(item.id)?.version ?? 0);
          position = item.sequence;
          replica.set(item.id, item);
        }
        if (page.next === null) expect(position).toBe(page.sequence);
        return page.next !== null;
      };
      const reader = async () => {
        for (let turn = 0; left.writers > 0; turn += 1) await follow(turn);
        while (await follow(0));
      };
      await Promise.all([reader(), ...Array.from({ length: WRITERS }, (_, number) => writer(number))]);

      // One place in the feed for each change, none for a refused or repeated one.
      expect(position).toBe(changes);
      const whole: Change[] = [];
      for (let after: string | null = '0'; after !== null;) {
        const page: Changes = (await send<Changes>(1, `GET /v1/spaces/${space}/changes?after=${after}&limit=200`)).body;
        whole.push(...page.items);
        after = page.next;
      }
      expect([...replica.values()].toSorted((left, right) => left.sequence - right.sequence)).toEqual(whole);
      expect(whole.some((item) => item.deleted)).toBe(true);
      expect(conflicts).toBeGreaterThan(0);
    });
  });
}

/** On PostgreSQL two servers with nothing in common but the database; PGlite has one process. */
async function start(engine: TestEngine, opened: Database[]): Promise<House[]> {
  const location = await engine.fresh();
  const first = await openDatabase(location, manifests);
  opened.push(first);
  const house = await House.open(first);
  if (location.kind !== 'postgresql') return [house];
  const second = await openDatabase(location, manifests);
  opened.push(second);
  return [house, house.replica(second)];
}
