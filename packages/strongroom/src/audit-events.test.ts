/** Every audit event that any room may write: what it is, and that its export is valid OCSF. */
import { catalogue, ocsfEvent } from '@strongroom/audit-log';
import type { EventColumns } from '@strongroom/audit-log/verify';
import { newUuid } from '@strongroom/kernel';
import { corpora, figure, needs } from '@strongroom/testing';
import { ocsfValidator, plainEvent } from '@strongroom/testing/ocsf';
import { describe, expect, it } from 'vitest';
import { rooms } from './rooms.ts';
import { VERSION } from './version.ts';

const events = catalogue(rooms);
const person = newUuid();

const event = (type: string, changes: Partial<EventColumns>): EventColumns => ({
  ...plainEvent(newUuid),
  type,
  ...changes,
});

describe('the audit events of all rooms', () => {
  it('are of every kind that there is work for', () => {
    const classes = new Set([...events.values()].map((one) => one.class));
    expect([...classes]).toEqual(
      expect.arrayContaining([
        'sign-in',
        'security',
        'permission',
        'data-access',
        'data-change',
        'policy',
        'administration',
      ]),
    );
  });

  it('keep what shows an attack, a permission or a policy as long as security needs it', () => {
    for (const [type, declaration] of events) {
      if (['sign-in', 'security', 'permission', 'policy'].includes(declaration.class)) {
        expect(declaration.retention, type).toBe('security');
      }
    }
  });

  it.skipIf(!needs('corpora:ocsf'))('are exported as valid OCSF, whoever acts and however it ends', () => {
    const validate = ocsfValidator(corpora('ocsf')!);
    const address = { salt: new Uint8Array(32), value: '203.0.113.0/24' };
    const options = { events, program: VERSION, origin: 'strongroom/test' };
    let count = 0;
    for (const type of events.keys()) {
      const variants: readonly Partial<EventColumns>[] = [
        {},
        { actorKind: 'account', actor: person, sessionId: newUuid(), subjects: [person] },
        { actorKind: 'account', actor: person, objectType: 'account', objectId: person, details: '{"role":"admin"}' },
        { outcome: 'denied', reason: 'pipeline.forbidden', objectType: 'space', objectId: newUuid() },
        { actorKind: 'operator', actorVia: 'command-line', tenantId: null, outcome: 'failure', reason: 'x.y' },
        { actorKind: 'system', actorVia: 'some.job', tenantId: null },
      ];
      for (const [index, changes] of variants.entries()) {
        const addressPrefix = index % 2 === 0 ? null : address;
        const exported = ocsfEvent(
          { index, leafHash: new Uint8Array(32), event: event(type, changes), addressPrefix },
          options,
        );
        expect(validate(exported), `${type}: ${JSON.stringify(exported)}`).toEqual([]);
        expect(exported).toMatchObject({ message: events.get(type)!.title });
        count += 1;
      }
    }
    figure(`${events.size} event types, ${count} OCSF events valid`);
  });
});
