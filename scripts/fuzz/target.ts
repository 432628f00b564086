import assert from 'node:assert/strict'
import type { Fact } from '../../src/inventory/extractor.ts'
import { LazaretError } from '../../src/kit/errors.ts'

/** What reads foreign bytes, and what those look like when they are well made. */
export interface Target {
  name: string
  samples: readonly Buffer[]
  /** Reads them. Out: how much they said, where that is counted: a sample must say something. Throws where the reader did what it must not. */
  run(bytes: Buffer): number | void | Promise<number | void>
}

/** Errors that V8 throws where code went wrong, not input. */
const ofTheEngine = /call stack|array length|string length|allocation failed|buffer size/i

/**
 * In: what a reader threw. Out: nothing where it is an error that says something of the input. Throws it again where it is a slip of
 * the code.
 */
export function bear(error: unknown): void {
  if (error instanceof LazaretError) {
    assert.notEqual(error.code, 'INTERNAL')
    return
  }
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof ReferenceError) throw error
  if (ofTheEngine.test(error.message)) throw error
  assert.notEqual(error.message, '', 'an error without a word')
}

/** Whatever was read: it can be printed in a line, and stored. */
export function checkFact(fact: Fact): void {
  if ('problem' in fact) assert.ok(fact.problem.length < 1000, 'a problem of many lines')
  if (!('package' in fact)) return
  const { name, version } = fact.package
  for (const text of [name, version])
    assert.ok(
      text !== '' && text.isWellFormed() && !/[\s\0]/.test(text) && text.length <= 1024,
      `a name or version that can not be printed: ${JSON.stringify(text.slice(0, 100))}`,
    )
}
