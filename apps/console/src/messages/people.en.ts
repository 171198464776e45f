/** The sentences about other people: members, invitations, fingerprints, sharing. German in people.de.ts. */

const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

export const peopleEn = {
  members: {
    title: 'Members',
    lead: 'Who belongs to this vault. Belonging opens nothing yet: each space is shared on its own, sealed to each person’s key.',
    list: 'Members',
    you: 'You',
    gone: 'A deleted account',
    invite: 'Invite somebody',
    aloneLead: 'Invite the people you want to remember things with.',
    guest: 'As a guest you see the spaces that are shared with you, not who else belongs to this vault.',
    notAMember: 'There is no such person here',
    notAMemberLead: 'They may have left, or were removed.',
    all: 'All members',
    changedAlert: (names: string) =>
      `The key of ${names} is not the one that this device knew. Share nothing with them before you have spoken to them in person.`,
    openInvitations: 'Open invitations',
    noInvitations: 'No invitation is waiting to be used.',
    expires: (moment: string) => `until ${moment}`,
    invitedBy: (name: string) => `by ${name}`,
    withdraw: 'Withdraw',
    withdrawTitle: 'Withdraw this invitation?',
    withdrawLead: 'The link stops working at once. Whoever holds it sees that it is no longer valid.',
    withdrawn: 'The invitation was withdrawn.',
    role: 'Role in the vault',
    roleLead:
      'Says what somebody may do in the vault. What they may do in a space is decided in each space. Open invitations that a lesser role could not make are withdrawn with the change.',
    roles: {
      owner: 'May do everything, and change other owners.',
      admin: 'Invites and removes people, and reads the audit log.',
      member: 'Makes spaces of their own and shares them.',
      viewer: 'Sees who is here and uses what is shared with them, but makes no spaces.',
      guest: 'Sees the spaces shared with them and nothing else of the vault.',
    } as Readonly<Record<string, string>>,
    roleAbove: 'Only an owner or administrator who ranks at least as high can change this.',
    roleOwn: 'Somebody else with a role as high as yours can change it.',
    changeRole: 'Change role',
    roleChanged: (name: string, role: string) => `${name}: ${role} from now on.`,
    roleBack: (name: string, role: string) => `${name}: ${role} again.`,
    undo: 'Undo',
    remove: 'Remove from the vault',
    removeLead: (name: string) =>
      `Ends every session of ${name} and takes them out of all spaces. The spaces get new keys, so that nothing that is written later opens for them. What they could read until now they may have kept.`,
    removeTitle: (name: string) => `Remove ${name}?`,
    removeType: (name: string) => `To confirm, type ${name}`,
    removeTypeWrong: 'That is not the name.',
    removeEnding: (count: number) =>
      count === 1
        ? 'One space in which nobody else is would be deleted, with everything in it. That cannot be undone.'
        : `${count.toLocaleString('en')} spaces in which nobody else is would be deleted, with everything in them. That cannot be undone.`,
    removeAnyway: 'Delete these spaces and remove',
    removing: 'Removing',
    removed: (name: string) => `${name} was removed.`,
    rotated: (count: number) => `${plural(count, 'space has', 'spaces have')} a new key.`,
    rotationLeft: (names: string) => `These spaces still need a new key: ${names}.`,
  },
  invite: {
    title: 'Invite somebody',
    lead: 'You get a link that works once and for seven days. Send it to that person and to nobody else.',
    role: 'What they may do in the vault',
    submit: 'Make the link',
    busy: 'Making the link',
    readyTitle: 'The invitation is ready',
    readyLead: (role: string, until: string) => `${role} · works once, until ${until}`,
    link: 'Invitation link',
    once: 'The link is shown this once. It carries your key, so the person knows it is you without asking the server.',
    copy: 'Copy link',
    copied: 'Copied. Send it to that person only.',
    copyFailed: 'The browser did not allow copying. The link is selected: press Ctrl + C.',
    nextTitle: 'When they have joined',
    nextLead:
      'Compare fingerprints before you share the first space: call them, and read to each other what stands under their name in Members.',
    another: 'Invite somebody else',
    toMembers: 'To the members',
  },
  proof: {
    title: 'Your password, once more',
    lead: 'For this, whoever sits here has to be you. It counts for five minutes.',
    submit: 'Confirm',
    busy: 'Checking',
  },
  fingerprint: {
    title: 'Fingerprint',
    own: 'Your fingerprint',
    ownLead:
      'Read it out to people who want to share with you, on the phone or in person. It is no secret; it only has to reach them by another way than this server.',
    none: 'The server shows no usable key for this person. Nothing can be shared with them.',
    trust: {
      self: 'You',
      compared: 'Compared',
      accepted: 'Taken as shown',
      unknown: 'Not compared yet',
      changed: 'Key changed',
    },
    comparedLead: (name: string) =>
      `You compared this fingerprint with ${name}. If the server ever shows another key, you will be told and nothing is shared.`,
    acceptedLead: (name: string) =>
      `This key was taken as the server showed it, without asking ${name}. Later changes are noticed; a wrong key from the start is not.`,
    unknownLead: (name: string) =>
      `This is the key that the server says is ${name}’s. Nothing is shared with it before you have compared.`,
    changedTitle: (name: string) => `The key of ${name} has changed`,
    changedLead: (name: string) =>
      `The server now shows another key for ${name} than this device knew. A new password or a recovery does not change a key, so somebody may stand between you. Nothing is shared with this key, and nothing opened from it.`,
    changedNext: (name: string) =>
      `Speak to ${name} in person or on the phone. Only if what ${name} reads out is exactly the new fingerprint, type it in here.`,
    compareSteps: (name: string) => [
      `Call ${name}, or meet. A message in the same app is not enough.`,
      `${name} opens Members, then “Your fingerprint”, and reads out the six groups.`,
      'Tick each group here that is exactly the same.',
    ],
    group: (number: number, digits: string) => `Group ${number}: ${digits}`,
    heard: (count: number) => `${count} of 6 groups compared`,
    matches: 'All six are the same',
    differs: 'They differ',
    differsTitle: 'Do not share anything',
    differsLead: (name: string) =>
      `If the digits differ, the key that the server shows is not ${name}’s. Somebody may read what you share. Tell ${name} and the operator of the server, and keep both fingerprints.`,
    differsBack: 'Compare again',
    written: 'I have it in writing',
    writtenHint: 'From a letter, a business card or another messenger. Spaces and hyphens do not matter.',
    field: 'Fingerprint that you were given',
    check: 'Check',
    fieldShort: 'A fingerprint has thirty digits.',
    accept: 'Take it without comparing',
    acceptTitle: 'Take the key without comparing?',
    acceptWarning: (name: string) =>
      `If the server, or somebody who controls it, shows a key of their own instead of ${name}’s, they can read what you share. You can compare later.`,
    done: (name: string) => `The key of ${name} is marked as compared.`,
    accepted: (name: string) => `The key of ${name} was taken as shown.`,
    doubt: 'Mark as not compared',
    doubted: (name: string) => `The key of ${name} is no longer marked as compared.`,
  },
  sharing: {
    members: 'Members of this space',
    title: (space: string) => `Who can open ${space}`,
    lead: 'The key of this space is sealed to each of these people. Nobody else can open it, the server included.',
    list: 'Members of the space',
    roles: {
      owner: 'Reads, writes and shares, and may change other owners.',
      admin: 'Reads, writes, shares and removes people.',
      member: 'Reads, writes, edits and deletes memories.',
      viewer: 'Reads everything and changes nothing.',
      guest: 'Reads everything and changes nothing.',
    } as Readonly<Record<string, string>>,
    roleOf: (name: string) => `Role of ${name}`,
    roleChanged: (name: string, role: string) => `${name}: ${role} in this space from now on.`,
    roleBack: (name: string, role: string) => `${name}: ${role} in this space again.`,
    add: 'Share with somebody',
    person: 'Person',
    choose: 'Choose somebody',
    asRole: 'What they may do here',
    history: 'Also what is there already',
    historyLead:
      'Gives the former keys too. Without them, the person opens what is sealed under the present key and later ones.',
    submit: 'Share',
    busy: 'Sealing the key',
    shared: (name: string) => `Shared with ${name}.`,
    everybody: 'Everybody who belongs to the vault is here already.',
    nobody: 'Nobody else belongs to this vault yet.',
    needKey: (name: string) => `Before the key of this space is sealed to ${name}, compare fingerprints.`,
    remove: 'Remove',
    removeTitle: (name: string) => `Remove ${name} from this space?`,
    removeLead: (name: string) =>
      `The space gets a new key that ${name} does not have: nothing that is written from now on opens for them. What they could read until now they may have kept.`,
    removed: (name: string) => `${name} was removed, and the space has a new key.`,
    rotationDue:
      'Somebody left who knows the key of this space. Give it a new one, so that what comes later stays closed to them.',
    rotate: 'Give it a new key',
    rotating: 'Changing the key',
    rotated: 'The space has a new key.',
    rotationDueMember:
      'Somebody left who knows the key of this space. Its owner or administrator should give it a new one.',
    blocked: (name: string) =>
      `The new key is sealed to everybody who stays, and the key of ${name} is not known here.`,
    compareFirst: (name: string) => `Compare with ${name}`,
    leave: 'Leave this space',
    leaveLead: 'You lose access, and the sealed copy on this device is deleted. Somebody can share it with you again.',
    leaveTitle: 'Leave this space?',
    left: 'You have left the space.',
    lastOwner: 'You are its only owner: make somebody else owner before you leave.',
    onlyYou: 'Only you can open this space.',
    oldKeys: 'without what was written before',
    viewerTitle: 'You can read here',
    viewerLead: (role: string) =>
      `Your role in this space is ${role.toLocaleLowerCase('en')}. You can read, search and export everything, and change nothing.`,
    viewerAsk: (names: string) => `${names} can give you another role.`,
    viewerElsewhere: 'Write somewhere else',
    readOnly: 'Read only',
    emptyViewer: 'Nobody has written anything here yet.',
    waiting: (name: string) => `Shared by ${name}`,
    pendingTitle: (name: string) => `${name} shared a space with you`,
    pendingLead: (name: string) =>
      `It stays closed until you know that the key it came from is ${name}’s. Otherwise the server could slip you a space that somebody else reads along in.`,
    goneTitle: 'This space is not among yours',
    goneLead: 'It was deleted, or you are no longer a member. The sealed copy on this device is gone.',
    toSpaces: 'To your spaces',
    nowhere: 'There is no space in which your role lets you write, so nothing can be imported.',
    noSpace: 'No space is shared with you yet',
    noSpaceLead:
      'Your role in this vault makes no spaces of its own. As soon as somebody shares one with you, it appears here.',
    noSpaceFingerprint: 'Have your fingerprint ready when they call:',
  },
};

export type PeopleMessages = typeof peopleEn;

export const peopleErrorsEn: Readonly<Record<string, string>> = {
  'client.unknown-key': 'This device does not know the key of that person yet. Compare fingerprints first.',
  'client.key-changed':
    'The server shows another key for that person than before. Nothing was shared; compare fingerprints in person.',
  'client.fingerprint-differs':
    'That is another fingerprint than the server shows. Somebody may stand in between: share nothing, and ask again.',
  'client.unknown-member': 'There is no such person among those you can see.',
  'pipeline.reauthentication-required': 'Enter your password once more, then try again.',
  'authentication.role-too-high': 'You can invite up to your own role only.',
  'authentication.invitation-not-found': 'This invitation was used or withdrawn in the meantime.',
  'authorization.not-a-member': 'There is no such person here any more.',
  'authorization.last-owner': 'The last owner can neither leave nor take a lesser role.',
  'authorization.role-too-high': 'You can give roles up to your own, and change only people who rank no higher.',
  'authorization.spaces-would-end': 'Some spaces would be deleted with this person. Decide again.',
  'memories.role-too-high': 'You can give roles up to your own, and change only members who rank no higher.',
  'memories.space-full': 'This space has as many members as a space can have.',
  'memories.stale-epoch': 'Somebody else changed the key of this space at the same moment. Try again.',
  'memories.incomplete-rotation': 'Somebody else changed the members of this space at the same moment. Try again.',
  'memories.cannot-remove-self': 'Leave a space instead of removing yourself from it.',
};
