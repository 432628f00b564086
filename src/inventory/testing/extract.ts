// For tests only: one extractor over one file, and what every extractor must bear.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'

/** In: a path that the extractor must want, and the file's text. Out: its facts. */
export function factsOf(extractor: Extractor, path: string, content: string | Buffer): Fact[] {
  assert.ok(extractor.wants(path), `${extractor.name} does not want ${path}`)
  const bytes = Buffer.from(content)
  const found = extractor.extract({ path, sizeBytes: bytes.length, bytes })
  assert.ok(Symbol.iterator in found)
  return [...found]
}

export function packagesOf(extractor: Extractor, path: string, content: string | Buffer): Package[] {
  const facts = factsOf(extractor, path, content)
  assert.deepEqual(
    facts.filter((fact) => 'problem' in fact),
    [],
  )
  return facts.flatMap((fact) => ('package' in fact ? [fact.package] : []))
}

/**
 * Whatever bytes stand in a file, the extractor ends, throws nothing, and every name and version it gives can be
 * printed and stored. In: the extractor, a path of its own, and bytes that are well-formed for it.
 */
export function bearsAnything(extractor: Extractor, path: string, sample: string): void {
  test(`${extractor.name} bears any bytes in ${path}`, () => {
    const mutated = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 10 }).map((changes) => {
      const bytes = Buffer.from(sample)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes
    })
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          for (const fact of factsOf(extractor, path, bytes)) {
            if ('problem' in fact) assert.ok(fact.problem.length < 300)
            if (!('package' in fact)) continue
            const { name, version } = fact.package
            for (const text of [name, version]) assert.ok(text !== '' && text.isWellFormed() && !/[\s\0]/.test(text) && text.length <= 1024)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test(`${extractor.name} reads one endless line, and a million short ones, in seconds`, () => {
    const start = performance.now()
    factsOf(extractor, path, Buffer.alloc(Math.min(extractor.maxBytes, 32 * 1024 * 1024), 'P:'))
    factsOf(extractor, path, Buffer.alloc(Math.min(extractor.maxBytes, 2_000_000), 'a\n'))
    assert.ok(performance.now() - start < 30_000)
  })
}
