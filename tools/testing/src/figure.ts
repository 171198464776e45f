import { expect } from 'vitest';
import { addRecord } from './run-folder.ts';

/** States what a test measured or counted. `npm test` prints it as a `figure: …` line, which `npm run prove` shows beside the claim. */
export function figure(text: string): void {
  addRecord('figures', { file: expect.getState().testPath ?? '', text });
}
