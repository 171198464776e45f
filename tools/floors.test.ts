import { figure } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { checkFloors } from './internal/check-floors.ts';
import { checkout, soundPackages, write } from './internal/fixture.test-support.ts';
import { forbidden, floors, nodeInBrowsers, type ImportEdge } from './internal/floors.ts';

const edge = (from: string, specifier: string, to: string, more: Partial<ImportEdge> = {}): ImportEdge => ({
  from,
  to,
  specifier,
  kind: 'file',
  typeOnly: false,
  ...more,
});

const named = (from: string, name: string): ImportEdge =>
  edge(`packages/${from}/src/a.ts`, `@strongroom/${name}`, `packages/${name}/src/index.ts`);

describe('the floors', () => {
  it('give every package one place', () => {
    const all = floors.flat();
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    ['memories', 'kernel'],
    ['pipeline', 'storage'],
    ['strongroom', 'fastify'],
    ['client', 'sealing'],
  ])('let %s import %s', (from, name) => {
    expect(forbidden(named(from, name))).toBeUndefined();
  });

  it.each([
    ['kernel', 'sealing', /stands above/],
    ['pipeline', 'authentication', /stands above/],
    ['authentication', 'audit-log', /same floor/],
    ['client', 'audit-log', /may import only/],
    ['client', 'pipeline', /may import only/],
    ['attic', 'kernel', /no floor/],
    ['memories', 'attic', /no floor/],
  ])('do not let %s import %s', (from, name, reason) => {
    expect(forbidden(named(from, name))).toMatch(reason);
  });

  it('open only the verifier of the audit log to clients', () => {
    const verifier = 'packages/audit-log/src/verify.ts';
    expect(forbidden(edge('packages/client/src/a.ts', '@strongroom/audit-log/verify', verifier))).toBeUndefined();
    expect(forbidden(edge('packages/client/src/a.ts', '@strongroom/audit-log/tiles', verifier))).toMatch(/only/);
  });

  it('let clients import what goes over the wire, as types only', () => {
    const wire = edge('packages/client/src/a.ts', '@strongroom/memories/wire', 'packages/memories/src/wire.ts');
    expect(forbidden({ ...wire, typeOnly: true })).toBeUndefined();
    expect(forbidden(wire)).toMatch(/may import only/);
    const other = { specifier: '@strongroom/memories', to: 'packages/memories/src/index.ts', typeOnly: true };
    expect(forbidden({ ...wire, ...other })).toMatch(/may import only/);
  });

  it('keep Node out of what runs in browsers, except in files named so', () => {
    const file = 'packages/sealing/src/a-node.ts';
    expect(forbidden(edge('packages/sealing/src/b.ts', './a-node.ts', file))).toMatch(/conditional/);
    expect(forbidden(edge('packages/sealing/src/b.ts', '#a', file))).toBeUndefined();
    expect(forbidden(edge('packages/sealing/src/b.ts', './a-node.ts', file, { typeOnly: true }))).toBeUndefined();
  });

  it('follow what a browser loads into packages that are not portable themselves', () => {
    const node = (from: string): ImportEdge => edge(from, 'node:fs', 'fs', { kind: 'node' });
    const [verify, inside] = ['packages/audit-log/src/verify.ts', 'packages/audit-log/src/internal/a.ts'];
    const step = edge(verify, './internal/a.ts', inside);
    const found = (...edges: readonly ImportEdge[]): readonly string[] => nodeInBrowsers(edges).map(({ from }) => from);
    expect(found(step, node(inside))).toEqual([inside]);
    expect(found({ ...step, specifier: '#a' }, node(inside))).toEqual([]);
    expect(found({ ...step, typeOnly: true }, node(inside))).toEqual([]);
    expect(found({ ...step, from: 'packages/audit-log/src/routes.ts' }, node(inside))).toEqual([]);
    const files = ['a.ts', 'a-node.ts', 'a.test.ts'].map((name) => `packages/sealing/src/${name}`);
    expect(found(...files.map(node), node('packages/storage/src/a.ts'))).toEqual(['packages/sealing/src/a.ts']);
  });

  it('keep packages to their front doors', () => {
    const deep = edge('packages/storage/src/a.ts', '../../kernel/src/ids.ts', 'packages/kernel/src/ids.ts');
    expect(forbidden(deep)).toMatch(/by its name/);
    expect(forbidden({ ...deep, from: 'packages/storage/src/a.test.ts' })).toMatch(/by its name/);
    const barrel = edge('packages/kernel/src/a.ts', './index.ts', 'packages/kernel/src/index.ts');
    expect(forbidden(barrel)).toMatch(/index\.ts/);
    expect(forbidden({ ...barrel, from: 'packages/kernel/src/a.test.ts' })).toBeUndefined();
  });

  it('keep test helpers in tests', () => {
    const helper = edge('packages/storage/src/a.ts', '@strongroom/testing', 'tools/testing/src/index.ts');
    expect(forbidden(helper)).toMatch(/only tests/);
    expect(forbidden({ ...helper, from: 'packages/storage/src/a.test.ts' })).toBeUndefined();
  });
});

describe('a checkout', () => {
  it('without defects passes', async () => {
    const result = await checkFloors(checkout(...soundPackages));
    expect(result.details).toBeUndefined();
    expect(result).toMatchObject({ ok: true, line: expect.stringMatching(/^5 modules/) });
  });

  const planted = {
    'an upward import': {
      files: {
        'packages/kernel/src/up.ts':
          "import { welcome } from '@strongroom/sealing';\nexport const up = welcome('x');\n",
      },
      found: /packages\/kernel\/src\/up\.ts imports @strongroom\/sealing: packages\/sealing stands above/,
    },
    'an upward import of a type': {
      files: {
        'packages/kernel/src/up.ts': "import type { Door } from '@strongroom/sealing';\nexport type Up = Door;\n",
      },
      found: /stands above/,
    },
    'a cycle of types': {
      files: {
        'packages/kernel/src/one.ts': "import type { Two } from './two.ts';\nexport type One = Two[];\n",
        'packages/kernel/src/two.ts': "import type { One } from './one.ts';\nexport type Two = One[];\n",
      },
      found: /import cycle: packages\/kernel\/src\/one\.ts → packages\/kernel\/src\/two\.ts/,
    },
    'a cycle through a test file': {
      files: {
        'packages/kernel/src/one.test.ts': "import { two } from './two.ts';\nexport const one = two;\n",
        'packages/kernel/src/two.ts': "import { one } from './one.test.ts';\nexport const two: number = one;\n",
      },
      found: /import cycle/,
    },
    "an import of the package's own index": {
      files: { 'packages/kernel/src/own.ts': "import { greet } from './index.ts';\nexport const own = greet('x');\n" },
      found: /its own package's index/,
    },
    'an import into another package': {
      files: {
        'packages/sealing/src/deep.ts':
          "import { greet } from '../../kernel/src/greet.ts';\nexport const deep = greet('x');\n",
      },
      found: /reaches into another package/,
    },
    "Node's modules in a portable package": {
      files: {
        'packages/sealing/src/disk.ts': "import { readFileSync } from 'node:fs';\nexport const disk = readFileSync;\n",
      },
      found: /browsers load it/,
    },
    'an import of nothing': {
      files: {
        'packages/sealing/src/lost.ts': "import { lost } from '@strongroom/nowhere';\nexport const found = lost;\n",
      },
      found: /cannot be resolved/,
    },
    'a package on no floor': {
      files: {
        'packages/attic/src/a.ts': "import { greet } from '@strongroom/kernel';\nexport const a = greet('x');\n",
      },
      found: /no floor/,
    },
  } as const;

  it.each(Object.entries(planted))('with %s fails', async (_what, { files, found }) => {
    const root = checkout(...soundPackages);
    write(root, files);
    const result = await checkFloors(root);
    expect(result.ok).toBe(false);
    expect(result.details?.join('\n')).toMatch(found);
  });

  it('that nothing could be read of fails', async () => {
    const empty = checkout({ 'packages/kernel/readme.txt': 'no source' });
    expect(await checkFloors(empty)).toMatchObject({ ok: false, details: ['no module was seen'] });
    const root = checkout(...soundPackages);
    // In a folder that the graph leaves out, as a tool without a TypeScript parser leaves out everything.
    write(root, { 'packages/kernel/src/dist/hidden.ts': 'export const hidden = 1;\n' });
    const result = await checkFloors(root);
    expect(result.details?.join('\n')).toMatch(/hidden\.ts was not seen/);
    figure(`${Object.keys(planted).length + 2} planted defects of the import graph found`);
  });
});
