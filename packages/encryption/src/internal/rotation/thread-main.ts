/** What runs in the threads that threads.ts starts: opens and seals values, and keeps no key from one request to the next. */
import { concatBytes } from '@strongroom/kernel';
import { answerRequests } from '@strongroom/kernel/thread';
import { LoadedKeys } from '../loaded-keys.ts';
import { renewOne, type Renewed, type ValuePlace } from './renew.ts';
import { ANSWERS, type RenewalAnswer, type RenewalRequest } from './threads.ts';

answerRequests((request: RenewalRequest) => {
  const keys = LoadedKeys.receive(request.keys);
  const places = JSON.parse(request.places) as readonly ValuePlace[];
  let offset = 0;
  const renewed = request.lengths.map((length, index): Renewed => {
    offset += length;
    return renewOne(keys, request, places[index]!, request.bytes.subarray(offset - length, offset));
  });
  const bytes = concatBytes(...renewed.filter((one) => typeof one !== 'string'));
  const lengths = renewed.map((one) => (typeof one === 'string' ? ANSWERS[one] : one.length));
  const answer: RenewalAnswer = { bytes, lengths };
  return { answer, transfer: [bytes.buffer] };
});
