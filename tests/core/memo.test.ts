import { expect, it, vi } from 'vitest';
import { memo } from '../../core/memo.ts';

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
