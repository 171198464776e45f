/** What travels between clients and this room. */
import { isUuid, type Uuid } from '@strongroom/kernel';
import { z } from 'zod';

/** Members of one page. */
export const PAGE_ITEMS = 100;

const id: z.ZodType<Uuid, string> = z.string().refine(isUuid, 'Expected a lower-case UUID of version 7.');

/** `cursor` is the `next` of the page before. */
export const memberQuery = z.strictObject({ cursor: id.optional() });

export const member = z.strictObject({
  account: id,
  /** Null when the account's room does not know the account. */
  displayName: z.string().nullable(),
  role: z.string(),
});
export const memberList = z.strictObject({ items: z.array(member), next: z.string().nullable() });

export type Member = z.output<typeof member>;
export type MemberList = z.output<typeof memberList>;
