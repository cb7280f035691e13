import { expect, it } from '@jest/globals';
import { columns } from '../../src/cli/columns.js';

it('lays rows out as columns, without spaces at the end of a line', () => {
  const rows = [
    ['STATE', 'ID', 'WHY'],
    ['waiting', '7', ''],
    ['dead', '123', 'failed'],
  ];
  expect(columns(rows)).toBe('STATE    ID   WHY\nwaiting  7\ndead     123  failed\n');
});

it('lays out more rows than a function takes arguments', () => {
  const rows = Array.from({ length: 200_000 }, (_, index) => [`${index}`, 'x']);
  expect(columns(rows).split('\n')[0]).toBe('0       x');
});
