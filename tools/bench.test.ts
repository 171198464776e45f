import { describe, expect, it } from 'vitest';
import { measure, quantile, sink, type CaseResult, type Suite } from '../bench/harness.ts';
import { resultFile, table, verdicts } from '../bench/report.ts';

const settings = { rounds: 5, sliceMilliseconds: 5 };

/** An operation whose work is known: `amount` times the same. */
const work = (amount: number) => (): number => {
  let sum = 0;
  for (let index = 0; index < amount; index += 1) sum += Math.sqrt(index);
  return sum;
};

describe('the harness', () => {
  it('compares the first contender with each of the others', async () => {
    const result = await measure(
      {
        name: 'square roots',
        contenders: [
          { name: 'small', run: work(20_000) },
          { name: 'large', run: work(160_000) },
        ],
      },
      settings,
    );
    expect(result.ratios[0]?.to).toBe('large');
    // How large it is depends on the machine and what else it does; that it is a ratio does not.
    expect(result.ratios[0]?.times).toBeGreaterThan(0);
    expect(result.ratios).toHaveLength(1);
    expect(sink.result).toBeTypeOf('number');
  });

  it('waits for asynchronous operations', async () => {
    const sleep = (): Promise<void> =>
      new Promise((resolve) => {
        setTimeout(resolve, 2);
      });
    const result = await measure({ name: 'sleep', contenders: [{ name: 'sleep', run: sleep }] }, settings);
    expect(result.measurements[0]?.operationsPerSecond).toBeLessThan(510);
    expect(result.ratios).toEqual([]);
  });

  it('takes medians and quartiles between neighbours', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([5, 1, 3], 0.25)).toBe(2);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('the report', () => {
  const ratio = (times: number): CaseResult => ({
    name: `case ${times}`,
    measurements: [
      { name: 'ours', operationsPerSecond: 1000 * times, quartiles: [990 * times, 1010 * times] },
      { name: 'peer', operationsPerSecond: 1000, quartiles: [900, 1100] },
    ],
    ratios: [{ to: 'peer', times, quartiles: [times, times] }],
  });
  const suite: Suite = {
    title: 'Fixture',
    peers: ['fernet'],
    cases: () => [],
    promises: [{ contender: 'peer', times: 10 }],
  };

  it('keeps a promise by its weakest case', () => {
    expect(verdicts(suite, [ratio(12), ratio(10)])).toMatchObject([
      { kept: true, text: expect.stringContaining('10.0×') },
    ]);
    expect(verdicts(suite, [ratio(12), ratio(9.9)])).toMatchObject([
      { kept: false, text: expect.stringContaining('promised: at least 10×') },
    ]);
    expect(verdicts(suite, [])).toMatchObject([{ kept: false }]);
  });

  it('judges each promise by its own peer, and a suite without promises not at all', () => {
    const promises = [...(suite.promises ?? []), { contender: 'another', times: 1 }];
    expect(verdicts({ ...suite, promises }, [ratio(12)])).toMatchObject([{ kept: true }, { kept: false }]);
    const { promises: _, ...unpromised } = suite;
    expect(verdicts(unpromised, [ratio(0.1)])).toMatchObject([{ kept: true }]);
  });

  it('lines medians, spread and ratios up', () => {
    expect(table([ratio(12)])).toEqual([
      'case     contender   ops/s   spread  ratio  spread',
      'case 12  ours       12,000   ±1.0 %',
      'case 12  peer        1,000  ±10.0 %  12.0×  ±0.0 %',
    ]);
  });

  it('writes versions and the processor, but neither host nor path', () => {
    const text = JSON.stringify(resultFile(suite, [ratio(12)], settings, new Date('2026-11-22T10:00:00Z')));
    expect(text).toContain('"date":"2026-11-22"');
    expect(text).toMatch(/"peers":\{"fernet":"\d+\.\d+\.\d+"\}/);
    expect(text).toContain('"to":"peer","times":12');
    expect(text).not.toMatch(/\/(home|root|work|tmp)\b|hostname/);
  });
});
