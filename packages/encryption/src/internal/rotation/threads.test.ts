import { setTimeout as delay } from 'node:timers/promises';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { threadsFor } from '@strongroom/kernel/thread';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SubjectKeys } from '../../sealer.ts';
import { LoadedKeys, type SentKeys } from '../loaded-keys.ts';
import { randomSecret, secretKey } from '../secret.ts';
import { renewHere, type Renewal, type ValuePlace } from './renew.ts';
import { RenewalThreads } from './threads.ts';

const [ada, bob, eve, tenant] = [newUuid(), newUuid(), newUuid(), newUuid()];
const version = (number: number) =>
  ({ version: number, createdAt: 0, scheme: 'tree', secret: secretKey(randomSecret()) }) as const;
const all: SentKeys = {
  keyVersion: 2,
  versions: [version(1), version(2)],
  people: [ada, bob, eve].map((person) => [person, secretKey(randomSecret())]),
};
const former = LoadedKeys.receive({ ...all, keyVersion: 1 });
const present = LoadedKeys.receive(all);

const placeOf = (row: string, people: readonly Uuid[], change: Partial<ValuePlace> = {}): ValuePlace => ({
  column: 'email',
  algorithm: undefined,
  tenant,
  row,
  people,
  isShared: false,
  ...change,
});
const at = ({ row, people }: ValuePlace) => ({
  tenant,
  table: 'people',
  column: 'email',
  row,
  subject: people[0] ?? null,
});
const shared = (row: string) => ({ tenant, table: 'people', column: 'email', row });

/** Every kind of value there is, and what becomes of it. */
function everyKind(): { renewal: Renewal; texts: readonly (string | undefined)[] } {
  const [plain, xaes, nobody, asked] = [
    placeOf('1', [ada]),
    placeOf('2', [ada]),
    placeOf('3', []),
    placeOf('4', [bob], { algorithm: 'xaes-256-gcm' }),
  ];
  const [current, foreign, cut] = [placeOf('5', [bob]), placeOf('6', [ada]), placeOf('7', [ada])];
  const [both, one] = [placeOf('8', [ada, bob], { isShared: true }), placeOf('9', [eve], { isShared: true })];
  return {
    renewal: {
      table: 'people',
      keyVersion: 2,
      places: [plain, xaes, nobody, asked, current, foreign, cut, both, one],
      values: [
        former.seal(at(plain), 'plain'),
        former.seal(at(xaes), 'x'.repeat(70_000), 'xaes-256-gcm'),
        former.seal(at(nobody), ''),
        present.seal(at(asked), 'asked'),
        present.seal(at(current), 'current'),
        // Of another row.
        former.seal(at(plain), 'foreign'),
        former.seal(at(cut), 'cut').subarray(0, 40),
        former.sealShared([ada, bob], shared('8'), 'both'),
        present.sealShared([ada, eve], shared('9'), 'one'),
      ],
    },
    texts: ['plain', 'x'.repeat(70_000), '', 'asked', undefined, undefined, undefined, 'both', undefined],
  };
}

describe('the thread of a rotation', () => {
  const thread = new RenewalThreads(1);

  beforeAll(async () => {
    const { renewal } = everyKind();
    // Whoever comes first is not kept waiting.
    expect(await thread.renew(present, renewal)).toHaveLength(renewal.values.length);
    while (thread.ready === 0) await delay(5);
  });

  afterAll(() => thread.stop());

  it('does what is done without it', async () => {
    const { renewal, texts } = everyKind();
    const inThread = await thread.renew(present, renewal);
    // They came in one message.
    expect(new Set(inThread.flatMap((value) => (typeof value === 'string' ? [] : [value.buffer]))).size).toBe(1);
    for (const renewed of [inThread, await renewHere(present, renewal)]) {
      expect(renewed.map((value, index) => (typeof value === 'string' ? value : texts[index]))).toEqual([
        ...texts.slice(0, 4),
        'authenticated',
        'damaged',
        'damaged',
        'both',
        'authenticated',
      ]);
      for (const [index, value] of renewed.entries()) {
        if (typeof value === 'string') continue;
        const place = renewal.places[index]!;
        expect([value[1], value[5]]).toEqual([place.algorithm === undefined ? renewal.values[index]![1] : 2, 2]);
        const text = place.isShared
          ? Buffer.from(present.openShared(place.people, shared(place.row), value)).toString()
          : present.openText(at(place), value);
        expect(text).toBe(texts[index]);
        expect(value).not.toEqual(renewal.values[index]);
      }
    }
    // The values that were read are what the row is compared with afterwards.
    expect(present.openText(at(renewal.places[4]!), renewal.values[4]!)).toBe('current');
    expect(await thread.renew(present, { ...renewal, places: [], values: [] })).toEqual([]);
  });

  it('knows the keys of one request in that request only', async () => {
    const { renewal } = everyKind();
    const [first, second] = await Promise.all([
      thread.renew(LoadedKeys.receive({ ...all, people: [] }), renewal),
      thread.renew(present, renewal),
    ]);
    // All but the one about nobody.
    expect(first.flatMap((one, index) => (one === 'damaged' ? [] : [index]))).toEqual([2]);
    expect(second.filter((one) => one === 'damaged')).toHaveLength(2);
  });

  it("leaves errors that are no value's fault, keys of others, and everything after its end to the thread that asks", async () => {
    const { renewal } = everyKind();
    const nowhere = { ...renewal, places: renewal.places.map((place) => ({ ...place, row: '' })) };
    await expect(thread.renew(present, nowhere)).rejects.toThrow(TypeError);
    const others: SubjectKeys = new Proxy(present, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    expect(await thread.renew(others, renewal)).toHaveLength(renewal.values.length);
    const interrupted = thread.renew(present, renewal);
    await thread.stop();
    expect(await interrupted).toHaveLength(renewal.values.length);
    expect(await thread.renew(present, renewal)).toHaveLength(renewal.values.length);
    expect(thread.ready).toBe(0);
  });
});

describe('the threads of a rotation', () => {
  it('are two where there are cores for them, one elsewhere', async () => {
    expect([1, 2, 3, 4, 64].map(threadsFor)).toEqual([1, 1, 1, 2, 2]);
    const threads = new RenewalThreads(2);
    const { renewal, texts } = everyKind();
    // As many batches at a time as a rotation has, before and after the threads are there.
    for (let isLast = false; !isLast;) {
      isLast = threads.ready === 2;
      for (const renewed of await Promise.all([1, 2, 3].map(() => threads.renew(present, renewal)))) {
        expect(renewed.map((one) => typeof one === 'string')).toEqual(texts.map((text) => text === undefined));
      }
      await delay(5);
    }
    await threads.stop();
    expect(threads.ready).toBe(0);
  });
});
