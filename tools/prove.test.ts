import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { figuresOf, judge, parseProofs, selectProofs, splitCommand, type Proof } from './internal/proofs.ts';
import { toolsRoot } from './internal/step.ts';

const table = (...rows: readonly string[]): string =>
  [
    '# Proofs',
    '',
    '| name | claim | command | expected figure | speed |',
    '| --- | --- | :-: | --- | --- |',
    ...rows,
    '',
  ].join('\n');
const row = '| foundation | It stands. | `node a.mjs --b "c d"` | at least one | fast |';

describe('docs/proofs.md', () => {
  it('is read row by row', () => {
    const other = '\n| name | value |\n| --- | --- |\n| foundation | 1 |\n';
    expect(parseProofs(table(row) + other)).toEqual([
      {
        name: 'foundation',
        claim: 'It stands.',
        command: ['node', 'a.mjs', '--b', 'c d'],
        expected: 'at least one',
        speed: 'fast',
      },
    ]);
  });

  it.each([
    ['an unknown name', row.replace('foundation', 'attic'), /line 5: "attic" is none of/],
    ['a missing cell', row.replace('| fast ', ''), /line 5: a row has 5 cells/],
    ['another speed', row.replace('fast', 'brisk'), /line 5: speed/],
    ['a command without backticks', row.replaceAll('`', ''), /line 5: the command/],
    ['an empty claim', row.replace('It stands.', ' '), /line 5: claim/],
  ])('is refused with %s', (_what, bad, message) => {
    expect(() => parseProofs(table(bad))).toThrow(message);
  });

  it('of this repository can be read and has proofs', () => {
    const proofs = parseProofs(readFileSync(join(toolsRoot, 'docs/proofs.md'), 'utf8'));
    expect(proofs.filter(({ name }) => name === 'foundation').length).toBeGreaterThan(0);
  });
});

describe('a proof', () => {
  const proof: Proof = { name: 'foundation', claim: 'It stands.', command: ['node'], expected: 'some', speed: 'fast' };
  const literal: Proof = { ...proof, expected: '`3 of 3`' };

  it('holds with exit code 0 and a figure', () => {
    expect(judge(proof, 0, 'noise\nfigure: 12 modules\n')).toEqual({ passed: true, figure: '12 modules' });
    expect(judge(literal, 0, 'figure: 12 modules\nfigure: 3 of 3 vectors')).toEqual({
      passed: true,
      figure: '3 of 3 vectors',
    });
  });

  it('fails without either, or with another figure than promised', () => {
    expect(judge(proof, 1, 'figure: 12 modules')).toEqual({ passed: false, figure: 'exit code 1' });
    expect(judge(proof, 0, 'no figure: here')).toMatchObject({ passed: false });
    expect(judge(literal, 0, 'figure: 2 of 3 vectors')).toEqual({ passed: false, figure: '2 of 3 vectors' });
  });

  it('prints figures on lines of their own', () => {
    expect(figuresOf('figure: a\n figure: b\nfigure: c')).toEqual(['a', 'c']);
    expect(splitCommand(`a 'b c' "d e" f`)).toEqual(['a', 'b c', 'd e', 'f']);
  });
});

describe('the choice', () => {
  const proof = (name: string, speed: 'fast' | 'slow'): Proof => ({
    name,
    speed,
    claim: `${name} ${speed}`,
    command: ['node'],
    expected: 'x',
  });
  const proofs = [proof('foundation', 'fast'), proof('foundation', 'slow'), proof('encryption', 'slow')];

  it('is fast ones by default, all with --all, and those named', () => {
    expect(selectProofs(proofs, [], false).chosen).toHaveLength(1);
    expect(selectProofs(proofs, [], true).chosen).toHaveLength(3);
    expect(selectProofs(proofs, ['encryption'], true)).toEqual({ chosen: [proofs[2]], complaints: [] });
  });

  it('complains of a name without proof, rather than proving nothing', () => {
    expect(selectProofs(proofs, ['memories'], true).complaints).toEqual(['memories has no proof yet']);
    expect(selectProofs(proofs, ['encryption'], false).complaints).toEqual([
      'encryption has only slow proofs: add --all',
    ]);
    expect(selectProofs(proofs, ['attic'], true).complaints[0]).toMatch(/^"attic" is none of/);
    expect(selectProofs([], [], false).complaints).toEqual(['docs/proofs.md lists no proof']);
  });
});
