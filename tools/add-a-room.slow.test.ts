/** docs/guides/add-a-room.md, followed in a copy of the room it speaks of: its fragments compile, serve and are refused as it says. */
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases, type TestEngine } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { compiler } from './internal/check-commands.ts';
import { edit, write } from './internal/fixture.test-support.ts';
import { runCommand, toolsRoot } from './internal/step.ts';

const guide = readFileSync(join(toolsRoot, 'docs/guides/add-a-room.md'), 'utf8');
const [route = '', event = '', ...more] = [...guide.matchAll(/^ *```ts\n([^]*?)^ *```$/gm)].map(([, block]) => block!);

/** What the guide leaves to its reader. */
const pin = `import type { Transaction } from '@strongroom/storage';
import { MemoriesError } from '../errors.ts';
import { tables } from './tables.ts';
export async function pin(transaction: Transaction, { memory }: { readonly memory: string }): Promise<void> {
  const found = await tables(transaction).selectFrom('memories').select('id').where('id', '=', memory as never).execute();
  if (found.length === 0) throw new MemoriesError('memories.not-found');
}
`;

/** The room of memories with the route, and with the event unless it is forgotten. */
function room({ isForgotten = false } = {}): string {
  const root = temporaryFolder();
  cpSync(join(toolsRoot, 'packages/memories/src'), join(root, 'src'), { recursive: true });
  symlinkSync(join(toolsRoot, 'node_modules'), join(root, 'node_modules'));
  write(root, {
    'package.json': '{"type": "module"}',
    'tsconfig.json': `{"extends": "${toolsRoot}/tsconfig.json", "include": ["src/pins*.ts", "src/manifest.ts"]}`,
    'src/internal/pin.ts': pin,
    'src/pins.ts': route,
  });
  edit(root, 'src/manifest.ts', 'routes: [', 'routes: [pinMemory, ');
  edit(root, 'src/manifest.ts', 'import ', "import { pinMemory } from './pins.ts';\nimport ");
  if (!isForgotten) edit(root, 'src/manifest.ts', 'auditEvents: {', `auditEvents: {\n${event}`);
  return root;
}

interface Person {
  readonly account: string;
}

interface House {
  founder(): Promise<Person>;
  current(person: Person): Person;
  member(inviter: Person, role: 'member', email: string): Promise<Person>;
  space(owner: Person): Promise<string>;
  remember(author: Person, space: string): Promise<{ readonly id: string }>;
  send(person: Person, request: string): Promise<{ readonly status: number; readonly body: unknown }>;
  events(type: string): Promise<readonly { readonly outcome: string; readonly objectId: string | null }[]>;
}

/** The room in its house: pipeline, roles, limits and audit log, as its own tests have it. */
async function open(root: string, engine: TestEngine): Promise<House> {
  const { House, manifests } = (await import(join(root, 'src/house.test-support.ts'))) as {
    readonly House: { open(database: unknown): Promise<House> };
    readonly manifests: Parameters<TestEngine['open']>[0];
  };
  return House.open(await engine.open(manifests));
}

it('has the fragments that are tried here', () => {
  expect(route).toContain('export const pinMemory = defineRoute({');
  expect(event).toMatch(/^ *'memory\.pinned': \{/);
  expect(more).toEqual([]);
});

it('compiles, and not without any of the four', async () => {
  const root = room();
  const needed = ['access', 'assurance', 'limit', 'audit'];
  for (const name of needed) {
    write(root, { [`src/pins-without-${name}.ts`]: route.replace(new RegExp(`^ *${name}: .*\n`, 'm'), '') });
  }
  const { output } = await runCommand(process.execPath, [compiler, '--noEmit', '-p', root], { cwd: root });
  const errors = output.split('\n').filter((line) => line.includes('error TS'));
  const broken = new Set(errors.map((line) => line.split('(')[0]));
  expect(broken, output).toEqual(new Set(needed.map((name) => `src/pins-without-${name}.ts`)));
  for (const name of needed) expect(output).toContain(`'${name}' is missing`);
  figure(`the route of the guide compiles, and with any of ${needed.length} declarations left out does not`);
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    it('serves who may, refuses who may not, and is in the audit log', async () => {
      const house = await open(room(), engine);
      const founder = await house.founder();
      const other = await house.member(founder, 'member', 'ben@example.org');
      const owner = house.current(founder);
      const space = await house.space(owner);
      const { id } = await house.remember(owner, space);
      const request = `PUT /v1/spaces/${space}/memories/${id}/pin`;
      expect(await house.send(owner, request)).toMatchObject({ status: 204 });
      expect(await house.send(other, request)).toMatchObject({ status: 404 });
      expect(await house.events('memory.pinned')).toMatchObject([
        { outcome: 'success', objectId: id },
        { outcome: 'denied', objectId: null },
      ]);
    });

    it('does not boot when its event is forgotten, and says which', async () => {
      await expect(open(room({ isForgotten: true }), engine)).rejects.toThrow(
        expect.objectContaining({
          code: 'pipeline.invalid-routes',
          detail: expect.stringContaining('memory.pinned') as string,
        }),
      );
    });
  });
}
