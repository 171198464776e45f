/** What runs in the threads that page-threads.ts starts. */
import { answerRequests } from '@strongroom/kernel/thread';
import { EntryPage } from './binary-entries.ts';
import { packed, type PageAnswer, type PageRequest } from './page-threads.ts';

answerRequests(({ bytes, end, keys }: PageRequest) => {
  const answer: PageAnswer = packed(new EntryPage(bytes, end).checked(new Map(keys)));
  return { answer, transfer: [answer.indexes.buffer, answer.hashes.buffer] };
});
