import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { table } from './table.ts'

test('columns keep what they need', () => {
  assert.equal(
    table(
      ['NAME', 'GRANTS'],
      [
        ['bob', 'pull=shop/**\npush=shop/api'],
        ['a-longer-name', ''],
      ],
    ),
    'NAME           GRANTS\nbob            pull=shop/**\n               push=shop/api\na-longer-name\n',
  )
})

test('the widest column gives way, and what does not fit is carried on below', () => {
  assert.equal(table(['A', 'B'], [['one', 'some words that go on']], 15), 'A    B\none  some words\n     that go on\n')
  assert.equal(table(['A', 'B'], [['one', '/some/where/else']], 15), 'A    B\none  /some/\n     where/else\n')
  assert.equal(table(['A', 'B'], [['one', 'abcdefghijklmnop']], 13), 'A    B\none  abcdefgh\n     ijklmnop\n')
})

test('text of strangers does not act on the terminal', () => {
  assert.equal(table(['A'], [['\u001b[2Jx\u202e\r']]), 'A\n\\u001b[2Jx\\u202e\\u000d\n')
})

test('no line is wider than 80 columns, and nothing is lost', () => {
  const cell = fc.oneof(fc.string({ maxLength: 200 }), fc.stringMatching(/^[a-z0-9=*/ .-]{0,250}$/))
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 5, maxLength: 5 }), { maxLength: 8 }), (rows) => {
      const text = table(['NAME', 'KIND', 'STATE', 'SUBJECT', 'PROBLEM'], rows)
      assert.ok(text.split('\n').every((line) => [...line].length <= 80))
      const letters = (all: string) => [...all].filter((letter) => /[a-z0-9=*/]/.test(letter)).length
      const plain = rows.flat().filter((one) => !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(one))
      if (plain.length === rows.length * 5) assert.equal(letters(text), letters(plain.join('')))
    }),
  )
})
