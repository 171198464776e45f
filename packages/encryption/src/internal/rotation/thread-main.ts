/** What runs in the thread that thread.ts starts: opens and seals values, and keeps no key from one request to the next. */
import { parentPort } from 'node:worker_threads';
import { concatBytes } from '@strongroom/kernel';
import { LoadedKeys } from '../loaded-keys.ts';
import { renewOne, type Renewed, type ValuePlace } from './renew.ts';
import { ANSWERS, READY, type RenewalAnswer, type RenewalRequest } from './thread.ts';

function answer(request: RenewalRequest): RenewalAnswer {
  const { number, bytes, lengths } = request;
  try {
    const keys = LoadedKeys.receive(request.keys);
    const places = JSON.parse(request.places) as readonly ValuePlace[];
    let offset = 0;
    const renewed = lengths.map((length, index): Renewed => {
      offset += length;
      return renewOne(keys, request, places[index]!, bytes.subarray(offset - length, offset));
    });
    return {
      number,
      isFailed: false,
      bytes: concatBytes(...renewed.filter((one) => typeof one !== 'string')),
      lengths: renewed.map((one) => (typeof one === 'string' ? ANSWERS[one] : one.length)),
    };
  } catch {
    return { number, isFailed: true, bytes: new Uint8Array(), lengths: [] };
  }
}

parentPort?.on('message', (request: RenewalRequest) => {
  const answered = answer(request);
  parentPort?.postMessage(answered, [answered.bytes.buffer]);
});
parentPort?.postMessage(READY, []);
