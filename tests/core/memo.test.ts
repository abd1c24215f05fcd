import { expect, it, vi } from 'vitest';
import { memo } from '../../core/memo.ts';
import { heap } from '../guards/heap.ts';

it('makes a thing once', () => {
  const make = vi.fn((text: string) => ({ text }));
  const made = memo(make);
  expect(made('a')).toBe(made('a'));
  expect(made('b')).toEqual({ text: 'b' });
  expect(make).toHaveBeenCalledTimes(2);
});

it('remembers null and an empty text too', () => {
  const make = vi.fn((text: string) => (text === 'null' ? null : ''));
  const made = memo(make);
  expect([made('null'), made('null'), made('empty'), made('empty')]).toEqual([null, null, '', '']);
  expect(make).toHaveBeenCalledTimes(2);
});

it('throws each time what the making throws', () => {
  const made = memo(() => {
    throw new RangeError('no');
  });
  expect(() => made('a')).toThrow('no');
  expect(() => made('a')).toThrow('no');
});

it('forgets, so that texts that are ever new do not fill the memory', () => {
  const make = vi.fn((text: string) => text);
  const made = memo(make);
  made('first');
  for (let count = 0; count < 5000; count++) made(`text ${count}`);
  make.mockClear();
  expect(made('first')).toBe('first');
  expect(make).toHaveBeenCalledTimes(1);
});

it('keeps no long text: each is made anew', () => {
  const make = vi.fn((text: string) => text.length);
  const made = memo(make);
  const long = 'x'.repeat(200);
  expect([made(long), made(long)]).toEqual([200, 200]);
  expect(make).toHaveBeenCalledTimes(2);
});

it('keeps nothing of the text that a text was cut out of', async () => {
  const made = memo((text: string) => text);
  const before = await heap();
  for (let count = 0; count < 1000; count++) {
    // A header of 100 kB, of which a middleware has taken a part.
    const header = `${String(count).padStart(20, 'n')},${'x'.repeat(100_000)}`;
    made(header.slice(0, header.indexOf(',')));
  }
  expect((await heap()) - before).toBeLessThan(10_000_000);
});
