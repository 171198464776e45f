/** What is read in front of the vault, in English: it comes with the page. The rest, en.ts, comes with what is behind the door. */

export const entranceEn = {
  name: 'Strongroom',
  promise: 'Only you can read what is kept here.',
  common: {
    cancel: 'Cancel',
    close: 'Close',
    save: 'Save',
    back: 'Back',
    tryAgain: 'Try again',
    loading: 'Loading',
    optional: 'optional',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    skip: 'Skip to content',
    untitled: 'Without a title',
    unnamedSpace: 'A space whose name does not open',
  },
  fields: {
    email: 'E-mail address',
    password: 'Password',
    displayName: 'Your name',
  },
  setUp: {
    title: 'Set up your vault',
    lead: 'You hold the set-up link, so this vault becomes yours. Choose a password that nobody else knows: the server never sees it, and nobody can reset it for you.',
    passwordHint: 'At least 15 characters. Four or five random words are easy to remember and hard to guess.',
    passwordLength: (count: number) => `${count} of at least 15 characters`,
    passwordLongEnough: 'Long enough',
    submit: 'Create vault',
    busy: 'Making your keys',
    missing:
      'This page needs the whole set-up link that the server printed when it started. Open that link again, with everything after the # sign.',
    haveAccount: 'I have an account already',
    firstSpace: 'Personal',
  },
  kit: {
    title: 'Your recovery kit',
    lead: 'If you forget your password, this code is the only way back in. It is shown this once. Print it, or save it somewhere that is not this computer.',
    code: 'Recovery code',
    print: 'Print',
    save: 'Save as a file',
    confirm: 'I have printed or saved the code',
    submit: 'Open my vault',
    fileTitle: 'Strongroom recovery kit',
    address: 'Vault',
    account: 'Account',
    date: 'Made on',
    advice:
      'Whoever holds this code can open the vault. Keep it like a passport: on paper, or on a drive that lies in a drawer.',
    leaveWarning: 'The recovery code has not been saved.',
  },
  signIn: {
    title: 'Sign in',
    lead: 'Your password opens the vault on this device. It is not sent to the server.',
    submit: 'Sign in',
    busy: 'Opening',
    ended: 'Your session has ended. Sign in again; nothing you wrote here is lost.',
    signedOut: 'You are signed out. The sealed copy on this device was deleted.',
    noAccount:
      'No account yet? The owner of this vault can invite you. If you started the server yourself, open the set-up link it printed.',
  },
  join: {
    title: 'You are invited',
    lead: 'Somebody invited you to their vault. Choose a password that nobody else knows: the server never sees it, and nobody can reset it for you.',
    inviter:
      'The link also carries the key of whoever invited you, past the server. What they share opens without comparing anything.',
    submit: 'Join',
    missing:
      'This page needs the whole invitation link. Open it again as it was sent to you, with everything after the # sign.',
    invalidTitle: 'This invitation no longer works',
    invalidLead:
      'A link works once and for seven days. This one was used already, has expired, or was withdrawn. No account was made.',
    invalidNext: 'Ask whoever invited you for a new link. If you joined before, sign in instead.',
    signIn: 'To sign-in',
    signedIn: (name: string) =>
      `${name} is signed in here. An invitation makes another account: sign out first, or open the link in another browser.`,
    signOut: 'Sign out and go on',
    stay: 'Stay signed in',
  },
  newPassword: {
    label: 'New password',
  },
  unlock: {
    title: 'Locked',
    lead: (name: string) => `Welcome back, ${name}. Your memories are sealed until you enter your password.`,
    idle: 'The vault locked itself because nobody was here.',
    submit: 'Unlock',
    busy: 'Unlocking',
    signOut: 'Sign out instead',
  },
  recover: {
    link: 'Forgot your password?',
    title: 'Recover your vault',
    lead: 'The code from your recovery kit opens the vault once. You set a new password, every session ends, and you get a new code.',
    code: 'Recovery code',
    codeHint: 'Nine groups of four. Capitals, hyphens and spaces do not matter.',
    codeCount: (count: number) => `${count} of 36 characters`,
    codeWhole: 'All characters are there',
    submit: 'Set new password',
    busy: 'Opening with the code',
    back: 'I remember the password',
    lost: 'Without password and code nobody can open the vault, not even whoever runs the server.',
    kitTitle: 'Your new recovery kit',
    kitLead:
      'You are in, the new password counts, and every other session has ended. The old code is worthless now: this one takes its place, and is shown this once.',
  },
  unreachable: {
    title: 'The vault does not answer',
    lead: 'The server cannot be reached. It may be starting, or this device is offline. Nothing is lost.',
  },
  missingPage: {
    title: 'This page did not arrive',
    lead: 'The server cannot be reached, or it was updated in the meantime. Nothing is lost; what is open stays open.',
    reload: 'Load everything anew',
  },
  notFound: {
    title: 'There is nothing at this address',
    home: 'To your memories',
  },
  errors: {
    limitedFor: (minutes: number) =>
      minutes === 1
        ? 'Too many attempts. Try again in a minute.'
        : `Too many attempts. Try again in ${minutes} minutes.`,
    unexpected: 'Something went wrong that should not. Nothing was lost; try again.',
    codes: {
      'client.unreachable': 'The server cannot be reached. Nothing was lost; try again.',
      'client.timeout': 'The server did not answer in time. Try again.',
      'client.bad-answer': 'The server answered something that makes no sense. Nothing of it was used.',
      'client.wrong-password': 'That password does not open this vault.',
      'client.locked': 'The vault is locked.',
      'client.cannot-open': 'This does not open: it was damaged, moved or exchanged on the server.',
      'client.unknown-format': 'This was written by a newer version of Strongroom, or is damaged inside.',
      'client.rolled-back':
        'The server shows an older state than before. Nothing of it was used. Ask the operator why.',
      'sealing.invalid-password': 'Choose a password of at least 15 characters.',
      'sealing.predictable-password':
        'This password is long, but among the first that are tried: it repeats something short, or follows the alphabet or the keyboard. A few random words are better.',
      'authentication.sign-in-failed': 'The e-mail address or the password is wrong.',
      'authentication.invalid-session': 'Your session has ended. Sign in again.',
      'authentication.invalid-email': 'That is not an e-mail address.',
      'authentication.invalid-invitation':
        'This link is not valid any more: it expired, was used, or was replaced by a newer one. Restarting the server prints a new one as long as there is no account.',
      'authentication.account-exists': 'There is an account with this e-mail address already.',
      'pipeline.limited': 'Too many attempts. Wait a moment and try again.',
      'pipeline.forbidden': 'Your role does not allow that.',
      'sealing.invalid-recovery-code':
        'There is a typing error in the code, or something is missing. Compare it with your kit, group by group.',
      'sealing.weak-parameters':
        'The server asked for a weaker lock than this page accepts. Your password was not used. Ask the operator why.',
      'sealing.excessive-parameters': 'The server asked for more work than this page does. Your password was not used.',
      'sealing.unsupported-parameters':
        'The server asked for a lock that this page does not know. Your password was not used.',
      'authentication.recovery-failed':
        'The e-mail address or the code is wrong, or the code was used already: each recovery makes a new one. Look for the newest kit.',
      'authentication.invalid-recovery':
        'That took too long, or was finished elsewhere. Begin again with the code you have now.',
      'authentication.record-changed':
        'Your keys were changed elsewhere at the same moment. Lock and unlock, then try again.',
      'client.outcome-unknown':
        'The server went away in the middle of the change. If you have to sign in again, try the new password first, then the former one.',
      'pipeline.unauthenticated': 'Your session has ended. Sign in again.',
      'pipeline.invalid-input': 'Something typed here is not of the form that is needed.',
      'pipeline.unavailable': 'This could not be recorded, so it was not done. Nothing was lost; try again later.',
      'authentication.wrong-secret': 'That password is wrong.',
      'authentication.no-membership': 'This account no longer belongs to any vault.',
      'pipeline.not-found': 'That is not there any more, or you no longer have access to it.',
    } as Readonly<Record<string, string>>,
  },
};

export type EntranceMessages = typeof entranceEn;
