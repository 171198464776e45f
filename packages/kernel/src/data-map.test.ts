import { describe, expect, it } from 'vitest';
import { defineDataMap, operational, personal, subject } from './data-map.ts';

const email = {
  category: 'user.contact.email',
  subject: 'id',
  purpose: 'sign-in',
  lawfulBasis: 'contract',
  retention: 'until the account is deleted',
  protection: 'encrypted',
} as const;

describe('data map', () => {
  it('accepts references that exist', () => {
    const map = defineDataMap({
      accounts: {
        scope: 'installation',
        columns: { id: subject, email: personal({ ...email, blindIndex: 'email_index' }), email_index: operational },
      },
    });
    expect(Object.keys(map.accounts.columns)).toEqual(['id', 'email', 'email_index']);
  });

  it('refuses a subject that is not one, naming the column', () => {
    expect(() =>
      defineDataMap({ accounts: { scope: 'installation', columns: { id: operational, email: personal(email) } } }),
    ).toThrow('accounts.email names "id"');
  });

  it('refuses an undeclared blind index and a tenant table without tenant', () => {
    expect(() =>
      defineDataMap({
        accounts: {
          scope: 'installation',
          columns: { id: subject, email: personal({ ...email, blindIndex: 'email_index' }) },
        },
      }),
    ).toThrow('undeclared blind index "email_index"');
    expect(() => defineDataMap({ spaces: { scope: 'tenant', columns: { id: operational } } })).toThrow('no tenant_id');
  });
});
