/** The sentences about an account's life: password, recovery, address, the end. German in account.de.ts. */

const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

export const accountEn = {
  life: {
    signingIn: 'Signing in',
    password: 'Change password',
    passwordLead: 'Another lock for the same key',
    recoveryCode: 'New recovery code',
    recoveryCodeLead: 'When the printed one is lost, or somebody saw it',
    email: 'Change e-mail address',
    sessions: 'Sessions',
    sessionsLead: 'Where you are signed in',
    end: 'Leaving',
    delete: 'Delete account',
    deleteLead: 'Shows first what would go, and asks before it does',
  },
  password: {
    title: 'Change password',
    lead: 'Your memories are not sealed again: only the key to them gets another lock. Everywhere else you are signed in, that session ends.',
    current: 'Present password',
    next: 'New password',
    wrong: 'That is not your present password. Nothing was changed.',
    same: 'That is your present password. Choose another one.',
    submit: 'Change password',
    busy: 'Changing the lock',
    done: 'Your password is changed. All other sessions have ended.',
    code: 'Your recovery code stays the same.',
  },
  recoveryCode: {
    title: 'New recovery code',
    lead: 'You get another recovery kit to print or save. Your password, your sessions and your memories stay as they are.',
    password: 'Your password',
    old: 'The code you have now stops working the moment the new one is shown.',
    wrong: 'That is not your password. Nothing was changed.',
    submit: 'Make a new code',
    busy: 'Making the code',
    kitTitle: 'Your new recovery kit',
    kitLead:
      'The old code no longer works: this one takes its place, and is shown this once. Print it, or save it somewhere that is not this computer, and throw the old kit away.',
    kitDone: 'Back to my account',
  },
  email: {
    title: 'Change e-mail address',
    lead: 'You sign in with it. Nothing is sent to it, and your keys do not change.',
    present: 'Present address',
    next: 'New e-mail address',
    confirm: 'Your password',
    same: 'That is your present address.',
    submit: 'Change address',
    busy: 'Changing',
    done: (email: string) => `You sign in as ${email} from now on.`,
    back: 'Change it back',
    kit: 'Your recovery code stays the same. Write the new address on your kit: recovering asks for it.',
    taken: 'There is another account with this address here.',
  },
  otherSessions: {
    end: 'End all others',
    title: 'End all other sessions?',
    lead: 'Every other browser and command line has to sign in again. This one stays.',
    ended: (count: number) =>
      count === 0 ? 'There was no other session.' : `${plural(count, 'session', 'sessions')} ended.`,
  },
  deletion: {
    title: 'Delete account',
    lead: 'There is no way back: the keys are destroyed, so not even a backup opens again. Read first what goes.',
    goes: 'What goes',
    memories: (count: number): string => (count === 1 ? 'memory' : 'memories'),
    spaces: (count: number): string => (count === 1 ? 'space' : 'spaces'),
    sessions: (count: number): string => (count === 1 ? 'session' : 'sessions'),
    invitations: (count: number): string => (count === 1 ? 'open invitation' : 'open invitations'),
    tenantEnds: 'You are the only one here, so the whole vault ends with your account.',
    inSpaces: 'Space by space',
    noSpaces: 'You are in no space.',
    outcomes: {
      delete: (memories: number) => `Deleted with ${plural(memories, 'memory', 'memories')}`,
      leave: (others: number, authored: number) =>
        `Goes on with ${plural(others, 'other person', 'other people')}${authored === 0 ? '' : `, without the ${plural(authored, 'memory', 'memories')} you wrote`}`,
      'hand-over': (others: number) =>
        `${plural(others, 'other person is', 'other people are')} in it, and nobody else owns it`,
    },
    outcomeNames: { delete: 'Goes', leave: 'Stays', 'hand-over': 'Decide' },
    handOver: 'Make somebody else its owner',
    deleteForAll: 'Delete it for everybody',
    remains: 'What stays',
    remain: {
      'audit-pseudonym':
        'In the audit log, a random name in place of yours. Whose it was is forgotten; backups and database logs from before may still tell.',
      'copies-of-others': 'What others copied from spaces you shared with them.',
      backups: 'Backups, until they are replaced. Nothing of yours in them opens any more.',
      'root-copies':
        'Former root keys that somebody copied, or that a snapshot of the disk kept. With one of them, backups of its time would open.',
    } as Readonly<Record<string, string>>,
    exportFirst: 'Take your memories along first',
    lastOwner:
      'You are the only owner of this vault, and others belong to it. Make somebody else owner first; then your account can go.',
    toMembers: 'To the members',
    undecided: 'Some spaces still need a decision above.',
    confirm: 'Delete it now',
    typeEmail: 'Type your e-mail address',
    typeEmailHint: (email: string) => `${email}, to show that you mean it`,
    password: 'Your password',
    mismatch: 'That is not the address of this account.',
    submit: 'Delete my account for good',
    busy: 'Destroying the keys',
    failed: 'What would go could not be looked up',
    unsure:
      'The server went away before it answered. It may have deleted the account: if you cannot sign in any more, it did. Otherwise nothing was changed.',
  },
  certificate: {
    title: 'Your account is deleted',
    lead: 'Its sessions have ended, its keys go, usually within seconds, and nothing of it is left in this browser. This certificate is the proof; it is given this once.',
    sheet: 'Certificate of deletion',
    vault: 'Vault',
    account: 'Account',
    deletedAt: 'Deleted',
    destroyed: 'Destroyed',
    summary: (spaces: number, memories: number, sessions: number) =>
      `${plural(spaces, 'space', 'spaces')}, ${plural(memories, 'memory', 'memories')}, ${plural(sessions, 'session', 'sessions')}`,
    left: (spaces: number) => `${plural(spaces, 'space goes', 'spaces go')} on without you`,
    tenant: 'and the vault as a whole',
    keys: 'Keys',
    keysBy: {
      queued: 'destroyed in every key store, usually within seconds',
      rows: 'destroyed with the rows that held them',
    },
    remains: 'What stays',
    remain: {
      'audit-pseudonym': 'a random name in the audit log',
      'copies-of-others': 'copies that others made',
      backups: 'backups, in which nothing opens',
      'root-copies': 'former root keys that were copied, which would open backups of their time',
    } as Readonly<Record<string, string>>,
    hash: 'Fingerprint of the log entry',
    advice:
      'This browser calculated the fingerprint itself, from the log entry in the saved file. Whoever can read the audit log of this vault can prove with that file that exactly this was recorded.',
    save: 'Save certificate',
    print: 'Print',
    done: 'Close',
    fileName: 'strongroom-certificate-of-deletion',
    none: 'The account is deleted, but what the server gave as a certificate is none. Tell the operator.',
    checkTitle: 'Check a certificate of deletion',
    checkLead:
      'Somebody whose account was deleted can show a certificate. Here you see whether the log has recorded exactly that.',
    choose: 'Choose certificate',
    checking: 'Checking every entry on this device',
    proved: (index: number, size: number) =>
      `Proved: entry ${index.toLocaleString('en')} of ${size.toLocaleString('en')} in the log is exactly this deletion.`,
    notProved:
      'The log is whole and does not hold this deletion. If it happened within the last minute, try again; otherwise it belongs to another vault, or was never recorded.',
  },
  clock: {
    ahead: (by: string) =>
      `The clock of this device is ${by} ahead of the server’s. Nothing is lost, but times shown and written here are wrong until you set it.`,
    behind: (by: string) =>
      `The clock of this device is ${by} behind the server’s. Nothing is lost, but times shown and written here are wrong until you set it.`,
  },
};

export const accountErrorsEn: Readonly<Record<string, string>> = {
  'authentication.email-in-use': 'There is another account with this address here.',
  'authentication.wrong-confirmation': 'That is not the address of this account. Nothing was deleted.',
  'authentication.session-not-found': 'That session has ended already.',
  'memories.owner-needed': 'In a space with other people nobody else is owner yet. Decide about it, then try again.',
  'authentication.recovery-code-replaced':
    'Another device made a new recovery code at the same moment. That one counts; nothing was changed here.',
  'client.recovery-code-unknown':
    'The server went away in the middle of the change, so it is not known whether the old code still works. Keep it, and make a new one when the server is back.',
  'client.invalid-certificate': 'That is no certificate of deletion, or it was changed.',
};
