import { renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { newUuid } from '@strongroom/kernel';
import { routeInventory } from '@strongroom/pipeline';
import { asSystem, openDatabase } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Strongroom, createStrongroom } from './create-strongroom.ts';
import { verifyAuditLog } from './operator.ts';
import { rooms, routes } from './rooms.ts';
import { VERSION } from './version.ts';

const quiet = { request: () => {}, failure: () => {}, jobFinished: () => {} };
const code = (expected: string) => expect.objectContaining({ code: expected });

const engines = databases();
for (const engine of engines)
  describe.skipIf(!engine.available)(`the composition on ${engine.name}`, () => {
    let strongroom: Strongroom;

    beforeAll(async () => {
      const data = temporaryFolder();
      const location = await engine.fresh();
      if (location.kind === 'folder') renameSync(location.path, path.join(data, 'database'));
      const onServer = location.kind === 'postgresql' && { database: location };
      strongroom = await createStrongroom({ data, ...onServer, durability: 'relaxed', log: quiet });
    });
    afterAll(() => strongroom.close());

    it('has one version, the one in package.json', async () => {
      const { version } = JSON.parse(await readFile(path.join(import.meta.dirname, '../package.json'), 'utf8')) as {
        version: string;
      };
      expect(VERSION).toBe(version);
    });

    it('has an error of its own for a log in which nothing was recorded yet', async () => {
      await expect(verifyAuditLog(strongroom.services, {})).rejects.toThrow(code('strongroom.log-empty'));
      const { auditLog, clock, database } = strongroom.services;
      const context = {
        requestId: newUuid(clock.now()),
        actor: { kind: 'operator', via: 'command-line' },
        addressPrefix: null,
        receivedAt: clock.now(),
      } as const;
      const event = { type: 'audit.read', outcome: 'success', context, tenant: null, object: null } as const;
      await database.transaction(asSystem, (transaction) =>
        auditLog.append(transaction, { ...event, subjects: [], details: {} }),
      );
      expect(await verifyAuditLog(strongroom.services, {})).toMatchObject({ ok: true, size: 1 });
    });

    it('describes every route but the operator’s in the OpenAPI document', () => {
      const document = strongroom.services.openApiDocument() as { paths: Record<string, Record<string, unknown>> };
      const described = Object.entries(document.paths).flatMap(([template, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${template}`),
      );
      const declared = routes
        .filter(({ access }) => access.kind !== 'operator')
        .map(({ method, path: template }) => `${method} ${template}`);
      expect(described.toSorted()).toEqual(declared.toSorted());
      expect(described).not.toContain('POST /operator/audit/verification');
    });

    it('lists each route with who may call it, and no unsafe one that is public without a reason', () => {
      const inventory = routeInventory(routes);
      expect(inventory).toHaveLength(routes.length);
      for (const { access } of routes) {
        if (access.kind === 'public') expect(access.reason.length).toBeGreaterThan(20);
      }
    });

    it('gives a new set-up token at each call while there is no account', async () => {
      const first = await strongroom.setupToken();
      const second = await strongroom.setupToken();
      expect(first).not.toBeNull();
      expect(second).not.toBe(first);
    });

    it('hides the operator’s routes from everybody else', async () => {
      const route = routes.find(({ path: template }) => template === '/operator/status')!;
      const request = {
        method: 'GET',
        path: '/operator/status',
        parameters: {},
        query: new URLSearchParams(),
        headers: { host: 'localhost' },
        clientAddress: '127.0.0.1',
        secure: false,
        body: () => Promise.resolve(new Uint8Array()),
        signal: new AbortController().signal,
      } as const;
      expect((await strongroom.pipeline.handle(route, request)).status).toBe(404);
      expect((await strongroom.operatorPipeline.handle(route, request)).status).toBe(200);
    });
  });

describe('the data map', () => {
  it('must name every column: one that is left out stops the start', async () => {
    const withGap = rooms.map((room) => {
      if (room.name !== 'memories' || room.dataMap === undefined) return room;
      const [table, declaration] = Object.entries(room.dataMap)[0]!;
      const { [Object.keys(declaration.columns).at(-1)!]: _left, ...columns } = declaration.columns;
      return { ...room, dataMap: { ...room.dataMap, [table]: { ...declaration, columns } } };
    });
    await expect(openDatabase(await engines[0]!.fresh(), withGap)).rejects.toThrow(code('storage.undeclared-column'));
  });
});
