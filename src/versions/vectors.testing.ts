// What the tests of every order share: vectors as text (`a < b` a line), the laws of an order, and hostile texts.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { sharedData } from '../../test/support/shared.ts'
import type { Compare, Order } from './order.ts'

export interface Vector {
  a: string
  b: string
  expected: Order
}

const orders: Record<string, Order> = { '<': -1, '=': 0, '>': 1, '?': 'unknown' }

/** In: lines `a < b`, `a = b`, `a > b`, `a ? b` (unknown); `#` and `//` start comments. Throws on any other line. */
export function parseVectors(text: string): Vector[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('//'))
  return lines.map((line) => {
    const [a, sign, b, ...rest] = line.split(/\s+/)
    const expected = orders[sign ?? '']
    if (a === undefined || b === undefined || expected === undefined || rest.length > 0) throw new SyntaxError(`not a vector: ${line}`)
    return { a, b, expected }
  })
}

/** Each vector holds, and holds turned round. */
export function assertVectors(compare: Compare, vectors: readonly Vector[]): void {
  assert.ok(vectors.length > 0, 'no vectors')
  for (const { a, b, expected } of vectors) {
    assert.equal(compare(a, b), expected, `${a} to ${b}`)
    assert.equal(compare(b, a), opposite(expected), `${b} to ${a}`)
  }
}

/**
 * Names a suite over a file of the shared data, left out by that name where the file is absent.
 * `isRefused` says of which versions `unknown` is the right answer; `refusedLines` how many lines hold one.
 */
export function testSharedVectors(
  compare: Compare,
  file: string,
  lines: number,
  refusedLines: number,
  isRefused: (version: string) => boolean,
): void {
  const path = sharedData('versions', file)
  test(`shared vectors: ${file}`, { skip: existsSync(path) ? false : `left out: shared vectors ${file} are not there` }, () => {
    const vectors = parseVectors(readFileSync(path, 'utf8'))
    const judged = vectors.filter(({ a, b }) => !isRefused(a) && !isRefused(b))
    const refused = vectors.filter(({ a, b }) => isRefused(a) || isRefused(b))
    assert.deepEqual([vectors.length, refused.length], [lines, refusedLines])
    assertVectors(compare, judged)
    if (refused.length > 0)
      assertVectors(
        compare,
        refused.map(({ a, b }) => ({ a, b, expected: 'unknown' as const })),
      )
  })
}

/** In: pieces that versions of that world are made of. Tests that the order is one: reflexive, antisymmetric, transitive. */
export function testLaws(compare: Compare, starts: readonly string[], pieces: readonly string[]): void {
  const version = fc
    .tuple(fc.constantFrom(...starts), fc.array(fc.constantFrom(...pieces), { maxLength: 5 }))
    .map(([start, rest]) => start + rest.join(''))
  test('laws: a version equals itself, and turning a question round turns the answer', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        if (compare(a, a) !== 'unknown') assert.equal(compare(a, a), 0, a)
        assert.equal(compare(b, a), opposite(compare(a, b)), `${a} to ${b}`)
        assert.equal(compare(a, a) === 'unknown' || compare(b, b) === 'unknown' ? compare(a, b) : 'unknown', 'unknown', `${a} to ${b}`)
      }),
      { numRuns: 2000 },
    )
  })
  test('laws: the order is transitive', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => assertTransitive(compare, a, b, c)),
      { numRuns: 2000 },
    )
  })
  test('hostile: any text gets an answer, and never a throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), version, (text, other) => {
        assert.equal(compare(text, other), opposite(compare(other, text)))
      }),
      { numRuns: 500 },
    )
  })
  test('hostile: giant texts are unknown, and refused at once', () => {
    const giants = [...pieces, '0', '1.', '-', '~', ' ', 'é'].map((piece) => (starts[0] ?? '') + piece.repeat(2_000_000))
    const began = performance.now()
    for (const giant of giants) assert.equal(compare(giant, starts[0] ?? ''), 'unknown')
    assert.ok(performance.now() - began < 1000)
  })
  test('hostile: texts as long as are taken cost no more than their length', () => {
    const long = [...pieces, '0', '.0'].map((piece) => ((starts[0] ?? '') + piece.repeat(512)).slice(0, 512))
    const began = performance.now()
    for (const a of long) for (const b of long) compare(a, b)
    assert.ok(performance.now() - began < 1000)
  })
}

function assertTransitive(compare: Compare, a: string, b: string, c: string): void {
  const ab = compare(a, b)
  const bc = compare(b, c)
  const ac = compare(a, c)
  if (ab === 'unknown' || bc === 'unknown' || ac === 'unknown') return
  if (ab === 0) assert.equal(ac, bc, `${a} = ${b}, ${c}`)
  if (ab === bc) assert.equal(ac, ab, `${a}, ${b}, ${c}`)
}

function opposite(order: Order): Order {
  return order === 'unknown' || order === 0 ? order : order === 1 ? -1 : 1
}
