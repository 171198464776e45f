/** Delivery to webhooks and files, at least once and in order, on a real database and over real connections. */
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asSystem } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDoor } from './door.test-support.ts';
import { auditEvent, bob, type House, openHouse, tenant } from './log.test-support.ts';
import { indexesOf, isAuthentic, type Receiver, startReceiver } from './receiver.test-support.ts';
import { reconcile } from './reconcile.ts';
import type { NewSink } from './sinks.ts';
import { verifyLog } from './verify-log.ts';

const HOUR = 3_600_000;
const VIA = 'command-line';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`sinks on ${engine.name}`, () => {
    let house: House;
    let receiver: Receiver;

    beforeAll(async () => {
      house = await openHouse(engine);
      receiver = await startReceiver();
    });
    afterAll(async () => {
      await receiver.close();
      await house.close();
    });
    beforeEach(async () => {
      for (const { name } of await house.sinks.list()) await house.sinks.remove(name, VIA);
      await house.auditLog.sequence();
      receiver.received.length = 0;
      receiver.answers.length = 0;
      receiver.onRequest = () => undefined;
    });

    const webhook = (name: string, more: Partial<NewSink> = {}): NewSink => ({
      name,
      format: 'jsonl',
      target: { kind: 'webhook', url: receiver.url, authorities: null },
      withAddresses: false,
      from: null,
      ...more,
    });
    const file = (
      name: string,
      folder: string,
      rotateBytes = 1e6,
      rotateDaily = false,
      keepFiles: number | null = null,
    ): NewSink => webhook(name, { target: { kind: 'file', folder, rotateBytes, rotateDaily, keepFiles } });
    /** Sequences that many events. */
    async function happen(count: number, bytes = 0): Promise<void> {
      await house.append(
        ...Array.from({ length: count }, () =>
          auditEvent(bytes === 0 ? {} : { details: { filling: 'x'.repeat(bytes) } }),
        ),
      );
      await house.auditLog.sequence();
    }
    const listed = async () => (await house.sinks.list())[0]!;
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, place) => from + place);

    it('sign what they send, in order and in batches of bounded size', async () => {
      const from = await sizeOf(house);
      const { secret } = await house.sinks.add(webhook('siem', { from }), VIA);
      await happen(30, 20_000);
      await happen(5);
      const size = await sizeOf(house);
      expect(await house.sinks.deliver()).toBe(size - from);
      expect(receiver.received.flatMap(({ indexes }) => indexes)).toEqual(range(from, size));
      expect(receiver.received.length).toBe(2);
      for (const received of receiver.received) {
        expect(Buffer.byteLength(received.body)).toBeLessThanOrEqual(512 * 1024);
        expect(received.timestamp).toBe(String(house.clock.now() / 1000));
        expect(isAuthentic(received, secret!)).toBe(true);
        expect(isAuthentic({ ...received, body: received.body.replace('success', 'failure') }, secret!)).toBe(false);
        expect(isAuthentic({ ...received, id: `${received.id}0` }, secret!)).toBe(false);
        expect(isAuthentic({ ...received, timestamp: '1' }, secret!)).toBe(false);
      }
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(receiver.received.length);
      expect(await house.sinks.deliver()).toBe(0);
      expect(await listed()).toMatchObject({ nextIndex: size, eventsBehind: 0, secondsBehind: 0, problem: null });
    });

    it('send pseudonyms and no network, unless asked for; never an account', async () => {
      await house.sinks.add(webhook('plain'), VIA);
      await house.sinks.add(webhook('networks', { withAddresses: true }), VIA);
      await house.sinks.add(webhook('ocsf', { format: 'ocsf' }), VIA);
      await happen(1);
      await house.sinks.deliver();
      const bodies = receiver.received.map(({ body }) => body);
      expect(bodies).toHaveLength(3);
      expect(bodies.filter((body) => body.includes('203.0.113.0'))).toHaveLength(1);
      expect(bodies.filter((body) => body.includes('"class_uid":6005'))).toHaveLength(1);
      for (const body of bodies) expect(body).not.toContain(bob);
    });

    it.each([500, 404, 307, 'hang' as const])(
      'try again what is answered with %s, under the same name',
      async (answer) => {
        await house.sinks.add(webhook('siem'), VIA);
        const from = await sizeOf(house);
        await happen(3);
        receiver.answers.push(answer);
        const stop = new AbortController();
        if (answer === 'hang') {
          receiver.onRequest = () => stop.abort();
          await expect(house.sinks.deliver(stop.signal)).rejects.toThrow('aborted');
          expect(await listed()).toMatchObject({ failures: 0, problem: null });
        } else {
          expect(await house.sinks.deliver()).toBe(0);
          expect(await listed()).toMatchObject({
            failures: 1,
            problem: `status ${answer}`,
            eventsBehind: expect.any(Number),
          });
          const pause = (await listed()).nextAttempt!.getTime() - house.clock.now();
          expect(pause).toBeGreaterThanOrEqual(2500);
          expect(pause).toBeLessThanOrEqual(5000);
          expect(await house.sinks.deliver()).toBe(0);
          expect(receiver.received).toHaveLength(1);
          house.clock.time += pause;
        }
        expect((await listed()).nextIndex).toBeLessThanOrEqual(from);
        // More that happens meanwhile does not change what the batch is.
        await happen(2);
        await house.sinks.deliver();
        const [first, second, third] = receiver.received;
        expect(second!.id).toBe(first!.id);
        expect(second!.body).toBe(first!.body);
        expect(third!.indexes[0]).toBe(first!.indexes.at(-1)! + 1);
        expect(receiver.received).toHaveLength(3);
        expect(await listed()).toMatchObject({ failures: 0, problem: null, eventsBehind: 0 });
      },
    );

    it('say how far they are behind', async () => {
      await house.sinks.add(webhook('siem'), VIA);
      await house.auditLog.sequence();
      await house.sinks.deliver();
      await happen(4);
      receiver.answers.push(503);
      await house.sinks.deliver();
      house.clock.time += 90_000;
      expect(await listed()).toMatchObject({ eventsBehind: 4, failures: 1 });
      expect((await listed()).secondsBehind).toBeGreaterThanOrEqual(90);
      // Two failures are not ten, however long ago the first was.
      house.clock.time += 30 * HOUR;
      receiver.answers.push(503);
      await house.sinks.deliver();
      expect(await listed()).toMatchObject({ eventsBehind: 4, failures: 2, deadBatches: 0 });
      // The others of the house do not wait for it.
      await house.sinks.add(webhook('other', { from: 0 }), VIA);
      expect(await house.sinks.deliver()).toBeGreaterThan(4);
    });

    it('set a batch aside that is refused for a day, say so in the log, go on, and send it again when told', async () => {
      await house.sinks.add(webhook('siem'), VIA);
      await house.auditLog.sequence();
      await house.sinks.deliver();
      await happen(3);
      const from = await sizeOf(house);
      receiver.received.length = 0;
      const started = house.clock.now();
      let attempts = 0;
      while ((await listed()).deadBatches === 0 && attempts < 20) {
        receiver.answers.push(400);
        expect(await house.sinks.deliver()).toBe(0);
        attempts += 1;
        house.clock.time = started + attempts * 2.5 * HOUR;
      }
      // The tenth failure is after 22.5 hours.
      expect(attempts).toBe(11);
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
      expect(await listed()).toMatchObject({ deadBatches: 1, deadEvents: 3, failures: 0, eventsBehind: 0 });
      await happen(1);
      receiver.received.length = 0;
      expect(await house.sinks.deliver()).toBe(2);
      const [received] = receiver.received;
      expect(received!.indexes).toEqual([from, from + 1]);
      expect(JSON.parse(received!.body.split('\n')[0]!)).toMatchObject({
        type: 'audit.sink-dead-letter',
        outcome: 'failure',
        actorVia: 'audit-log.deliver',
        details: { sink: 'siem', from: from - 3, to: from, problem: 'status 400' },
      });
      receiver.received.length = 0;
      receiver.answers.push(400);
      expect(await house.sinks.retry('siem', VIA)).toBe(1);
      expect(await house.sinks.deliver()).toBe(0);
      expect(await listed()).toMatchObject({ deadBatches: 1 });
      expect(await house.sinks.deliver()).toBe(0);
      expect(await house.sinks.retry('siem', VIA)).toBe(1);
      expect(await house.sinks.deliver()).toBe(3);
      expect(receiver.received.map(({ indexes }) => indexes)).toEqual([range(from - 3, from), range(from - 3, from)]);
      expect(await listed()).toMatchObject({ deadBatches: 0, deadEvents: 0 });
    });

    it('write files of their owner, rotated by size or by day, without a gap', async () => {
      const folder = join(temporaryFolder(), 'log');
      const from = await sizeOf(house);
      await house.sinks.add({ ...file('small', folder, 1000), from }, VIA);
      await house.sinks.add({ ...file('daily', folder, 1e6, true), from }, VIA);
      const files = (name: string) =>
        readdirSync(folder)
          .filter((found) => found.startsWith(name))
          .toSorted();
      const day = () => new Date(house.clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
      const today = day();
      await happen(2);
      await house.sinks.deliver();
      await happen(2);
      await house.sinks.deliver();
      const second = from + 4;
      expect(files('small')).toEqual([`small-${today}-${pad(from)}.jsonl`, `small-${today}-${pad(second)}.jsonl`]);
      expect(files('daily')).toEqual([`daily-${today}-${pad(from)}.jsonl`]);
      const third = await sizeOf(house);
      house.clock.time += 24 * HOUR;
      await happen(1);
      await house.sinks.deliver();
      expect(files('daily')).toEqual([`daily-${today}-${pad(from)}.jsonl`, `daily-${day()}-${pad(third)}.jsonl`]);
      for (const name of files('')) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      for (const sink of ['small', 'daily']) {
        const lines = files(sink).map((name) => readFileSync(join(folder, name), 'utf8'));
        expect(indexesOf(lines.join(''))).toEqual(range(from, await sizeOf(house)));
      }
    });

    it('keep as many files as they were told, the newest, and touch no others', async () => {
      const folder = temporaryFolder();
      const from = await sizeOf(house);
      await house.sinks.add({ ...file('few', folder, 1, false, 3), from }, VIA);
      await house.sinks.add({ ...file('all', folder, 1), from }, VIA);
      const foreign = ['few.txt', 'few-er-20200101-0000000000000000.jsonl', 'other-20200101-0000000000000000.jsonl'];
      for (const name of foreign) writeFileSync(join(folder, name), 'not theirs');
      const older = `few-20200101-${pad(0)}.jsonl`;
      writeFileSync(join(folder, older), 'x\n');
      const starts: number[] = [];
      for (let batch = 0; batch < 5; batch += 1) {
        starts.push(await sizeOf(house));
        await happen(2);
        await house.sinks.deliver();
        const names = readdirSync(folder);
        expect(names.filter((name) => /^few-\d{8}-/.test(name))).toHaveLength(Math.min(batch + 2, 3));
        expect(names).toEqual(expect.arrayContaining(foreign));
      }
      const names = readdirSync(folder);
      const day = new Date(house.clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
      const kept = starts.slice(-3).map((start) => `few-${day}-${pad(start)}.jsonl`);
      expect(names.filter((name) => /^few-\d{8}-/.test(name)).toSorted()).toEqual(kept);
      expect(names.filter((name) => name.startsWith('all-'))).toHaveLength(5);
      // After a restore, places come again: what is written now is the newest all the same.
      await house.database.transaction(asSystem, (transaction) =>
        sql`update audit_sink_states as t set next_index = ${from} from audit_sinks as s
          where s.sink_id = t.sink_id and s.name = 'few'`.execute(transaction),
      );
      house.clock.time += 24 * HOUR;
      for (const name of kept) rmSync(join(folder, name));
      for (const [index] of kept.entries())
        writeFileSync(join(folder, `few-${day}-${pad(9_000_000 + index)}.jsonl`), 'x\n');
      await house.sinks.deliver();
      const written = readdirSync(folder).filter((name) => /^few-\d{8}-/.test(name));
      expect(written).toHaveLength(3);
      expect(written.toSorted().at(-1)).toMatch(new RegExp(`-${pad(from)}\\.jsonl$`));
    });

    it('go on behind the last whole line of a file that a crash left', async () => {
      const folder = temporaryFolder();
      const from = await sizeOf(house);
      await house.sinks.add({ ...file('files', folder), from }, VIA);
      await happen(2);
      await house.sinks.deliver();
      const [name] = readdirSync(folder);
      const before = readFileSync(join(folder, name!), 'utf8');
      appendFileSync(join(folder, name!), `{"index":${from + 3},"torn":"${'x'.repeat(100_000)}`);
      await happen(2);
      await house.sinks.deliver();
      const after = readFileSync(join(folder, name!), 'utf8');
      expect(after.startsWith(before)).toBe(true);
      expect(indexesOf(after)).toEqual(range(from, await sizeOf(house)));
      // A link that somebody puts there is not written through.
      const victim = join(temporaryFolder(), 'victim');
      writeFileSync(victim, '');
      const day = name!.slice(6, 14);
      await house.sinks.remove('files', VIA);
      const next = await sizeOf(house);
      symlinkSync(victim, join(folder, `linked-${day}-${pad(next)}.jsonl`));
      await house.sinks.add({ ...file('linked', folder), from: next }, VIA);
      await happen(1);
      await house.sinks.deliver();
      expect(await listed()).toMatchObject({ problem: 'not written: ELOOP' });
      expect(readFileSync(victim, 'utf8')).toBe('');
    });

    it('wait while a folder cannot be written', async () => {
      const folder = join(temporaryFolder(), 'log');
      writeFileSync(folder, 'a file is in the way');
      await house.sinks.add(file('files', folder), VIA);
      await happen(1);
      expect(await house.sinks.deliver()).toBe(0);
      expect(await listed()).toMatchObject({ problem: 'not written: EEXIST', failures: 1 });
      rmSync(folder);
      await house.sinks.retry('files', VIA);
      expect(await house.sinks.deliver()).toBeGreaterThan(0);
      expect(await listed()).toMatchObject({ problem: null, failures: 0 });
    });

    it.each([
      ['http://example.org/events', 'Without https'],
      ['ftp://127.0.0.1/', 'https address'],
      ['https://user:secret@example.org/', 'password'],
      ['http://127.0.0.1.example.org/', 'Without https'],
      ['nothing', 'https address'],
    ])('refuse the address %s', async (url, detail) => {
      const adding = house.sinks.add(webhook('siem', { target: { kind: 'webhook', url, authorities: null } }), VIA);
      await expect(adding).rejects.toMatchObject({
        code: 'audit-log.invalid-sink',
        message: expect.stringContaining(detail),
      });
      await expect(house.sinks.add(file('files', 'relative/folder'), VIA)).rejects.toMatchObject({
        code: 'audit-log.invalid-sink',
      });
      expect(await house.sinks.list()).toEqual([]);
    });

    it('are managed through the administrator’s socket only, leave events, and keep their secret to themselves', async () => {
      const door = openDoor(house, 'operator');
      const path = '/operator/audit/sinks';
      const { status, body } = await door.ask('POST', path, webhook('siem'));
      expect(status, JSON.stringify(body)).toBe(200);
      const { secret } = body as { secret: string };
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(await door.ask('POST', path, webhook('siem'))).toMatchObject({ status: 409 });
      const { body: list } = await door.ask('GET', path);
      expect(list).toMatchObject({ items: [{ name: 'siem', kind: 'webhook', target: receiver.url, eventsBehind: 0 }] });
      expect(JSON.stringify(list)).not.toContain(secret.slice(6));
      expect(await door.ask('POST', `${path}/siem/test`)).toMatchObject({ status: 200 });
      expect(isAuthentic(receiver.received[0]!, secret)).toBe(true);
      expect(receiver.received[0]).toMatchObject({
        indexes: [],
        body: expect.stringContaining('strongroom.sink-test'),
      });
      receiver.answers.push(418);
      expect(await door.ask('POST', `${path}/siem/test`)).toMatchObject({
        status: 502,
        body: { code: 'audit-log.undelivered', detail: expect.stringContaining('status 418') },
      });
      expect(await door.ask('POST', `${path}/siem/retry`)).toMatchObject({ status: 200, body: { batches: 0 } });
      expect(await door.ask('POST', `${path}/nobody/test`)).toMatchObject({ status: 404 });
      door.caller = { account: bob, tenant, allowed: true };
      expect(await door.ask('GET', path)).toMatchObject({ status: 404 });
      expect(await door.ask('DELETE', `${path}/siem`)).toMatchObject({ status: 404 });
      door.caller = 'operator';
      expect(await door.ask('DELETE', `${path}/siem`)).toMatchObject({ status: 200 });
      expect(await door.ask('DELETE', `${path}/siem`)).toMatchObject({ status: 404 });
      await house.auditLog.sequence();
      const { rows: events } = await house.database.transaction(asSystem, (transaction) =>
        sql<{ type: string; details: string }>`select e.type, e.details from audit_events as e
          join audit_leaves using (event_id) order by index desc limit 3`.execute(transaction),
      );
      const origin = new URL(receiver.url).origin;
      expect(events.map(({ type }) => type)).toEqual(['audit.sink-removed', 'audit.sink-retried', 'audit.sink-added']);
      expect(events[2]!.details).toBe(JSON.stringify({ addresses: false, format: 'jsonl', sink: 'siem', to: origin }));
      expect((await house.database.transaction(asSystem, reconcile)).ok).toBe(true);
      expect(await verifyLog(house.auditLog.source(), { keys: await house.auditLog.verifierKeys() })).toMatchObject({
        ok: true,
      });
    });
  });
}

const pad = (index: number): string => String(index).padStart(16, '0');

async function sizeOf(house: House): Promise<number> {
  const newest = await house.auditLog.source().newestCheckpoint();
  return newest?.columns?.size ?? 0;
}
