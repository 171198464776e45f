import { newUuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyBundle } from './bundle.ts';
import { auditEvent, type House, newCosigner, openHouse, otherTenant, START } from './log.test-support.ts';
import type { LogSource } from './log-source.ts';
import { parsePolicy } from './policy.ts';
import { verifyLog } from './verify-log.ts';
import { createTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import { type BundleOptions, writeBundle } from './write-bundle.ts';

const SIZE = 300;
const EARLIER = 270;

const code = (expected: string) => expect.objectContaining({ code: expected });

/** As a file is read: line by line, without the newlines. */
async function* linesOf(bundle: string): AsyncIterable<string> {
  for (const line of bundle.split('\n').slice(0, -1)) yield line;
}

const [engine] = databases();

describe('a bundle', () => {
  let house: House;
  let keys: readonly string[];
  let source: LogSource;

  async function write(options: Partial<BundleOptions> = {}, from = source): Promise<string> {
    let text = '';
    for await (const part of writeBundle(from, { keys, ...options })) text += part;
    return text;
  }
  const verify = (bundle: string, options: Parameters<typeof verifyBundle>[1] = {}) =>
    verifyBundle(linesOf(bundle), options);

  /** What a tenant sees that had every third event. */
  const withheld = (): LogSource => ({
    ...source,
    entries: async (from, to) =>
      (await source.entries(from, to)).map((entry) =>
        entry.index % 3 === 0 ? entry : { ...entry, event: 'withheld', addressPrefix: null },
      ),
  });

  beforeAll(async () => {
    house = await openHouse(engine!);
    const events = Array.from({ length: SIZE }, (_, index) => auditEvent({ details: { index } }));
    await house.append(...events.slice(0, EARLIER));
    await house.auditLog.sequence();
    house.clock.time = START + 3_600_000;
    await house.append(...events.slice(EARLIER));
    await house.auditLog.sequence();
    keys = await house.auditLog.verifierKeys();
    source = house.auditLog.source();
  });
  afterAll(() => house.close());

  it('of everything is the log, its earlier checkpoints included', async () => {
    const bundle = await write();
    expect(bundle.split('\n')).toHaveLength(1 + SIZE + 1 + 1);
    expect(await verify(bundle)).toMatchObject({
      ok: true,
      standing: 'UNANCHORED',
      size: SIZE,
      verifiedEntries: SIZE,
      withheldEntries: 0,
    });
    expect(await verify(bundle, { keys })).toMatchObject({ ok: true });
  });

  it.each([
    [0, 1],
    [17, 18],
    [0, 256],
    [255, 257],
    [100, 299],
    [299, 300],
    [300, 300],
  ])('of entries %i to %i proves them under the same root', async (from, to) => {
    const bundle = await write({ from, to });
    const whole = await verify(await write());
    expect(await verify(bundle, { keys })).toMatchObject({
      ok: true,
      verifiedEntries: to - from,
      withheldEntries: SIZE - (to - from),
      root: whole.root,
    });
  });

  it('of what one tenant sees proves just that', async () => {
    const bundle = await write({}, withheld());
    expect(await verify(bundle, { keys })).toMatchObject({ ok: true, verifiedEntries: 100, withheldEntries: 200 });
  });

  it('with one character changed is not taken for sound, wherever it is', async () => {
    const bundle = await write({ from: 250, to: 275 });
    let judged = 0;
    for (let place = 0; place < bundle.length; place += 397) {
      const replaced = bundle[place] === 'a' ? 'b' : 'a';
      const changed = bundle.slice(0, place) + replaced + bundle.slice(place + 1);
      const verdict = await verify(changed, { keys }).catch((error: unknown) => error);
      // The first line repeats the keys for convenience; with keys of one's own they do not matter.
      const harmless = place < bundle.indexOf('"checkpoint"') && place > bundle.indexOf('"keys"');
      if (!harmless) expect(verdict, `place ${place}`).not.toMatchObject({ ok: true });
      judged += 1;
    }
    expect(judged).toBeGreaterThan(25);
  });

  it('is refused when lines are missing, doubled or exchanged', async () => {
    const lines = (await write()).split('\n').slice(0, -1);
    const judge = async (changed: readonly string[]) =>
      verify(`${changed.join('\n')}\n`, { keys }).then(
        ({ ok }) => ok,
        () => false,
      );
    expect(await judge(lines)).toBe(true);
    for (const place of [0, 1, 17, SIZE])
      expect(await judge(lines.toSpliced(place, 1)), `without ${place}`).toBe(false);
    expect(await judge(lines.slice(0, -1))).toBe(false);
    expect(await judge(lines.slice(0, 1))).toBe(false);
    expect(await judge([])).toBe(false);
    expect(await judge(lines.toSpliced(9, 0, lines[9]!))).toBe(false);
    expect(await judge(lines.with(9, lines[10]!).with(10, lines[9]!))).toBe(false);
    expect(await judge([...lines, lines.at(-1)!])).toBe(false);
  });

  it('signed with other keys is refused by whoever pinned the right ones', async () => {
    const other = await openHouse(engine!);
    await other.append(auditEvent());
    await other.auditLog.sequence();
    const forged = await write({ keys: await other.auditLog.verifierKeys() }, other.auditLog.source());
    expect(await verify(forged)).toMatchObject({ ok: true });
    expect(await verify(forged, { keys })).toMatchObject({ ok: false, standing: 'INVALID' });
    await other.close();
  });

  it('diverges from what was seen elsewhere, and says where it cannot be compared', async () => {
    const bundle = await write();
    const { size, root } = await verifyLog(source, { keys });
    expect(await verify(bundle, { remembered: { size, root } })).toMatchObject({ standing: 'UNANCHORED' });
    for (const other of [17, EARLIER, SIZE]) {
      const remembered = { size: other, root: new Uint8Array(32) };
      expect(await verify(bundle, { remembered })).toMatchObject({ ok: false, standing: 'DIVERGED' });
    }
    const part = await write({ from: 0, to: 10 });
    await expect(verify(part, { remembered: { size: 123, root } })).rejects.toThrow(code('audit-log.invalid-bundle'));
  });

  it('is witnessed when a quorum cosigned its checkpoint', async () => {
    const witnesses = [newCosigner('w1.example', 'ed25519-cosignature'), newCosigner('w2.example', 'ml-dsa-44')];
    const policy = parsePolicy(
      `witness a ${witnesses[0]!.vkey}\nwitness b ${witnesses[1]!.vkey}\ngroup both all a b\nquorum both\n`,
    );
    const cosigned = (...by: readonly number[]): LogSource => ({
      ...source,
      newestCheckpoint: async () => {
        const { note } = (await source.newestCheckpoint())!;
        return { note: by.reduce((signed, witness) => witnesses[witness]!.cosign(signed, 1_790_000_000), note) };
      },
    });
    const judge = async (from: LogSource) => (await verify(await write({}, from), { keys, policy })).standing;
    expect(await judge(source)).toBe('UNANCHORED');
    expect(await judge(cosigned(0))).toBe('UNANCHORED');
    expect(await judge(cosigned(0, 1))).toBe('WITNESSED');
    expect((await verifyLog(cosigned(0, 1), { keys, policy })).standing).toBe('WITNESSED');
    const forged: LogSource = {
      ...source,
      newestCheckpoint: async () => {
        const { note } = (await cosigned(0, 1).newestCheckpoint())!;
        return { note: `${note.slice(0, -40)}${note.at(-40) === 'A' ? 'B' : 'A'}${note.slice(-39)}` };
      },
    };
    expect(await judge(forged)).toBe('INVALID');
  });

  it('of a damaged log is not written', async () => {
    const hole: LogSource = {
      ...source,
      entries: async (from, to) => (await source.entries(from, to)).toSpliced(5, 1),
    };
    await expect(write({}, hole)).rejects.toThrow(code('audit-log.damaged'));
  });

  it('holds, as a proof, one entry', async () => {
    for (const index of [0, 17, 255, 256, EARLIER, SIZE - 1]) {
      const text = await createTlogProof(source, index);
      expect(text).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra [^\n]+\nindex \d+\n/);
      const verdict = await verifyTlogProof(parseTlogProof(text), { keys });
      expect(verdict).toMatchObject({ ok: true, standing: 'UNANCHORED', index, size: SIZE });
      expect(JSON.parse(verdict.event!.details)).toEqual({ index });
      const moved = text.replace(`\nindex ${index}\n`, `\nindex ${index + 1}\n`);
      expect((await verifyTlogProof(parseTlogProof(moved), { keys })).standing).toBe('INVALID');
      const other = parseTlogProof(await createTlogProof(source, (index + 1) % SIZE));
      const swapped = { ...parseTlogProof(text), extra: other.extra };
      expect((await verifyTlogProof(swapped, { keys })).standing).toBe('INVALID');
    }
    await expect(createTlogProof(source, SIZE)).rejects.toThrow(code('audit-log.unknown-entry'));
    const withoutEntry = await createTlogProof(withheld(), 1);
    expect(withoutEntry).not.toContain('extra');
    const [entry] = await source.entries(1, 2);
    const proof = parseTlogProof(withoutEntry);
    await expect(verifyTlogProof(proof, { keys })).rejects.toThrow(code('audit-log.invalid-proof'));
    expect(await verifyTlogProof(proof, { keys }, entry!.leafHash)).toMatchObject({ ok: true });
    expect(await verifyTlogProof(proof, { keys }, new Uint8Array(32))).toMatchObject({ ok: false });
  });

  it.each([
    '',
    'c2sp.org/tlog-proof@v2\nindex 1\n\nx\n1\n',
    'c2sp.org/tlog-proof@v1\nindex 01\n\nx',
    'c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx',
  ])('as a proof must be well-formed: %j', (text) => {
    expect(() => parseTlogProof(text)).toThrow(code('audit-log.invalid-proof'));
  });

  it('hides events of others from whoever reads it', async () => {
    const secret = newUuid();
    await house.append(auditEvent({ tenant: otherTenant, details: { secret } }));
    await house.auditLog.sequence();
    const all = await write();
    const shown: LogSource = {
      ...source,
      entries: async (from, to) =>
        (await source.entries(from, to)).map((entry) =>
          typeof entry.event !== 'string' && entry.event.tenantId === otherTenant
            ? { ...entry, event: 'withheld', addressPrefix: null }
            : entry,
        ),
    };
    const own = await write({}, shown);
    expect(all).toContain(secret);
    expect(own).not.toContain(secret);
    expect(await verify(own, { keys })).toMatchObject({ ok: true, withheldEntries: 1 });
  });
});
