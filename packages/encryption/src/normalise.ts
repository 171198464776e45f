/** What counts as the same value for a blind index: two spellings with one normal form have one index. */
import type { DataCategory } from '@strongroom/kernel';

/**
 * White space around it removed, Unicode NFC, lower case, NFC once more. The domain of an address ignores case (RFC 5321 §2.4); the part before
 * the @ may in theory distinguish it, in practice no provider does, and two accounts that differ only in case would serve nobody
 * but an impostor. Nothing else is folded: dots, "+tags" and other alphabets stay as they are, because only the mail provider
 * knows what they mean.
 *
 * Lower-casing makes a few look-alikes equal, for example the Kelvin sign and "k". So mail always goes to the address that was
 * stored, never to the one just typed.
 */
export const normaliseEmail = (address: string): string =>
  // The second NFC is for characters whose lower case is a sequence.
  address.trim().normalize('NFC').toLowerCase().normalize('NFC');

/** White space around it removed, Unicode NFC: case carries meaning. */
export const normaliseText = (text: string): string => text.trim().normalize('NFC');

/** The rule for a category of the data map. */
export const normaliserFor = (category: DataCategory): ((text: string) => string) =>
  category === 'user.contact.email' ? normaliseEmail : normaliseText;
