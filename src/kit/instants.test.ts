import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseInstant } from './instants.ts'

test('instants with an offset are read', () => {
  assert.equal(parseInstant('2027-01-31T12:00:00Z'), Date.UTC(2027, 0, 31, 12))
  assert.equal(parseInstant('2027-01-31T12:00Z'), Date.UTC(2027, 0, 31, 12))
  assert.equal(parseInstant('2027-01-31T12:00:00.25+02:00'), Date.UTC(2027, 0, 31, 10, 0, 0, 250))
  assert.equal(parseInstant('2028-02-29T00:00:00Z'), Date.UTC(2028, 1, 29))
})

test('what is no instant, or no certain one, is not', () => {
  const texts = [
    '',
    '2027-01-31',
    '2027-01-31T12:00:00',
    '2027-02-30T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2027-13-01T00:00:00Z',
    '2027-00-10T00:00:00Z',
    '2027-01-31T25:00:00Z',
    '2027-01-31T12:60:00Z',
    '2027-1-31T12:00:00Z',
    '1',
    'now',
    '90d',
    '2027-01-31T12:00:00Z ',
    ' 2027-01-31T12:00:00Z',
    '2027-01-31T12:00:00Z\n',
    '+020270-01-31T12:00:00Z',
    '2027-01-31T12:00:00+25:00',
  ]
  for (const text of texts) assert.equal(parseInstant(text), undefined, text)
})

test('every instant that is written is read as itself, and no text throws', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      (date) => parseInstant(date.toISOString()) === date.getTime(),
    ),
  )
  fc.assert(fc.property(fc.string(), (text) => parseInstant(text) === undefined))
})
