import { catalogue } from '@strongroom/audit-log';
import { auditEventClasses } from '@strongroom/kernel';
import { rooms } from 'strongroom';
import { describe, expect, it } from 'vitest';
import { auditQuery, FIRST_FILTER, isBackwards, isFirst, NO_FILTER, SHOWABLE } from './audit-filter.ts';

/** Types of events that are found by the choice, outcomes aside. */
function shown(show: (typeof SHOWABLE)[number]): string[] {
  const { class: wanted } = auditQuery({ ...FIRST_FILTER, show });
  const events = [...catalogue(rooms)];
  return events.flatMap(([type, declared]) => (wanted === undefined || wanted.includes(declared.class) ? [type] : []));
}

describe('what is shown of the audit log', () => {
  it('is at first what people did, without what the application reads all the time', () => {
    const first = shown('changes');
    expect(first).toEqual(expect.arrayContaining(['session.created', 'memory.created', 'space.shared']));
    for (const polled of ['space.listed', 'memory.changes-listed', 'memory.listed', 'audit.searched', 'audit.read']) {
      expect(first, polled).not.toContain(polled);
      expect(shown('reading'), polled).toContain(polled);
    }
    expect([...first, ...shown('reading')].toSorted()).toEqual(shown('everything').toSorted());
  });

  it('can be those who come in and what they may do', () => {
    const access = shown('access');
    expect(access).toEqual(expect.arrayContaining(['session.created', 'account.created', 'member.role-changed']));
    expect(access).not.toContain('memory.created');
  });

  it('asks for nothing more than what was chosen', () => {
    expect(auditQuery(NO_FILTER)).toEqual({});
    expect(auditQuery({ ...NO_FILTER, show: 'unsuccessful' })).toEqual({ outcome: ['denied', 'failure'] });
    const object = { id: 'o', name: 'memory o' };
    expect(auditQuery({ ...NO_FILTER, person: 'p', object })).toEqual({ actor: 'p', object: 'o' });
    const classes = SHOWABLE.flatMap((show) => auditQuery({ ...FIRST_FILTER, show }).class ?? []);
    expect(auditEventClasses).toEqual(expect.arrayContaining(classes));
  });

  it('takes both days whole, in the person’s time zone, and leaves days alone that are still being typed', () => {
    const query = auditQuery({ ...NO_FILTER, from: '2026-11-20', until: '2026-11-30' });
    expect(query).toEqual({
      from: new Date(2026, 10, 20).toISOString(),
      to: new Date(2026, 11, 1).toISOString(),
    });
    for (const from of ['', '0002-11-20', '0202-11-20', '2026-11'])
      expect(auditQuery({ ...NO_FILTER, from })).toEqual({});
  });

  it('knows days in the wrong order, and what is nothing but the beginning', () => {
    const days = (from: string, until: string) => isBackwards({ ...FIRST_FILTER, from, until });
    expect(days('2026-11-22', '2026-11-21')).toBe(true);
    expect(days('2026-11-22', '2026-11-22')).toBe(false);
    expect(days('2026-11-22', '')).toBe(false);
    expect(days('', '2026-11-22')).toBe(false);
    expect(isFirst({ ...FIRST_FILTER })).toBe(true);
    expect(isFirst(NO_FILTER)).toBe(false);
    expect(isFirst({ ...FIRST_FILTER, until: '2026-11-22' })).toBe(false);
  });
});
