/** Every class and activity that a manifest may name, for every kind of actor, against the schema; and a validator that can fail. */
import { newUuid, type OcsfActivity } from '@strongroom/kernel';
import { corpora, figure, needs } from '@strongroom/testing';
import { ocsfValidator, plainEvent, type OcsfValidator } from '@strongroom/testing/ocsf';
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from './catalogue.ts';
import type { EventColumns } from './entry.ts';
import { ocsfActivities } from './internal/ocsf-classes.ts';
import type { LogEntry } from './log-source.ts';
import { ocsfEvent } from './ocsf.ts';

const typeOf = (activity: OcsfActivity): string => activity.replace('/', '.');
const events = catalogue([
  {
    name: 'everything',
    auditEvents: Object.fromEntries(
      ocsfActivities.map((ocsf) => [typeOf(ocsf), { title: ocsf, class: 'policy', retention: 'security', ocsf }]),
    ),
  },
]);
const options = { events, program: '0.1.0', origin: 'strongroom/test' };

const actors: Readonly<Record<string, Partial<EventColumns>>> = {
  account: { actorKind: 'account', actor: newUuid(), sessionId: newUuid() },
  anonymous: { actorKind: 'anonymous' },
  operator: { actorKind: 'operator', actorVia: 'administrator-socket', tenantId: null },
  system: { actorKind: 'system', actorVia: 'audit-log.redaction', tenantId: null },
};

function entry(changes: Partial<EventColumns> = {}, addressPrefix: LogEntry['addressPrefix'] = null): LogEntry {
  const event: EventColumns = { ...plainEvent(newUuid), type: 'datastore-activity.create', ...changes };
  return { index: 7, leafHash: new Uint8Array(32), event, addressPrefix };
}

const prefix = { salt: new Uint8Array(32), value: '2001:db8:1::/48' };

/** Sparse and full events of each activity. */
function* entries(): Iterable<LogEntry> {
  for (const activity of ocsfActivities) {
    const type = typeOf(activity);
    for (const actor of Object.values(actors)) {
      yield entry({ ...actor, type });
      yield entry({ ...actor, type, outcome: 'denied', reason: 'pipeline.forbidden', subjects: [newUuid()] }, prefix);
      const object = { objectType: 'account', objectId: newUuid() };
      yield entry({ ...actor, ...object, type, outcome: 'failure', details: '{"before":null,"role":"admin"}' }, prefix);
      yield entry({ ...actor, type, objectType: 'space', objectId: null, details: '{"role":3}' }, prefix);
    }
  }
}

describe.skipIf(!needs('corpora:ocsf'))('exported events', () => {
  let validate: OcsfValidator;
  beforeAll(() => {
    validate = ocsfValidator(corpora('ocsf')!);
  });

  it('are valid in every class and activity that a manifest can name', () => {
    let count = 0;
    for (const one of entries()) {
      const event = ocsfEvent(one, options);
      expect(validate(event), JSON.stringify(event)).toEqual([]);
      count += 1;
    }
    expect(count).toBe(ocsfActivities.length * 16);
    figure(`${count} OCSF events of ${ocsfActivities.length} activities valid`);
  });

  it('of an unknown type, or with details that are no JSON, are valid as well', () => {
    for (const one of [entry({ type: 'gone.since' }), entry({ details: 'no JSON' })]) {
      expect(validate(ocsfEvent(one, options))).toEqual([]);
    }
    expect(ocsfEvent(entry({ type: 'gone.since' }), options)).toMatchObject({
      class_uid: 6003,
      activity_id: 99,
      activity_name: 'gone.since',
    });
  });

  describe('are refused by the validator', () => {
    const logon = (): Record<string, unknown> => {
      const one = entry({ ...actors['account'], type: 'authentication.logon', tenantId: newUuid() }, prefix);
      return { ...structuredClone(ocsfEvent(one, options)) };
    };
    const inside = (path: string, change: (of: Record<string, unknown>) => void) => {
      const event = logon();
      change(event[path] as Record<string, unknown>);
      return event;
    };

    it('not as they are', () => expect(validate(logon())).toEqual([]));

    it.each(['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid', 'user'])(
      'without %s, which is required',
      (name) => {
        const { [name]: _, ...rest } = logon();
        expect(validate(rest)).not.toEqual([]);
      },
    );

    const sabotage: readonly (readonly [string, () => unknown, string])[] = [
      ['that are no object', () => [], 'not an object'],
      ['of an unknown class', () => ({ ...logon(), class_uid: 3999 }), 'class_uid'],
      ['of a deprecated class', () => ({ ...logon(), class_uid: 3001, type_uid: 300_101 }), 'deprecated'],
      ['of another category', () => ({ ...logon(), category_uid: 6 }), 'category_uid'],
      ['with a type that is not that of the activity', () => ({ ...logon(), type_uid: 300_202 }), 'type_uid'],
      ['with an unknown attribute', () => ({ ...logon(), note: 'x' }), 'note: no such attribute'],
      ['with an unknown attribute inside', () => inside('metadata', (of) => (of['note'] = 'x')), 'metadata.note'],
      [
        'with a required attribute missing inside',
        () => inside('metadata', (of) => delete of['product']),
        'metadata.product',
      ],
      ['with text for a number', () => ({ ...logon(), time: '2026' }), 'time: not a timestamp_t'],
      ['with a number for text', () => inside('metadata', (of) => (of['uid'] = 7)), 'metadata.uid: not a string_t'],
      [
        'with one value for an array',
        () => inside('metadata', (of) => (of['labels'] = 'x')),
        'metadata.labels: not an array',
      ],
      ['with an object for text', () => ({ ...logon(), message: {} }), 'message: not a string_t'],
      ['with text for an object', () => ({ ...logon(), user: 'somebody' }), 'user: not an object'],
      ['with a fraction', () => ({ ...logon(), time: 1.5 }), 'time: not a timestamp_t'],
      ['with a severity that does not exist', () => ({ ...logon(), severity_id: 7 }), 'severity_id: not one of'],
      [
        'with an activity of another class',
        () => ({ ...logon(), activity_id: 19, type_uid: 300_219 }),
        'activity_id: not one of',
      ],
      ['with another caption', () => ({ ...logon(), severity: 'Fatal' }), 'severity is not'],
      ['with 99 and no name', () => ({ ...logon(), status_id: 99, status: undefined }), '99 needs status'],
      ['without one of service and destination', () => ({ ...logon(), service: undefined }), 'at least one of service'],
      ['with a user without id and name', () => ({ ...logon(), user: { type_id: 0 } }), 'user.: at least one of'],
      [
        'with an address that is none',
        () => ({ ...logon(), src_endpoint: { ip: 'somewhere' } }),
        'does not look like a ip_t',
      ],
      [
        'with a port out of range',
        () => ({ ...logon(), src_endpoint: { name: 'x', port: 70_000 } }),
        'port: out of range',
      ],
      [
        'with what belongs to a profile they do not name',
        () => ({ ...logon(), cloud: { provider: 'x' } }),
        'cloud: no such attribute',
      ],
    ];
    it.each(sabotage)('%s', (_, sabotaged, expected) => {
      expect(validate(JSON.parse(JSON.stringify(sabotaged()))).join('; ')).toContain(expected);
    });
  });
});

describe('the export', () => {
  it('names people by pseudonym, networks by prefix, and when, what and whether', () => {
    const one = entry(
      { ...actors['account'], type: 'user-management.assign-roles', details: '{"role":"admin"}' },
      prefix,
    );
    const { event } = one as LogEntry & { event: EventColumns };
    expect(ocsfEvent(one, options)).toMatchObject({
      class_uid: 3007,
      type_uid: 300_716,
      time: 1_790_000_000_123,
      status: 'Success',
      actor: { user: { uid: event.actor }, session: { uid: event.sessionId } },
      src_endpoint: { subnet_uid: '2001:db8:1::/48' },
      iam_roles: [{ name: 'admin' }],
      metadata: { uid: event.eventId, sequence: 7, correlation_uid: event.requestId, tenant_uid: event.tenantId },
    });
  });

  it('leaves out what the reader may not see', () => {
    expect(ocsfEvent({ ...entry(), event: 'withheld' }, options)).toBeNull();
    expect(ocsfEvent({ ...entry(), event: 'missing' }, options)).toBeNull();
  });
});
