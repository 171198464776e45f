import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { KernelError } from './errors.ts';

describe('errors', () => {
  it('become problem details without their cause', () => {
    const error = new KernelError('kernel.invalid-id', {
      detail: 'Check "space".',
      members: { field: 'space' },
      cause: new Error('canary-in-the-cause'),
    });
    expect(error.toProblem()).toEqual({
      type: 'https://strongroom.dev/errors#kernel.invalid-id',
      title: 'That is not a valid id; ids are lower-case UUIDs of version 7.',
      status: 400,
      code: 'kernel.invalid-id',
      detail: 'Check "space".',
      field: 'space',
    });
    expect(JSON.stringify(error.toProblem())).not.toContain('canary');
    expect(error.name).toBe('KernelError');
    expect(inspect(error)).toContain('KernelError');
  });

  it('let no extension member replace a standard one', () => {
    const error = new KernelError('kernel.invalid-id', { members: { status: 200, code: 'fine' } });
    expect(error.toProblem()).toMatchObject({ status: 400, code: 'kernel.invalid-id' });
  });
});
