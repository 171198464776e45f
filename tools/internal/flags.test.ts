import { describe, expect, it } from 'vitest';
import { helpOf, readParameters, type Usage } from './flags.ts';

const usage = {
  command: 'npm run fixture',
  does: 'Does nothing.',
  words: ['name …', 'of anything'],
  flags: { quick: { means: 'at once' }, 'without-tests': { means: 'alone' }, rounds: { takes: 'N', means: 'so many' } },
  examples: ['npm run fixture -- --quick'],
} as const satisfies Usage;

const read = (parameters: readonly string[], environment: NodeJS.ProcessEnv = {}) => {
  const parameters_ = readParameters(usage, parameters, environment);
  if (parameters_ === 'help') throw new Error('help was not asked for');
  return { words: parameters_.words, flags: Object.fromEntries(parameters_.flags) };
};

describe('the flags of a task', () => {
  it('are read beside its words, in any order', () => {
    expect(read([])).toEqual({ words: [], flags: {} });
    for (const rounds of [['--rounds', '7'], ['--rounds=7']])
      expect(read(['one', '--quick', ...rounds, 'two'])).toEqual({
        words: ['one', 'two'],
        flags: { quick: 'true', rounds: '7' },
      });
  });

  it('are those that npm kept, too', () => {
    const kept = { npm_config_quick: 'true', npm_config_without_tests: 'true', npm_config_rounds: '7' };
    expect(read([], kept).flags).toEqual({ quick: 'true', 'without-tests': 'true', rounds: '7' });
    // Of its own, by default.
    expect(read([], { npm_config_quick: '', npm_config_else: 'true' }).flags).toEqual({});
    // Of two words npm keeps the first: what it counts is among the words, and nobody knows.
    expect(() => read(['7'], { npm_config_rounds: 'true' })).toThrow('--rounds takes N behind it.');
  });

  it.each([
    [['--qiuck'], 'There is no --qiuck; there is --quick, --without-tests, --rounds N.'],
    [['--pasword=hunter2'], /^There is no --pasword;/],
    [['-q'], /^There is no -q;/],
    [['--'], /^There is no --;/],
    [['--quick=yes'], '--quick takes nothing behind it.'],
    [['--rounds'], '--rounds takes N behind it.'],
    [['--rounds='], '--rounds takes N behind it.'],
    [['--rounds', '--quick'], '--rounds takes N behind it.'],
  ])('refuse %j', (parameters, message) => {
    expect(() => read(parameters)).toThrow(message);
  });

  it('of somebody else are handed on in their order, without ours', () => {
    const parameters = readParameters({ ...usage, handsOnTo: 'vitest' }, ['-t', 'name', '--quick', '--retry=2'], {});
    expect(parameters).toEqual({ words: ['-t', 'name', '--retry=2'], flags: new Map([['quick', 'true']]) });
  });

  it('are in the help', () => {
    for (const flag of ['--help', '-h']) expect(readParameters(usage, ['a', flag, '--nonsense'], {})).toBe('help');
    expect(helpOf(usage)).toBe(
      `Usage: npm run fixture -- [--quick] [--without-tests] [--rounds N] [name …]

Does nothing.

  name …           of anything
  --quick          at once
  --without-tests  alone
  --rounds N       so many
  --help           this text

Examples:
  npm run fixture -- --quick`,
    );
  });
});
