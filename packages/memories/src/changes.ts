/** The change feed: how a client keeps its sealed copy of a space up to date without reading everything again. */
import { audited, inSpace } from '@strongroom/pipeline';
import { changeAnswer } from './internal/answers.ts';
import { pageLimit } from './internal/limits.ts';
import { listChanges } from './internal/read.ts';
import { defineRoute } from './internal/routes.ts';
import { DEFAULT_PAGE_ITEMS, changes, changesQuery, spacePath } from './wire.ts';

const list = defineRoute({
  method: 'GET',
  path: '/v1/spaces/{space}/changes',
  summary: 'What changed in a space after a sequence, in the order of commits: each memory once, in its current state',
  input: { path: spacePath, query: changesQuery },
  output: changes,
  access: inSpace('memory.read'),
  assurance: 'session',
  limit: [pageLimit],
  audit: audited('memory.changes-listed'),
  async handler(call) {
    const { tenant } = call.account();
    const { space } = call.path;
    const { after = 0, limit = DEFAULT_PAGE_ITEMS } = call.query;
    call.record({ object: { type: 'space', id: space } });
    const { rows, more, sequence } = await listChanges(
      call.services.encryption,
      call.transaction,
      { tenant, space },
      { after, limit },
    );
    const subjects = [...new Set(rows.map((row) => row.author).filter((author) => author !== null))];
    call.record({ subjects, details: { count: rows.length } });
    const next = more ? String(rows.at(-1)!.sequence) : null;
    return { body: { items: rows.map(changeAnswer), next, sequence } };
  },
});

export const changeRoutes = [list];
