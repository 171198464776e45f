/** What travels between clients and this room. */
import { isUuid, type Uuid } from '@strongroom/kernel';
import { z } from 'zod';
import { roles } from './roles.ts';

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
  /** Algorithm byte and public key, base64url; null when the account's room does not know the account. */
  publicKey: z.string().nullable(),
});
export const memberList = z.strictObject({ items: z.array(member), next: z.string().nullable() });

export const memberPath = z.strictObject({ account: id });
export const roleChange = z.strictObject({ role: z.enum(roles) });
/** How many spaces in which nobody else is would end with the person: to be named, so that nobody deletes them unawares. */
export const removalQuery = z.strictObject({
  endingSpaces: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,5})$/, 'Expected a decimal number.')
    .transform(Number)
    .optional(),
});
export const removal = z.strictObject({ account: id, endedSpaces: z.int(), inheritedSpaces: z.int() });

export type RoleChange = z.input<typeof roleChange>;
export type Removal = z.output<typeof removal>;
export type Member = z.output<typeof member>;
export type MemberList = z.output<typeof memberList>;
