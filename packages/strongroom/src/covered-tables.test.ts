import { describe, expect, it } from 'vitest';
import { coveredTables, uncoveredTables } from './covered-tables.ts';
import { rooms } from './rooms.ts';

const declared = new Map(rooms.flatMap(({ dataMap }) => Object.entries(dataMap ?? {})));

describe('the tables of all rooms', () => {
  it('are each covered, or it is said why not', () => {
    const named = [...Object.keys(coveredTables), ...Object.keys(uncoveredTables)];
    expect(named.toSorted()).toEqual([...declared.keys()].toSorted());
  });

  it('count with each column, or it is said why not', () => {
    for (const [table, { key, columns, free = {} }] of Object.entries(coveredTables)) {
      const named = [...columns, ...Object.keys(free)];
      expect(named.toSorted(), table).toEqual(Object.keys(declared.get(table)!.columns).toSorted());
      expect(columns, table).toEqual(expect.arrayContaining([...key]));
    }
  });

  it('hold nothing in clear about anybody that changes without an event, but when they were here', () => {
    const free = Object.entries(coveredTables).flatMap(([table, { free: columns = {} }]) =>
      Object.keys(columns).flatMap((column) => {
        const { kind } = declared.get(table)!.columns[column]!;
        return kind === 'operational' ? [] : [`${table}.${column}`];
      }),
    );
    expect(free).toEqual(['sessions.last_seen_at']);
  });
});
