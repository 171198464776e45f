import { defineDataMap, operational, personal, secret, subject } from '@strongroom/kernel';

const PURPOSE = 'Letting the account holder sign in and recognise their account';

const emailIndex = personal({
  category: 'user.contact.email',
  subject: 'id',
  purpose: PURPOSE,
  lawfulBasis: 'contract',
  retention: 'until the account is deleted',
  protection: 'hashed',
});

export const dataMap = defineDataMap({
  accounts: {
    scope: 'installation',
    columns: {
      id: subject,
      email: personal({
        category: 'user.contact.email',
        subject: 'id',
        purpose: PURPOSE,
        lawfulBasis: 'contract',
        retention: 'until the account is deleted',
        protection: 'encrypted',
        blindIndex: 'email_index',
      }),
      email_index: emailIndex,
      // The other column of the index while it is being rotated; the two change roles each time.
      email_index_next: emailIndex,
      display_name: personal({
        category: 'user.name',
        subject: 'id',
        purpose: PURPOSE,
        lawfulBasis: 'contract',
        retention: 'until the account is deleted',
        protection: 'encrypted',
      }),
      verifier: secret('hashed'),
      recovery_verifier: secret('hashed'),
      salt: secret('clear'),
      parameters: operational,
      public_key: operational,
      // Sealed by the client already. Encrypted once more, because a wrap under the password is what guesses could be tested
      // against: a copy of the database alone must not be enough for that.
      private_key: secret('encrypted'),
      account_key_by_password: secret('encrypted'),
      account_key_by_recovery: secret('encrypted'),
      created_at: operational,
    },
  },
  sessions: {
    scope: 'installation',
    columns: {
      id: operational,
      account_id: subject,
      tenant_id: operational,
      token_hash: secret('hashed'),
      transport: operational,
      device_name: personal({
        category: 'user.device',
        subject: 'account_id',
        purpose: 'Letting the account holder tell their sessions apart',
        lawfulBasis: 'contract',
        retention: 'until the session ends',
        protection: 'encrypted',
      }),
      created_at: operational,
      last_seen_at: personal({
        category: 'user.behavior',
        subject: 'account_id',
        purpose: 'Ending sessions that are no longer used and showing the account holder which are',
        lawfulBasis: 'contract',
        retention: 'until the session ends',
        protection: 'clear',
      }),
      idle_expires_at: operational,
      expires_at: operational,
      reauthenticated_until: operational,
    },
  },
  invitations: {
    scope: 'installation',
    columns: {
      id: operational,
      tenant_id: operational,
      role: operational,
      invited_by: subject,
      secret_hash: secret('hashed'),
      created_at: operational,
      expires_at: operational,
    },
  },
  deleted_accounts: {
    scope: 'installation',
    columns: { account_id: subject, deleted_at: operational },
  },
});
