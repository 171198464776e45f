/** The floors of the house (ARCHITECTURE.md) and the judge of every import between two files. */
import { isTestFile } from './workspace.ts';

/** From the ground up. What stands on the same line does not import one another either. */
export const floors: readonly (readonly string[])[] = [
  ['packages/kernel'],
  ['packages/sealing'],
  ['packages/storage'],
  ['packages/pipeline'],
  ['packages/encryption', 'packages/input-validation', 'packages/rate-limiting', 'packages/vulnerability-scanner'],
  ['packages/audit-log', 'packages/authentication', 'packages/authorization', 'packages/data-protection'],
  [
    'packages/backup',
    'packages/memories',
    'packages/gdpr-compliance',
    'packages/incident-response',
    'packages/compliance-reports',
  ],
  ['packages/fastify', 'packages/express', 'packages/hono', 'packages/mcp', 'packages/client'],
  ['packages/strongroom'],
  ['apps/console'],
  ['apps/server'],
  ['apps/cli'],
];

/**
 * Those that may import less than everything below them. A package's subpath is named like `packages/audit-log/verify`. The client may
 * also import types, and nothing else, from the `wire` subpath of a room: they say what goes over the wire, and are gone at run time.
 */
const narrow: Readonly<Record<string, readonly string[]>> = {
  'packages/client': ['packages/kernel', 'packages/sealing', 'packages/audit-log/verify'],
  'apps/server': ['apps/console', 'packages/strongroom', 'packages/fastify', 'packages/kernel'],
  'apps/cli': [
    'packages/strongroom',
    'packages/client',
    'packages/sealing',
    'packages/kernel',
    'packages/encryption',
    'packages/backup',
    'packages/audit-log',
    'packages/audit-log/verify',
    'packages/audit-log/tile-folder',
    'apps/server/options',
    'apps/server/tls',
  ],
  'apps/console': ['packages/client', 'packages/sealing', 'packages/kernel', 'packages/audit-log/verify'],
};

/** Run in browsers too: Node's own modules only in files whose name ends in `-node.ts`. */
const portable = new Set(['packages/kernel', 'packages/sealing', 'packages/client']);

/** An entry that browsers load though the rest of its package needs Node. */
const portableEntries = new Set(['packages/audit-log/src/verify.ts']);

export interface ImportEdge {
  /** Relative to the root, as is `to`, which for a module of Node or npm is its name. */
  readonly from: string;
  readonly to: string;
  /** As written in the import. */
  readonly specifier: string;
  readonly kind: 'file' | 'node' | 'npm' | 'unresolved';
  readonly typeOnly: boolean;
}

/** The package or app that a file belongs to; `tools/…` for the helpers of tests. */
const packageOf = (path: string): string | undefined => /^(?:packages|apps|tools)\/[^/]+/.exec(path)?.[0];
const floorOf = (folder: string): number => floors.findIndex((floor) => floor.includes(folder));
const isForNode = (path: string): boolean => /-node\.tsx?$/.test(path);

/** Why an import may not be, or `undefined`. Test files are free to import from any floor, through its front door. */
export function forbidden(edge: ImportEdge): string | undefined {
  const { from, to, specifier } = edge;
  const own = packageOf(from);
  if (own === undefined || own.startsWith('tools/')) return undefined;
  const inTest = isTestFile(from);
  // The address of a file that Vite bundles on its own, not an import of it.
  if (edge.kind === 'unresolved' && specifier.endsWith('?worker&url')) return undefined;
  if (edge.kind === 'unresolved') return 'cannot be resolved, so nobody knows what it imports';
  if (edge.kind === 'node') {
    if (!inTest && portable.has(own) && !isForNode(from))
      return `${own} runs in browsers: Node's modules only in *-node.ts`;
    return undefined;
  }
  if (edge.kind === 'npm') return undefined;
  const other = packageOf(to);
  if (other === own) return inTest ? undefined : forbiddenInside(own, edge);
  if (specifier.startsWith('.') || specifier.startsWith('/'))
    return 'reaches into another package; import it by its name';
  return inTest || other === undefined ? undefined : forbiddenBetween(own, other, edge);
}

function forbiddenInside(own: string, { from, to, specifier, typeOnly }: ImportEdge): string | undefined {
  if (to === `${own}/src/index.ts`) return "imports its own package's index.ts; import the file";
  const chosenByRuntime = specifier.startsWith('#');
  if (portable.has(own) && isForNode(to) && !isForNode(from) && !typeOnly && !chosenByRuntime) {
    return `${own} runs in browsers: a *-node.ts file is reached through a conditional "#" import`;
  }
  return undefined;
}

function forbiddenBetween(own: string, other: string, { specifier, typeOnly }: ImportEdge): string | undefined {
  if (other.startsWith('tools/')) return 'only tests may import tools';
  const [ownFloor, otherFloor] = [floorOf(own), floorOf(other)];
  if (ownFloor < 0) return `${own} stands on no floor; give it one in tools/internal/floors.ts`;
  if (otherFloor < 0) return `${other} stands on no floor; give it one in tools/internal/floors.ts`;
  if (otherFloor === ownFloor) return `${other} stands on the same floor`;
  if (otherFloor > ownFloor) return `${other} stands above ${own}`;
  const allowed = narrow[own];
  if (allowed === undefined) return undefined;
  const subpath = specifier.split('/').slice(2).join('/');
  if (own === 'packages/client' && subpath === 'wire' && typeOnly) return undefined;
  if (!allowed.includes(other) && !allowed.includes(`${other}/${subpath}`))
    return `${own} may import only ${allowed.join(', ')}`;
  return undefined;
}

/** Where a browser comes in. */
const isPortableEntry = (path: string): boolean =>
  portableEntries.has(path) || (portable.has(packageOf(path) ?? '') && !isTestFile(path) && !isForNode(path));

/**
 * Imports of Node's modules in files that a browser would load: reached at run time from portable code, except through
 * conditional "#" imports, which resolve to something else there.
 */
export function nodeInBrowsers(edges: readonly ImportEdge[]): readonly ImportEdge[] {
  const atRunTime = edges.filter(({ typeOnly, specifier }) => !typeOnly && !specifier.startsWith('#'));
  const reached = new Set(atRunTime.map(({ from }) => from).filter(isPortableEntry));
  for (const file of reached) {
    for (const { from, to, kind } of atRunTime) if (from === file && kind === 'file') reached.add(to);
  }
  return atRunTime.filter(({ from, kind }) => kind === 'node' && reached.has(from));
}
